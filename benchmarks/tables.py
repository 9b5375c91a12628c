"""The page's tables and sentences in Markdown, from the stored figures alone: no number is typed by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks.ours import TITLE
from benchmarks.peers import PEERS
from benchmarks.results import Results, quality_part
from diffusion_teach.metrics.features import JUDGES

MISSING = "*Not measured yet: `python -m benchmarks --only {part}`.*"


def number(value: float, digits: int = 2) -> str:
    """A number with some significant digits and thousands apart: 12,000; 340; 1.2; 0.034."""
    if value == 0:
        return "0"
    text = f"{float(f'{value:.{digits}g}'):,.10f}".rstrip("0").rstrip(".")
    digits_there = sum(character.isdigit() for character in text.lstrip("0.,"))
    if digits_there < digits:
        text += ("" if "." in text else ".") + "0" * (digits - digits_there)
    return text


def spread(quartiles: Sequence[float], digits: int = 2) -> str:
    """A median with its quartiles."""
    low, middle, high = quartiles
    return f"{number(middle, digits)} ({number(low, digits)} to {number(high, digits)})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others stand to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def by_judges(row: dict[str, Any]) -> str:
    """The distances of some images by both judges, each a multiple of its floor."""
    return " / ".join(number(row[judge]["times_floor"]) for judge in JUDGES)


def headline(found: Results) -> str:
    """The answers in a few lines."""
    lines = []
    if "speed" in found:
        rows = found["speed"]["contenders"]
        slower = " and ".join(f"{number(rows[name]['times_slower'][1])} times as many as {name}" for name in PEERS)
        images = number(rows[TITLE]["images_per_second"][1])
        lines.append(f"It trains on {images} images a second: {slower}, as these come, in float32.")
        halved = {name: rows[f"{name}, bfloat16"] for name in PEERS if f"{name}, bfloat16" in rows}
        if halved:
            faster = " and ".join(f"{number(row['times_slower'][1])} times {name}" for name, row in halved.items())
            lines.append(f"With bfloat16 in all of them it is {faster}.")
    if "speed" in found and "roofline" in found:
        lines.append(f"Its step reaches {percent(share(found, TITLE))} of the fastest convolution on this machine.")
    ours = found.get(quality_part(TITLE), {}).get("rows", [])
    for row in (row for row in ours if row["limit"] == 60):
        many = row["many"]
        distance = f"{by_judges(many)} times its floor ({many['images']:,} images, by the classifier and the encoder)"
        lines.append(f"After {row['seconds']:.0f} seconds of training the Fréchet distance is {distance}.")
    if "sampling" in found:
        rows = found["sampling"]["ours"]
        drawn = ", ".join(
            f"{by_judges(row)} times the floor at {row['steps']} steps "
            f"({number(row['seconds_per_1000'])} s for 1,000 images)"
            for row in rows
        )
        lines.append(f"The shipped model: {drawn}.")
    return "\n".join(f"- {line}" for line in lines) or MISSING.format(part="speed")


def machine(found: Results) -> str:
    """On which machines, and when."""
    if not found:
        return MISSING.format(part="speed")
    seen: dict[str, list[str]] = {}
    for part, measured in found.items():
        m = measured["machine"]
        text = f"{m['processor']}, {m['cores']} cores, {m['threads']} threads, torch {m['torch']}, Python {m['python']}"
        seen.setdefault(f"{text}; {measured['date']}", []).append(part)
    if len(seen) == 1:
        text = f"Measured on {next(iter(seen))}."
    else:
        text = "Measured on " + "; and on ".join(f"{where} ({', '.join(names)})" for where, names in seen.items()) + "."
    if all("took" in measured for measured in found.values()):
        minutes = sum(measured["took"] for measured in found.values()) / 60
        text += f" Measuring took {number(minutes)} minutes."
    if "speed" in found:
        versions = ", ".join(f"{name} {version}" for name, version in found["speed"]["versions"].items())
        text += f" Peers: {versions}."
    return text


def roofline(found: Results) -> str:
    """The peaks of this machine, 10⁹ operations a second."""
    if "roofline" not in found:
        return MISSING.format(part="roofline")
    peaks = found["roofline"]
    rows = [["matrix product", *(number(peaks["matrix"][p], 3) for p in ("float32", "bfloat16"))]]
    for channels in peaks["convolution_by_channels"]["float32"]:
        values = [number(peaks["convolution_by_channels"][p][channels], 3) for p in ("float32", "bfloat16")]
        rows.append([f"3×3 convolution, {channels} channels", *values])
    return table(["10⁹ operations a second", "float32", "bfloat16"], rows)


def share(found: Results, name: str) -> float:
    """The share of the best measured convolution of its precision that a contender's training step reaches."""
    row = found["speed"]["contenders"][name]
    peak: float = found["roofline"]["convolution"][row["precision"]]
    reached: float = row["operations"] / row["seconds"][1] / 1e9
    return reached / peak


def percent(value: float) -> str:
    """A share in per cent."""
    return f"{number(100 * value)} %"


def speed(found: Results) -> str:
    """Training speed of every contender."""
    if "speed" not in found:
        return MISSING.format(part="speed")
    measured = found["speed"]
    rows = []
    for name, row in measured["contenders"].items():
        cells = [name if "," in name else f"{name}, {row['precision']}", f"{row['parameters'] / 1e6:.2f} M"]
        cells += [spread(row["images_per_second"]), spread(row["times_slower"])]
        cells.append(number(row["operations"] / measured["batch"] / 1e6))
        cells.append(percent(share(found, name)) if "roofline" in found else "–")
        cells.append("–" if row["peak_bytes"] is None else f"{number(row['peak_bytes'] / 2**20)} MiB")
        rows.append(cells)
    head = [
        "",
        "parameters",
        "images/s (quartiles)",
        "times slower",
        "10⁶ operations an image",
        "of the peak",
        "memory",
    ]
    return table(head, rows)


def why(found: Results) -> str:
    """The peers' slowness as a product: how much more they compute, and how much slower they compute it."""
    if "speed" not in found:
        return MISSING.format(part="speed")
    rows = found["speed"]["contenders"]
    ours = rows[TITLE]
    lines = []
    for name in PEERS:
        work = rows[name]["operations"] / ours["operations"]
        slower = rows[name]["times_slower"][1]
        at_full_size = percent(rows[name]["full_size_share"])
        lines.append([name, number(work), number(slower / work), number(slower), at_full_size])
    head = ["beside this book", "times more operations an image", "times fewer operations a second", "times slower"]
    head.append("of its convolutions at 28 × 28")
    return table(head, lines)


def quality(found: Results) -> str:
    """The distance after each time, as a multiple of the floor."""
    names = [name for name in (TITLE, *PEERS) if quality_part(name) in found]
    if not names:
        return MISSING.format(part="quality")
    columns = {name: found[quality_part(name)]["rows"] for name in names}
    rows = []
    for k in range(max(len(column) for column in columns.values())):
        present = [column[k] for column in columns.values() if k < len(column)]
        cells = [f"{present[0]['limit']:g} s"]
        for column in columns.values():
            if k < len(column):
                row = column[k]
                cells.append(f"{by_judges(row)} (step {row['steps']:,})")
            else:
                cells.append("–")
        rows.append(cells)
    first = columns[names[0]][0]
    floors = ", ".join(
        f"{number(first[judge]['floor'])} ± {number(first[judge]['floor_std'], 1)} by the {judge}" for judge in JUDGES
    )
    note = f"Distances by the {' / '.join(JUDGES)}, as multiples of the floor, which is {floors} for "
    note += f"{first['images']:,} real images."
    how = {name: found[quality_part(name)]["settings"] for name in names}
    samplers = (f"{name} `{about['sampler']}`, {about['evaluations']} steps" for name, about in how.items())
    note += f" Samplers: {'; '.join(samplers)}."
    if TITLE in columns:
        many = [row["many"] for row in columns[TITLE]]
        values = ", ".join(by_judges(row) for row in many)
        note += f" The book's models with {many[0]['images']:,} images each, beside the floor of as many: {values}."
    return table(["training", *names], rows) + "\n\n" + note


def sampling(found: Results) -> str:
    """Seconds for 1,000 images and their distance."""
    if "sampling" not in found:
        return MISSING.format(part="sampling")
    measured = found["sampling"]
    rows = [
        [
            f"{TITLE}, `{measured['settings']['checkpoint']}`",
            str(row["steps"]),
            number(row["seconds_per_1000"]),
            *(number(row[judge]["times_floor"]) for judge in JUDGES),
            percent(row["illegible"]),
        ]
        for row in measured["ours"]
    ]
    for name, row in measured["theirs"].items():
        rows.append([name, f"{row['steps']:,}", f"{number(row['seconds_per_1000'])} (scaled)", "–", "–", "–"])
    head = ["", "steps", "seconds for 1,000 images", *(f"distance / floor, {judge}" for judge in JUDGES), "illegible"]
    images = f"{measured['ours'][0]['images']:,}"
    return table(head, rows) + f"\n\nDistances and illegible digits: one set of {images} images a row."


def scaling(found: Results) -> str:
    """Seconds a step against each quantity, with the fitted exponent."""
    if "scaling" not in found:
        return MISSING.format(part="scaling")
    measured = found["scaling"]
    rows = []
    for name in ("batch", "width", "resolution"):
        curve = measured[name]
        exponent, error, _ = curve["law"]
        values = ", ".join(f"{x}: {number(1000 * s)}" for x, s in curve["seconds"].items())
        rows.append([name, values, f"{exponent:.2f} ± {error:.2f}"])
    processes = measured["processes"]
    values = ", ".join(f"{x}: {number(1000 * s)}" for x, s in processes.items())
    first, last = (float(processes[n]) for n in (min(processes), max(processes)))
    rows.append(["processes of one thread", values, f"{number(first / last)} times faster"])
    return table(["", "milliseconds a step", "exponent"], rows)


SECTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "headline": headline,
    "machine": machine,
    "roofline": roofline,
    "speed": speed,
    "why": why,
    "quality": quality,
    "sampling": sampling,
    "scaling": scaling,
}
"""What stands between the marks of the page, by name."""
