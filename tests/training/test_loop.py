"""The loop, the moving average and the seeds, on models so small that one knows what they must do."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from diffusion_teach.training.ema import EMA
from diffusion_teach.training.loop import SEED_VARIABLE, fit, learning_rate_factor, loop, seed_everything
from tests.training.point import Point


def test_fit_finds_the_minimum_and_updates_the_average_every_step() -> None:
    model = Point()
    average, seen = EMA(model, 0.5), []
    history = fit(model, model.loss, steps=300, lr=0.1, ema=average, on_step=lambda k, v: seen.append((k, v)))
    assert model.theta.item() == pytest.approx(3, abs=1e-2)
    assert average.model.theta.item() == pytest.approx(3, abs=2e-2)
    assert average.updates == history.steps_done == 300
    assert seen == list(enumerate(history.losses))
    assert history.losses[0] == 9
    assert not history.interrupted
    assert not model.training


def test_ctrl_c_keeps_what_was_trained(capsys: pytest.CaptureFixture[str]) -> None:
    model = Point()

    def stop(step: int, loss: float) -> None:
        if step == 6:
            raise KeyboardInterrupt

    history = fit(model, model.loss, steps=50, lr=0.1, decay="constant", on_step=stop)
    assert history.interrupted
    assert repr(history) == "History: 7 steps, interrupted"
    assert history.steps_done == 7
    assert 0 < model.theta.item() < 3
    assert "Stopped after 7 of 50 steps; the model keeps" in capsys.readouterr().out


@pytest.mark.parametrize("decay", ["constant", "linear", "cosine"])
def test_a_training_that_goes_on_follows_the_same_course(decay: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Stopped after 7 of 20 steps and taken up with fresh rates; momentum shows that the optimizer is kept."""

    def rates_of(model: Point, optimizer: torch.optim.SGD, first: int, last: int) -> list[float]:
        rates = []

        def on_step(step: int, loss: float) -> None:
            rates.append(optimizer.param_groups[0]["lr"])
            if step == last - 1:
                raise KeyboardInterrupt

        fit(
            model,
            model.loss,
            steps=20,
            decay=decay,
            warmup=3,
            optimizers=[optimizer],
            on_step=on_step,
            first_step=first,
        )
        return rates

    def sgd(model: Point) -> torch.optim.SGD:
        return torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    whole, parts = Point(), Point()
    expected = rates_of(whole, sgd(whole), 0, 21)
    optimizer = sgd(parts)
    rates = rates_of(parts, optimizer, 0, 7)
    assert "Stopped after 7 of 20 steps" in capsys.readouterr().out
    second = sgd(parts)
    second.load_state_dict({**second.state_dict(), "state": optimizer.state_dict()["state"]})
    rates += rates_of(parts, second, 7, 21)
    assert rates == expected
    assert torch.equal(parts.theta, whole.theta)
    assert fit(parts, parts.loss, steps=20, first_step=20).steps_done == 0
    with pytest.raises(ValueError, match="first_step must be between 0 and 20, got 21"):
        fit(parts, parts.loss, steps=20, first_step=21)


def test_losses_take_turns_each_with_its_optimizer() -> None:
    """A game of two numbers, x descends xy and then y descends −xy, both at rate ½: by hand (2, 1) → (1.5, 1.75)."""
    x, y = Point(), Point()
    with torch.no_grad():
        x.theta.fill_(2.0)
        y.theta.fill_(1.0)
    losses = [lambda: (x.theta * y.theta).sum(), lambda: -(x.theta * y.theta).sum()]
    optimizers = [torch.optim.SGD(point.parameters(), lr=0.5) for point in (x, y)]
    history = fit(nn.ModuleList([x, y]), losses, steps=1, decay="constant", optimizers=optimizers)
    assert (x.theta.item(), y.theta.item()) == (1.5, 1.75)
    assert history.losses == [2.0]
    with pytest.raises(ValueError, match="2 losses take turns and need an optimizer each, got 1"):
        fit(nn.ModuleList([x, y]), losses, steps=1, optimizers=optimizers[:1])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_with_step_and_rate(bad: float) -> None:
    model, calls = Point(), []

    def loss() -> Tensor:
        calls.append(0)
        return model.loss() * (bad if len(calls) == 4 else 1.0)

    with pytest.raises(FloatingPointError, match=r"at step 3 of 10, learning rate 0\.02\. Try a smaller lr"):
        fit(model, loss, steps=10, lr=0.02, decay="constant")
    assert torch.isfinite(model.theta).all()
    with pytest.raises(FloatingPointError, match="at step 0 of 2"):
        loop(lambda step: bad, 2)


def test_clip_bounds_what_one_point_can_do() -> None:
    """AdamW forgets the size of a gradient, unless one is far larger than the others."""
    ends = []
    for clip in (None, 1e-3):
        model, calls = Point(), []

        def loss(model: Point = model, calls: list[int] = calls) -> Tensor:
            calls.append(0)
            return model.theta.sum() * (1e6 if len(calls) == 5 else 1.0)

        fit(model, loss, steps=8, lr=0.1, decay="constant", clip=clip)
        ends.append(model.theta.item())
    assert ends[1] == pytest.approx(-0.8, abs=1e-4)
    assert ends[0] != pytest.approx(ends[1], abs=1e-3)


@given(st.integers(1, 200), st.integers(0, 50))
def test_the_course_of_the_learning_rate(steps: int, warmup: int) -> None:
    for decay in ("constant", "cosine", "linear"):
        course = [learning_rate_factor(k, steps, warmup=warmup, decay=decay) for k in range(steps)]
        assert all(0 < factor <= 1 for factor in course)
        rising = course[: min(warmup, steps)]
        assert rising == pytest.approx([(k + 1) / (warmup + 1) for k in range(len(rising))])
        if warmup < steps:
            assert course[warmup] == 1
            assert learning_rate_factor(steps, steps, warmup=warmup, decay=decay) == pytest.approx(
                1.0 if decay == "constant" else 0.0, abs=1e-12
            )
            assert all(a >= b for a, b in zip(course[warmup:], course[warmup + 1 :], strict=False))
    assert learning_rate_factor(50, 100, decay="cosine") == pytest.approx(0.5)


def test_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(default: int = 0) -> tuple[float, float]:
        g = seed_everything(default)
        return float(torch.rand(())), float(torch.rand((), generator=g))

    monkeypatch.delenv(SEED_VARIABLE, raising=False)
    assert draw() == draw() == draw(0)
    assert seed_everything().initial_seed() == 0
    assert draw() != draw(1)
    five = draw(5)
    monkeypatch.setenv(SEED_VARIABLE, "5")
    assert draw() == five == draw(7)
    for bad in ("-1", "one", "", "1.5", str(2**64)):
        monkeypatch.setenv(SEED_VARIABLE, bad)
        with pytest.raises(ValueError, match=f"{SEED_VARIABLE} must be a whole number from 0"):
            seed_everything()
    with pytest.raises(ValueError, match="default must be at least 0"):
        seed_everything(-1)


POINT = Point()


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: loop(lambda k: 0.0, 0), ValueError, "steps must be at least 1"),
        (lambda: loop(0.0, 1), TypeError, "update must be a function"),
        (lambda: fit(POINT, POINT.loss, steps=2.0), TypeError, "steps must be a whole number"),
        (lambda: fit(POINT, POINT.loss, steps=2, lr=-1.0), ValueError, "lr must be above 0, got -1"),
        (lambda: fit(POINT, POINT.loss, steps=2, warmup=-1), ValueError, "warmup must be at least 0"),
        (lambda: fit(POINT, POINT.loss, steps=2, decay="cosin"), ValueError, "Did you mean 'cosine'"),
        (lambda: fit(POINT, POINT.loss, steps=2, clip=0.0), ValueError, "clip must be above 0"),
        (lambda: fit(POINT, POINT.loss(), steps=2), TypeError, "loss must be a function, got a tensor"),
        (lambda: fit(POINT, lambda: torch.zeros(3), steps=2), TypeError, r"scalar tensor .*shape \(3,\)"),
        (lambda: fit(POINT, lambda: 0.0, steps=2), TypeError, "scalar tensor to differentiate, got 0.0"),
        (lambda: fit(nn.Identity(), POINT.loss, steps=2), ValueError, "no parameters to train"),
        (lambda: learning_rate_factor(11, 10), ValueError, "step must be between 0 and 10, got 11"),
    ],
)
def test_bad_input_is_named(make: Callable[[], object], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()


def test_the_learning_rate_is_put_back_however_the_training_ends() -> None:
    def stop(step: int, loss: float) -> None:
        if step == 2:
            raise KeyboardInterrupt

    def broken() -> Tensor:
        raise RuntimeError("broken")

    model = Point()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    fit(model, model.loss, steps=5, optimizers=[optimizer])
    once = model.theta.item()
    assert optimizer.param_groups[0]["lr"] == 0.1
    fit(model, model.loss, steps=5, optimizers=[optimizer])
    assert abs(model.theta.item() - 3) < 0.6 * abs(once - 3)  # a second training trains
    fit(model, model.loss, steps=5, optimizers=[optimizer], on_step=stop)
    assert optimizer.param_groups[0]["lr"] == 0.1
    with pytest.raises(RuntimeError, match="broken"):
        fit(model, broken, steps=5, optimizers=[optimizer])
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_what_is_of_another_model_is_refused() -> None:
    model, other = Point(), Point()
    for stranger in (torch.optim.SGD(other.parameters()), torch.optim.SGD([*model.parameters(), *other.parameters()])):
        with pytest.raises(ValueError, match="optimizers must hold weights of the model, and the SGD holds others"):
            fit(model, model.loss, steps=2, optimizers=[stranger])
    with pytest.raises(ValueError, match="ema must be an average of the model, got one of another"):
        fit(model, model.loss, steps=2, ema=EMA(other))
    fit(nn.ModuleList([model, other]), model.loss, steps=2, ema=EMA(other))  # of a part
    assert model.theta != 0
