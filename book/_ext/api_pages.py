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
    "generate",
    "objectives",
    "physics",
    "divergences",
    "training",
    "papers",
    "networks",
    "datasets",
    "metrics",
    "plots",
    "claims",
    "exercises",
    "checkpoints",
    "recipes",
    "studies",
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
    """Plain text with `code` in backticks, indented formulas and Markdown tables, as reStructuredText."""
    result: list[str] = []
    in_section = in_literal = False
    indent = 0  # of the running text: 0, or 2 in a list
    for line in lines:
        if not line.strip():
            result.append(line)
            continue
        depth = len(line) - len(line.lstrip())
        if depth == 0:
            in_section, indent = bool(SECTION.match(line)), 2 if line.startswith("- ") else 0
        literal = not in_section and (depth >= indent + 4 or line.startswith("|"))
        if literal and not in_literal:
            result += ["", " " * indent + "::", ""]
        elif in_literal and not literal:
            result.append("")
        # Within a literal block one indentation more than its "::", so that a table at the margin is inside too.
        result.append("    " + line if literal else _escape(line))
        in_literal = literal
    return result


def _escape(line: str) -> str:
    parts = line.split("`")
    if len(parts) % 2 == 0:  # an odd backtick: leave it as it stands
        return _escape_text(line)
    return "".join(f"``{part}``" if i % 2 else _escape_text(part) for i, part in enumerate(parts))


def _escape_text(text: str) -> str:
    text = re.sub(r"([\\*|])", r"\\\1", text)
    return re.sub(r"_(?!\w)", r"\\_", text)
