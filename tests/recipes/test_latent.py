"""The recipes of captioned canvases: what a step draws, that they train, survive being stopped, and are measured."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from diffusion_teach import checkpoints
from diffusion_teach.datasets import captions
from diffusion_teach.denoisers import Latent
from diffusion_teach.recipes.autoencoder import CANVAS_AUTOENCODER
from diffusion_teach.recipes.latent import CANVAS_PIXELS, LDM_DIGITS, CaptionedRecipe
from diffusion_teach.training import run

CPU = torch.device("cpu")
SMALL: dict[str, Any] = {"pictures": 64, "glyphs": 200, "batch": 4, "precision": "float32"}
NETWORK = {"width": (8, 16), "blocks": 1, "embedding": 16, "text": 8}


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An autoencoder that was trained for a moment."""
    recipe = dataclasses.replace(CANVAS_AUTOENCODER, network=(("width", (8, 8)),), **SMALL)
    path = tmp_path_factory.mktemp("code") / "code.safetensors"
    made = run.trained(recipe, steps=2)
    fields = dict.fromkeys(checkpoints.files.CARD_FIELDS, "none") | {"metrics": {}}
    card = fields | {"architecture": recipe.architecture()}
    return str(checkpoints.save("code", made.state_dict(), card, folder=path.parent))


def small(name: str, code: str) -> CaptionedRecipe:
    whole = LDM_DIGITS if name == "latent" else CANVAS_PIXELS
    network = {**NETWORK, **whole.network}
    autoencoder = code if name == "latent" else None
    return dataclasses.replace(whole, network=network, autoencoder=autoencoder, sampler_steps=2, **SMALL)


@pytest.mark.parametrize("name", ["latent", "pixels"])
def test_a_step_is_decided_by_its_generator_alone(name: str, code: str) -> None:
    recipe = dataclasses.replace(small(name, code), batch=64)
    data = recipe.data(CPU)
    a, b, c = (recipe.draw(data, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert all(torch.equal(p, q) for p, q in zip(a, b, strict=True))
    assert not torch.equal(a[0], c[0])
    assert a[0].shape == a[2].shape == ((64, 4, 16, 16) if name == "latent" else (64, 1, 64, 64))
    assert a[3].shape == (64, captions.LENGTH)
    assert 0 < int((a[3] == captions.PAD).all(1).sum()) < 20


@pytest.mark.parametrize("name", ["latent", "pixels"])
def test_a_training_that_was_stopped_goes_on_to_the_same_weights(name: str, code: str, tmp_path: Path) -> None:
    recipe = small(name, code)
    whole = run.trained(recipe, steps=4).state_dict()

    def stop(step: int, loss: float) -> None:
        if step == 1:
            raise MemoryError

    class Unmeasured(CaptionedRecipe):
        def measure(self, *_: Any, **__: Any) -> dict[str, Any]:
            return {}

    quick = Unmeasured(**{field.name: getattr(recipe, field.name) for field in dataclasses.fields(recipe)})
    with pytest.raises(MemoryError):
        run.train(quick, tmp_path, steps=4, save_seconds=0, on_step=stop, progress=False, device="cpu")
    found = run.train(quick, tmp_path, steps=4, resume=True, progress=False, device="cpu")
    made = checkpoints.model(found).state_dict()
    assert all(torch.equal(value.half().float(), made[key]) for key, value in whole.items())


def test_the_latents_autoencoder_and_scale_travel_in_the_checkpoint(code: str, tmp_path: Path) -> None:
    model = cast(Latent, small("latent", code).model())
    known = checkpoints.load(code)
    for key, value in model.autoencoder.state_dict().items():
        torch.testing.assert_close(value, known[key])
    assert float(model.scale) > 1
    assert float(model.shift) != 0


@pytest.mark.parametrize("name", ["latent", "pixels"])
def test_obedience_is_measured_on_seen_and_on_held_out_captions(name: str, code: str) -> None:
    recipe = small(name, code)
    found = recipe.measure(recipe.model().eval(), recipe_sampling(), count=6)
    assert {"seen", "held_out", "ceiling_seen", "ceiling_held_out", "guidance"} <= set(found)
    assert found["seen"]["single"]["count"] + found["seen"]["pair"]["count"] == 6
    if name == "pixels":
        assert found["ceiling_seen"]["single"]["place"] == 1


def recipe_sampling() -> Any:
    from diffusion_teach.generate import Sampling

    return Sampling()


@pytest.mark.parametrize("name", ["latent", "pixels"])
def test_the_loss_falls(name: str, code: str) -> None:
    recipe = dataclasses.replace(small(name, code), batch=16)
    model, data = recipe.model(), recipe.data(CPU)
    optimizers = recipe.optimizers(model)
    losses = []
    for step in range(60):
        loss = recipe.loss(model, *recipe.draw(data, torch.Generator().manual_seed(step)))
        model.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-15:]) < 0.9 * sum(losses[:15])
