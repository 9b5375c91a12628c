"""The benchmark measures what it says that it measures."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import ours, peers, quality, results, roofline, sampling, speed, timing
from diffusion_teach.metrics import features

ROOT = Path(__file__).resolve().parents[2]
POSITIVE = st.floats(1e-3, 1e3)


class Clock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    still = Clock()
    monkeypatch.setattr("time.perf_counter", still)
    return still


@given(st.lists(POSITIVE, min_size=1, max_size=30))
def test_quartiles_are_those_of_numpy(values: list[float]) -> None:
    np.testing.assert_allclose(timing.quartiles(values), np.percentile(values, [25, 50, 75]), rtol=1e-12)


@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=20), st.randoms())
def test_what_slows_a_whole_round_cancels_in_the_ratio(pairs: list[tuple[float, float]], random: Any) -> None:
    slow, fast = ([pair[k] for pair in pairs] for k in (0, 1))
    load = [random.uniform(1, 10) for _ in pairs]
    loaded = timing.ratios(
        [a * k for a, k in zip(slow, load, strict=True)], [b * k for b, k in zip(fast, load, strict=True)]
    )
    np.testing.assert_allclose(loaded, timing.ratios(slow, fast), rtol=1e-9)


@pytest.mark.parametrize("exponent", [0.0, 1.0, -0.5, 2.0])
def test_a_power_law_is_found_again(exponent: float) -> None:
    x = [16.0, 32.0, 64.0, 512.0]
    law = timing.power_law(x, [3 * value**exponent for value in x])
    np.testing.assert_allclose(law, (exponent, 0, 3), atol=1e-7)


def test_the_exponents_error_is_that_of_scipy() -> None:
    x, y = [28.0, 36.0, 44.0, 56.0], [1.0, 1.9, 2.3, 4.4]
    oracle = scipy.stats.linregress(np.log(x), np.log(y))
    law = timing.power_law(x, y)
    np.testing.assert_allclose(law, (oracle.slope, oracle.stderr, np.exp(oracle.intercept)), rtol=1e-9)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([1, 2], [1, 2], "three different x"),
        ([1, 1, 1], [1, 2, 3], "1 different"),
        ([0, 1, 2], [1, 2, 3], "logarithm"),
    ],
)
def test_a_power_law_needs_points_to_fit(x: list[float], y: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        timing.power_law(x, y)


def test_contenders_take_turns_and_short_ones_are_repeated(clock: Clock) -> None:
    done: list[str] = []

    def run(name: str, seconds: float) -> Callable[[], None]:
        def once() -> None:
            done.append(name)
            clock.now += seconds

        return once

    found = timing.interleaved({"fast": run("f", 0.1), "slow": run("s", 1.0)}, 2, warm_up=1, least=0.5)
    assert "".join(done) == "fs" + 2 * "fffffs"
    np.testing.assert_allclose(found["fast"], [0.1, 0.1])
    np.testing.assert_allclose(found["slow"], [1.0, 1.0])


def test_a_peak_is_the_best_trial(clock: Clock) -> None:
    lasting = iter([9.0, 0.5, 0.4, 0.2, 0.3])

    def run() -> None:
        clock.now += next(lasting)

    assert timing.best(run, trials=3, least=0.5) == pytest.approx(0.2)


# The contenders


def test_the_stand_in_for_torchvision_is_there_only_while_it_is_needed() -> None:
    before = {name: module for name, module in sys.modules.items() if name.startswith("torchvision")}
    with peers.standing_in_for_torchvision():
        from torchvision import transforms, utils  # type: ignore[import-not-found,import-untyped,unused-ignore]

        if not before:
            with pytest.raises(AttributeError):
                _ = transforms.Compose, utils.save_image
    assert {name: module for name, module in sys.modules.items() if name.startswith("torchvision")} == before


def test_the_real_torchvision_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    real = types.ModuleType("torchvision")
    monkeypatch.setitem(sys.modules, "torchvision", real)
    with peers.standing_in_for_torchvision():
        assert sys.modules["torchvision"] is real
    assert sys.modules["torchvision"] is real


@pytest.mark.parametrize("name", peers.PEERS)
def test_a_missing_peer_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("diffusers", "denoising_diffusion_pytorch"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModuleNotFoundError, match=re.escape("-r benchmarks/requirements.txt")):
        peers.PEERS[name]()


def test_the_peers_pins_do_not_meet_the_books() -> None:
    def pins(path: Path) -> dict[str, Requirement]:
        lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
        found = [Requirement(line) for line in lines if line and not line.startswith("-")]
        return {requirement.name.lower(): requirement for requirement in found}

    theirs, books = pins(ROOT / "benchmarks" / "requirements.txt"), pins(ROOT / "requirements.txt")
    assert {peer.package for peer in peers.PEERS.values()} <= set(theirs) | set(books)
    assert not set(theirs) & {*books, "torchvision"}
    assert all(re.fullmatch(r"==[\w.]+", str(requirement.specifier)) for requirement in theirs.values())


def test_a_step_of_ours_trains_and_its_average_samples() -> None:
    torch.manual_seed(0)
    trained = ours.Ours(batch=4)
    before = [p.detach().clone() for p in trained.model.parameters()]
    trained.step(torch.randint(0, 256, (4, 28, 28), dtype=torch.uint8))
    assert any((a != b).any() for a, b in zip(before, trained.model.parameters(), strict=True))
    images = trained.sample(2, 2)
    assert images.shape == (2, 1, 28, 28)
    assert float(images.abs().max()) <= 1


# What is counted


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_roof_counts_its_operations_as_torch_does(precision: torch.dtype) -> None:
    for run, operations in (roofline.matrix_product(16, precision), roofline.convolution(8, precision, images=2)):
        with FlopCounterMode(display=False) as counter:
            run()
        assert counter.get_total_flops() == operations


class Tiny(nn.Module):
    """Two convolutions: 2 → 3 channels at full size, 3 → 4 at half."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.coarse = nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(3, 4, 3, stride=2, padding=1)

    @property
    def network(self) -> nn.Module:
        return self

    def forward_backward(self, images: Tensor) -> None:
        self.coarse(self.fine(images)).sum().backward()


def test_operations_and_their_place_are_counted() -> None:
    images = torch.randn(5, 2, 8, 8)
    full, half = 2 * 5 * 64 * 3 * 2 * 9, 2 * 5 * 16 * 4 * 3 * 9
    tiny: Any = Tiny()
    # Forward, and backward for weights and inputs, but not for the images.
    assert speed.operations(tiny, images) == 2 * full + 3 * half
    assert speed.full_size_share(tiny, images) == pytest.approx(full / (full + half))


class FakePeer:
    """Ten seconds a step, a thousand for sampling."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.averages = 0

    def forward_backward(self, images: Tensor) -> None:
        self.clock.now += 500

    def step(self, images: Tensor) -> None:
        assert images.shape == (quality.BATCH, 28, 28)
        self.clock.now += 10

    def average(self) -> None:
        self.averages += 1

    def sample(self, count: int, steps: int) -> Tensor:
        self.clock.now += 1000
        return torch.zeros(count, 1, 28, 28)


def test_the_clock_stands_still_while_a_peer_is_judged(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = {"frechet": 6.0, "floor": 2.0, "floor_std": 0.1, "times_floor": 3.0}
    found = dict.fromkeys(features.JUDGES, scores) | {"illegible": 0.5}
    monkeypatch.setattr(quality.evaluation, "evaluate_images", lambda images: found)
    monkeypatch.setitem(quality.PEERS, "diffusers", lambda: FakePeer(clock))  # type: ignore[arg-type]
    stored: list[dict[str, Any]] = []
    quality.measure("diffusers", lambda measured: stored.append(measured))
    rows = stored[-1]["rows"]
    assert [row["seconds"] for row in rows] == [30, 60, 120, 300]
    assert [row["steps"] for row in rows] == [3, 6, 12, 30]
    assert all(row[judge] == scores for row in rows for judge in features.JUDGES)
    assert len(stored) == 4  # one after each time


def test_what_is_stored_was_measured_with_the_settings_of_the_code() -> None:
    found = results.load()
    wanted = {results.quality_part(name): quality.settings(name) for name in quality.PARTS}
    wanted["sampling"] = sampling.settings()
    for part, settings in wanted.items():
        assert found[part]["settings"] == settings, f"python -m benchmarks --only {part}"


def test_parts_are_stored_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    assert results.load(path) == {}
    results.store("speed", {"a": 1}, path)
    results.store("scaling", {"b": timing.Quartiles(1, 2, 3)}, path)
    found = results.load(path)
    assert found["speed"]["a"] == 1
    assert found["scaling"]["b"] == [1, 2, 3]
    assert found["speed"]["machine"]["torch"] == torch.__version__
    results.took("speed", 60.0, path)
    assert results.load(path)["speed"] == {**found["speed"], "took": 60.0}
    path.write_text("[1", encoding="utf-8")
    with pytest.raises(ValueError, match="damaged"):
        results.load(path)
