"""Wasserstein GAN (Arjovsky et al. 2017): algorithm 1, in the paper's letters.

The critic f_w gives a number, not a probability. Over all f of slope at most 1 (eq. 2)

    W(P_r, P_θ) = sup_f  E_{x∼P_r} f(x) − E_{z∼p(z)} f(g_θ(z)).

The slope is held by clipping each weight to [−c, c]; `gulrajani2017` holds it by a penalty.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


def critic_value(f: nn.Module, x: Tensor, x_g: Tensor) -> Tensor:
    """E f(x) − E f(x_g) on data and generated points (..., d): what the critic ascends; W where it is the best."""
    return f(x).mean() - f(x_g).mean()


def algorithm_1(
    g: nn.Module,
    f: nn.Module,
    x: list[Tensor],
    z: list[Tensor],
    ascent_w: Optimizer,
    descent_theta: Optimizer,
    c: float,
) -> float:
    """One iteration: n_critic = len(x) steps of the critic, each followed by clipping to [−c, c], then one of g.

    ascent_w must maximise (`maximize=True`); z has one minibatch more than x. The paper takes RMSProp with the rate
    5e-5, c = 0.01 and n_critic = 5. Returns the critic's value before its last step, the estimate of W (up to a scale).
    """
    for x_t, z_t in zip(x, z[:-1], strict=True):
        ascent_w.zero_grad()
        value = critic_value(f, x_t, g(z_t).detach())
        value.backward()
        ascent_w.step()
        with torch.no_grad():
            for w in f.parameters():
                w.clamp_(-c, c)
    descent_theta.zero_grad()
    (-f(g(z[-1])).mean()).backward()
    descent_theta.step()
    return value.item()
