"""The command: export, keep the weights as they are stored, check the answer, and write the files."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn

from diffusion_teach import _checks, checkpoints
from diffusion_teach.denoisers import Learned
from diffusion_teach.networks import unet

ROOT = Path(__file__).resolve().parents[2]
PLAYGROUND, RUNTIME = ROOT / "book/assets/playground", ROOT / "book/assets/vendor/onnxruntime-web"
NAME = "ddpm-mnist-conditional"
COMMAND = "make page-model"
OPSET = 20
WITHIN = 1e-4
MOST = 64  # digits at once


def exported(network: nn.Module) -> onnx.ModelProto:
    """The network as ONNX: x_t (B, 1, 28, 28), t () and labels (B,) to an answer shaped like x_t.

    The checks of its input, which look at values, stay behind.
    """
    batch = torch.export.Dim("B", min=1, max=MOST)
    example = {"x_t": torch.zeros(2, 1, 28, 28), "t": torch.tensor(0.5), "cond": torch.tensor([3, 10])}
    with (
        mock.patch.object(unet.UNet, "_check", return_value=None),
        mock.patch.object(_checks, "indices", lambda name, value, *bounds: value),
        mock.patch.object(unet, "len", lambda x: x.shape[0], create=True),  # Python's would fix the number of digits
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # the exporter's own
        program = torch.onnx.export(
            network.eval(),
            kwargs=example,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(example),
            output_names=["answer"],
            dynamic_shapes={"x_t": {0: batch}, "t": {}, "cond": {0: batch}},
            verbose=False,
        )
    assert program is not None
    return program.model_proto


def slim(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model, its weights in 16 bits where the checkpoint stores no more, without a trace of its making."""
    kept, casts = [], []
    for weight in model.graph.initializer:
        full = numpy_helper.to_array(weight)
        half = full.astype(np.float16) if full.dtype == np.float32 else full
        if full.dtype != np.float32 or full.size < 2 or not np.array_equal(half.astype(np.float32), full):
            kept.append(weight)
            continue
        kept.append(numpy_helper.from_array(half, f"{weight.name}.half"))
        casts.append(helper.make_node("Cast", [f"{weight.name}.half"], [weight.name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    for node in nodes:
        node.ClearField("doc_string")
        del node.metadata_props[:]
    graph = helper.make_graph(nodes, NAME, model.graph.input, model.graph.output, kept)
    made = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    onnx.checker.check_model(made, full_check=True)
    return made


def apart(model: onnx.ModelProto, network: nn.Module) -> float:
    """The largest difference between the two networks' answers, by ONNX's own slow reference."""
    generator, worst = torch.Generator().manual_seed(0), 0.0
    reference = ReferenceEvaluator(model)
    for t in (0.02, 0.4, 1.0):
        x_t, labels = torch.randn(3, 1, 28, 28, generator=generator), torch.tensor([3, 10, 7])
        with torch.no_grad():
            wanted: Tensor = network(x_t, torch.tensor(t), labels)
        given = {"x_t": x_t.numpy(), "t": np.float32(t), "cond": labels.numpy()}
        (found,) = reference.run(None, given)
        worst = max(worst, float((torch.from_numpy(found) - wanted).abs().max()))
    return worst


def script(model: bytes) -> str:
    """What the page must know before it loads anything: the files, their sizes, and where the network is from."""
    runtime = [RUNTIME / name for name in ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm.gz")]
    card = {
        "checkpoint": NAME,
        "weights": checkpoints.card(NAME)["sha256"],
        "command": COMMAND,
        "torch": torch.__version__.split("+")[0],
        "onnx": onnx.__version__,
        "sha256": hashlib.sha256(model).hexdigest(),
        "files": {
            "engine": {"path": f"../vendor/{RUNTIME.name}/{runtime[0].name}", "bytes": runtime[0].stat().st_size},
            "wasm": {"path": f"../vendor/{RUNTIME.name}/{runtime[1].name}", "bytes": runtime[1].stat().st_size},
            "network": {"path": f"{NAME}.onnx", "bytes": len(model)},
        },
    }
    said = "/** By `make page-model`: what the page loads when the reader asks for it, in bytes, and its origin. */"
    return f"{said}\nconst DigitsFiles = {json.dumps(card, indent=2)};\n"


def main() -> None:
    """Export, compare, write."""
    denoiser = checkpoints.model(NAME)
    assert isinstance(denoiser, Learned)
    model = slim(exported(denoiser.network))
    off = apart(model, denoiser.network)
    if off > WITHIN:
        raise SystemExit(f"The exported network is {off:.1e} from the checkpoint's, more than {WITHIN:g}.")
    content = model.SerializeToString(deterministic=True)
    (PLAYGROUND / f"{NAME}.onnx").write_bytes(content)
    (PLAYGROUND / "digits_files.js").write_text(script(content), encoding="utf-8")
    print(f"{NAME}.onnx: {len(content):,} bytes, {off:.1e} from the checkpoint's answers")


if __name__ == "__main__":
    main()
