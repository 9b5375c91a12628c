"""The API reference: one section a public module, and docstrings as valid reStructuredText."""

from __future__ import annotations

import importlib
import pkgutil
import re

import diffusion_teach

PLACE = "<!-- the reference -->"

# In the order in which one meets them; what is not named follows by name.
ORDER = [
    "schedules",
    "parameterizations",
    "exact",
    "denoisers",
    "samplers",
    "score_matching",
    "likelihood",
    "training",
    "adversarial",
    "papers",
    "networks",
    "datasets",
    "metrics",
    "plots",
    "claims",
    "exercises",
    "checkpoints",
    "recipes",
]

SECTION = re.compile(r"(Args|Attributes|Example|Examples|Note|Raises|Returns|Yields):$")


def module_names() -> list[str]:
    """Every public module of the library; the chapters' tables of claims and solutions are data and left out."""
    names = [
        module.name.removeprefix("diffusion_teach.")
        for module in pkgutil.walk_packages(diffusion_teach.__path__, "diffusion_teach.")
    ]
    public = [name for name in names if not re.search(r"(^|\.)(_|chapter_)", name)]
    known = {name: place for place, name in enumerate(ORDER)}
    return sorted(public, key=lambda name: (known.get(name.split(".")[0], len(ORDER)), name))


def markdown() -> str:
    """The sections of the page, in MyST Markdown."""
    return "\n".join(_section(name) for name in module_names())


def _section(name: str) -> str:
    module = importlib.import_module(f"diffusion_teach.{name}")
    # A package's own names only: what it passes on from its modules is documented there.
    options = "   :members:\n" + ("   :ignore-module-all:\n" if hasattr(module, "__path__") else "")
    level = "###" if "." in name else "##"
    return f"{level} {name}\n\n```{{eval-rst}}\n.. automodule:: diffusion_teach.{name}\n{options}```\n"


def to_restructured_text(lines: list[str]) -> list[str]:
    """Plain text with `code` in single backticks and indented formulas, as reStructuredText."""
    result: list[str] = []
    in_section = in_formula = False
    for line in lines:
        indented = line.startswith("    ")
        if line.strip() and not indented:
            in_section, in_formula = bool(SECTION.match(line)), False
        starts_block = indented and not in_section and not in_formula and bool(result) and not result[-1].strip()
        if starts_block:
            result += ["::", ""]
            in_formula = True
        result.append(line if in_formula else _escape(line))
    return result


def _escape(line: str) -> str:
    parts = line.split("`")
    if len(parts) % 2 == 0:  # an odd backtick: leave it as it stands
        return _escape_text(line)
    return "".join(f"``{part}``" if i % 2 else _escape_text(part) for i, part in enumerate(parts))


def _escape_text(text: str) -> str:
    text = re.sub(r"([\\*|])", r"\\\1", text)
    return re.sub(r"_(?!\w)", r"\\_", text)
