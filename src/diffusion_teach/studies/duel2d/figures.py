"""Figures of the comparison of generators in the plane: every seed's samples, and what they measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.metrics.modes import Modes, high_quality_ceiling, kl_floor
from diffusion_teach.metrics.watch import Watch
from diffusion_teach.plots import style

SHOWN = 150  # samples drawn of each seed: more make a larger file and no clearer picture
COLOUR = {
    "GAN": style.RIVAL,
    "GAN + R1 + R2": style.OTHER,
    "RpGAN + R1 + R2": style.SISTER,
    "diffusion": style.MODEL,
    "exact": style.EXACT,
    "blind shape": style.GREY,
}
MARK = {"GAN": "s", "GAN + R1 + R2": "^", "RpGAN + R1 + R2": "v", "diffusion": "o"}


def points(
    ax: Axes, x: Tensor, mixture: GaussianMixture, *, color: str = style.MODEL, size: float = 1.0, title: str = ""
) -> Axes:
    """Samples (N, 2) over the centres of the modes.

    Args:
        ax: the panel.
        x: the samples, of which the first `SHOWN` are drawn.
        mixture: whose modes are marked, in the colour of the data.
        color: of the samples.
        size: of the dots, relative.
        title: of the panel.
    """
    _checks.tensor("x", x, ("N", 2), finite=False)
    edge = 1.3 * float(mixture.means.abs().max())
    style.plane(ax, (-edge, edge, -edge, edge), labels=False)
    ax.plot(*mixture.means.T.numpy(), "o", color=style.DATA, alpha=0.35, markersize=5 * size**0.5, mew=0, zorder=1)
    ax.plot(*x[:SHOWN].T.numpy(), ".", color=color, markersize=1.5 * size, mew=0, zorder=2)
    ax.set_title(title)
    ax.set(xticks=[], yticks=[])
    return ax


def gallery(
    samples: Mapping[str, Tensor],
    measured: Mapping[str, Modes],
    mixture: GaussianMixture,
    title: str,
    *,
    colours: Mapping[str, str] = COLOUR,
) -> Figure:
    """One row a contender, one column a seed; over each, its modes covered and its share of high quality.

    Args:
        samples: by contender, (M, N, 2).
        measured: by contender, of the same M members.
        mixture: the data.
        title: over the whole figure.
        colours: by contender.
    """
    members = len(next(iter(samples.values())))
    fig, axes = style.subplots(len(samples), members, panel=(0.96, 1.16), title=title)
    for row, (name, x) in enumerate(samples.items()):
        for k, ax in enumerate(axes[row * members : (row + 1) * members]):
            points(ax, x[k], mixture, color=colours[name])
            covered, good = int(measured[name].covered[k]), float(measured[name].high_quality[k])
            ax.set_title(f"{covered} · {100 * good:.0f} %", fontsize=8, pad=2)
        axes[row * members].set_ylabel(_in_lines(name), fontsize=9)
    return fig


def scoreboard(
    measured: Mapping[str, Mapping[str, Modes]], modes: Mapping[str, int], title: str, *, log_quality: bool = False
) -> Figure:
    """Three measures of each contender, a dot a seed and a bar at the mean, with what real data reach dashed.

    Args:
        measured: by data set and contender.
        modes: by data set, how many modes it has.
        title: over the whole figure.
        log_quality: whether the share of high quality has a logarithmic axis, for small shares.
    """
    fig, axes = style.subplots(len(measured), 3, panel=(2.8, 2.2), title=title)
    for row, (data, contenders) in enumerate(measured.items()):
        trio = axes[3 * row : 3 * row + 3]
        levels = (modes[data], high_quality_ceiling(), kl_floor(modes[data]))
        for column, (ax, level) in enumerate(zip(trio, levels, strict=True)):
            ax.axhline(level, **style.EXACT_LINE, label="real data")
            for place, (name, found) in enumerate(contenders.items()):
                _seeds(ax, place, [float(value) for value in found[column]], COLOUR[name])
            ax.set_xticks(range(len(contenders)), [name.replace(" + ", "\n+ ") for name in contenders], fontsize=8)
        trio[0].set(ylim=(0, 1.1 * modes[data]), title=f"{data}: modes covered of {modes[data]}")
        trio[1].set(ylim=(0, 1.1), title=f"{data}: share of high quality")
        if log_quality:
            trio[1].set(yscale="log", ylim=(3e-4, 2))
        trio[2].set(yscale="log", title=f"{data}: reverse KL, nats")
    axes[1].legend(loc="lower left" if log_quality else "center left")
    return fig


def at_equal_settings(
    measured: Mapping[str, Mapping[str, Sequence[Modes]]], gammas: Sequence[float], modes: Mapping[str, int], title: str
) -> Figure:
    """Modes covered and reverse KL of many seeds at each weight of the penalties, the worst seed with a ring.

    Args:
        measured: by data set and contender, one value for each γ.
        gammas: the weights γ.
        modes: by data set, how many modes it has.
        title: over the whole figure.
    """
    fig, axes = style.subplots(2, len(measured), panel=(4.0, 2.1), title=title, share_x=True)
    for column, (data, contenders) in enumerate(measured.items()):
        above, below = axes[column], axes[len(measured) + column]
        for ax in (above, below):
            for k, (name, found) in enumerate(contenders.items()):
                for place, scores in enumerate(found):
                    each = scores.covered if ax is above else scores.reverse_kl
                    values = sorted(map(float, each), reverse=ax is above)
                    middle = place + 0.42 * (k - (len(contenders) - 1) / 2)
                    _seeds(ax, middle, values, COLOUR[name], width=0.34, label=name if place == 0 else None)
                    ax.plot(middle + 0.17, values[-1], "o", mfc="none", mec=style.INK, markersize=9)
            ax.set_xticks(range(len(gammas)), [f"{gamma:g}" for gamma in gammas])
        above.axhline(modes[data], **style.EXACT_LINE)
        above.set(ylim=(0, 1.1 * modes[data]), title=f"{data}: modes covered of {modes[data]}")
        below.axhline(kl_floor(modes[data]), **style.EXACT_LINE)
        below.set(yscale="log", title=f"{data}: reverse KL, nats", xlabel=r"weight $\gamma$ of the penalties")
    axes[0].legend(loc="lower right")
    return fig


def longer(measured: Mapping[str, Mapping[int, Modes]], modes: int, title: str) -> Figure:
    """Three measures against steps of training, a dot a seed and a line through the means.

    Args:
        measured: by contender and steps.
        modes: how many modes the data have.
        title: over the whole figure.
    """
    fig, axes = style.subplots(1, 3, panel=(2.8, 2.4), title=title)
    levels = (modes, high_quality_ceiling(), kl_floor(modes))
    names = (f"modes covered of {modes}", "share of high quality", "reverse KL, nats")
    for column, (ax, level, name) in enumerate(zip(axes, levels, names, strict=True)):
        for k, (contender, by_steps) in enumerate(measured.items()):
            for steps, found in by_steps.items():
                apart = [steps * 1.05 ** (k - (len(measured) - 1) / 2)] * len(found[column])
                ax.plot(apart, found[column], "o", color=COLOUR[contender], alpha=0.45, markersize=3, mew=0)
            means = [float(found[column].double().mean()) for found in by_steps.values()]
            look: dict[str, Any] = {"color": COLOUR[contender], "marker": MARK[contender], "markersize": 6}
            ax.plot(list(by_steps), means, label=contender, **look)
        ax.axhline(level, **style.EXACT_LINE, label="real data")
        ax.set(xscale="log", xlabel="steps of training", title=name)
        ticks = sorted({steps for by_steps in measured.values() for steps in by_steps})
        ax.set_xticks(ticks, [f"{steps:,}" for steps in ticks])
        ax.xaxis.minorticks_off()
    axes[0].set(ylim=(0, 1.1 * modes))
    axes[1].set(ylim=(0, 1.1))
    axes[2].set(yscale="log")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(measured) + 1)
    return fig


def _in_lines(name: str) -> str:
    """A contender's name, its penalties on a line of their own."""
    return name.replace(" + ", "\n+ ", 1)


def _seeds(
    ax: Axes, place: float, values: Sequence[float], color: str, *, width: float = 0.4, label: str | None = None
) -> None:
    """A dot for each seed, side by side, and a bar at their mean."""
    spread = [place + width * (k / max(1, len(values) - 1) - 0.5) for k in range(len(values))]
    ax.plot(spread, values, "o", color=color, alpha=0.75, markersize=4, mew=0, label=label)
    ax.hlines(sum(values) / len(values), place - 0.8 * width, place + 0.8 * width, color=color, linewidth=2)


def search(results: Mapping[str, Mapping[str, Sequence[Mapping[str, float]]]], chosen: Mapping[str, Any]) -> Figure:
    """Every trial of the search for settings, coverage against quality, the chosen one large.

    Args:
        results: panel → contender → trials, each with "covered" and "quality".
        chosen: panel → contender → the trial that was chosen.
    """
    fig, axes = style.subplots(1, len(results), panel=(2.3, 2.2), share_x=True, share_y=True)
    for ax, (panel, contenders) in zip(axes, results.items(), strict=True):
        for name, rows in contenders.items():
            look: dict[str, Any] = {"marker": MARK[name], "linestyle": "", "color": COLOUR[name], "mew": 0}
            ax.plot([r["covered"] for r in rows], [r["quality"] for r in rows], alpha=0.5, markersize=5, **look)
            best = chosen[panel][name]
            ax.plot(best["covered"], best["quality"], markersize=11, label=name, **look)
        ax.set(yscale="log", xlim=(0, 1.05), xlabel="share of modes covered", title=panel)
    axes[0].set_ylabel("share of high quality")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return fig


def stability(outcomes: Mapping[str, Mapping[str, Sequence[Sequence[str]]]], title: str) -> Figure:
    """How every run of the search ended: one row a contender, one column of dots a trial, one dot a member.

    Args:
        outcomes: panel → contender → trial → member, each "drops modes", "blurred" or "usable".
        title: over the whole figure.
    """
    fig, axes = style.subplots(1, len(outcomes), panel=(2.6, 2.3), share_x=True, share_y=True, title=title)
    for ax, (panel, contenders) in zip(axes, outcomes.items(), strict=True):
        for row, (name, trials) in enumerate(contenders.items()):
            for trial, members in enumerate(trials):
                for k, outcome in enumerate(members):
                    face = {"drops modes": 0.0, "blurred": 0.4, "usable": 1.0}[outcome]
                    edge = 0.3 if outcome == "drops modes" else 0.8
                    height = -row + 0.62 * ((k + 0.5) / len(members) - 0.5)
                    look: dict[str, Any] = {"mfc": to_rgba(COLOUR[name], face), "mec": to_rgba(COLOUR[name], edge)}
                    ax.plot(trial, height, "o", markersize=3.5, mew=0.6, **look)
        ax.set_xticks(range(0, len(trials), 5), [str(trial + 1) for trial in range(0, len(trials), 5)])
        ax.set_yticks([-row for row in range(len(contenders))], [_in_lines(name) for name in contenders])
        ax.set(title=panel, xlabel="trial")
        ax.grid(visible=False)
    return fig


def course(watches: Mapping[str, Watch], modes: int) -> Figure:
    """Above, each contender's loss over training; below, the modes that each seed covers on the way.

    Args:
        watches: by contender.
        modes: how many modes the data have.
    """
    fig, axes = style.subplots(2, len(watches), panel=(2.3, 1.7), share_x=True)
    for column, (name, watch) in enumerate(watches.items()):
        above, below = axes[column], axes[len(watches) + column]
        above.plot(watch.steps, watch.losses, color=COLOUR[name], linewidth=2)
        above.set(title=_in_lines(name), ylim=(0, None))
        covered = watch.covered()
        for k in range(covered.shape[1]):
            apart = 0.03 * (k - (covered.shape[1] - 1) / 2)  # so that equal counts do not hide one another
            below.plot(watch.steps, covered[:, k] + apart, color=COLOUR[name], alpha=0.6, linewidth=1)
        below.set(ylim=(0, 1.1 * modes), xlabel="step")
        below.yaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes[0].set_ylabel("mean loss")
    axes[len(watches)].set_ylabel("modes covered")
    return fig
