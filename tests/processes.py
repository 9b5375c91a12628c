"""Start several processes that find one another, as torchrun's do, without importing torch anew in each."""

from __future__ import annotations

import multiprocessing
import os
import socket
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

SERVED = "forkserver" in multiprocessing.get_all_start_methods()  # Windows has none
FORK = multiprocessing.get_context("forkserver" if SERVED else "spawn")
if SERVED:
    # Imported once for all processes; optimizers import the second one at their first step.
    FORK.set_forkserver_preload(["diffusion_teach.training.run", "torch._dynamo"])
PATIENCE = 600.0  # seconds, for a machine that has much else to do


def together(count: int, function: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Call function(*arguments) in `count` connected processes; its results, or errors, in the order of their ranks.

    A process that has not answered in time is killed, and the test fails.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = []
    for rank in range(count):
        reader, writer = FORK.Pipe(duplex=False)
        names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        environment = {name: str(value) for name, value in names.items()}
        process = FORK.Process(target=_member, args=(environment, writer, function, arguments))
        process.start()
        writer.close()
        started.append((process, reader))
    results = []
    try:
        for process, reader in started:
            assert reader.poll(PATIENCE), f"a process hung: {process}"
            results.append(reader.recv())
    finally:
        for process, reader in started:
            process.join(0 if len(results) < count else PATIENCE)
            process.kill()
            process.join()
            reader.close()
    return results


def _member(environment: dict[str, str], writer: Connection, function: Callable[..., Any], arguments: Any) -> None:
    os.environ.update(environment)
    try:
        result = function(*arguments)
    except Exception as error:
        traceback.print_exc()
        result = error
    writer.send(result)
    writer.close()
