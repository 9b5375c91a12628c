"""Generative Adversarial Nets (Goodfellow et al. 2014): algorithm 1 and proposition 1, in the paper's letters.

The generator G turns noise z into points; the discriminator D(x) ∈ (0, 1) says how likely x is to be data:

    min_G max_D V(D, G) = E_{x∼p_data}[log D(x)] + E_{z∼p_z}[log(1 − D(G(z)))]                              (eq. 1)

Here D returns the logit of that probability, so that log D = log σ(logit) keeps its digits when D is sure.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import logsigmoid
from torch.optim import Optimizer


def value(D: nn.Module, x: Tensor, x_g: Tensor) -> Tensor:
    """V(D, G) of eq. 1 from data x and generated points x_g, both (..., d); −log 4 where D says ½ everywhere."""
    return logsigmoid(D(x)).mean() + logsigmoid(-D(x_g)).mean()


def optimal_discriminator(p_data: Tensor, p_g: Tensor) -> Tensor:
    """D*_G(x) = p_data(x) / (p_data(x) + p_g(x)) from the two densities at x (proposition 1)."""
    return p_data / (p_data + p_g)


def generator_loss(D: nn.Module, x_g: Tensor, *, saturating: bool = False) -> Tensor:
    """What G descends: E[log(1 − D(G(z)))], flat where D wins, or −E[log D(G(z))], steep there (section 3)."""
    return logsigmoid(-D(x_g)).mean() if saturating else -logsigmoid(D(x_g)).mean()


def algorithm_1(
    G: nn.Module,
    D: nn.Module,
    x: Tensor,
    z: list[Tensor],
    ascent_D: Optimizer,
    descent_G: Optimizer,
) -> tuple[float, float]:
    """One iteration with k = 1: D ascends V on x and z[0], then G descends on z[1].

    ascent_D must maximise. Returns V and the generator's loss, each before its step.
    """
    ascent_D.zero_grad()
    V = value(D, x, G(z[0]).detach())
    V.backward()
    ascent_D.step()

    descent_G.zero_grad()
    loss = generator_loss(D, G(z[1]))
    loss.backward()
    descent_G.step()
    return V.item(), loss.item()
