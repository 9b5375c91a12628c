"""The API reference: a page a module or package, made at each build, and docstrings as valid reStructuredText."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from itertools import groupby
from pathlib import Path

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
    "papers",
    "networks",
    "datasets",
    "training",
    "recipes",
    "checkpoints",
    "metrics",
    "plots",
    "studies",
    "claims",
    "exercises",
    "cli",
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


def pages() -> dict[str, list[str]]:
    """The pages of the reference, by the module or package that each is about: its modules, itself the first."""
    return {name: list(modules) for name, modules in groupby(module_names(), lambda name: name.split(".")[0])}


def markdown() -> str:
    """The list of the pages, in MyST Markdown."""
    lines = ["| Module | What it is |", "|---|---|"]
    for name in pages():
        said = inspect.getdoc(importlib.import_module(f"diffusion_teach.{name}")) or ""
        summary = " ".join(said.split("\n\n")[0].split()).replace("|", "\\|")
        lines.append(f"| [{name}](api/{name}.md) | {summary} |")
    return "\n".join(lines)


def write(source: Path) -> list[str]:
    """Write the pages into the folder `api` of the book's sources; gives their names, in their order."""
    folder, found = source / "api", pages()
    folder.mkdir(exist_ok=True)
    for stale in {path.stem for path in folder.glob("*.md")} - set(found):
        (folder / f"{stale}.md").unlink()
    for name, modules in found.items():
        path, text = folder / f"{name}.md", "\n".join(map(_section, modules))
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    return [f"api/{name}" for name in found]


def _section(name: str) -> str:
    module = importlib.import_module(f"diffusion_teach.{name}")
    # Without values: that of a table fills many screens. Of a package its own names only: what it passes on from its
    # modules is documented there.
    options = "   :members:\n   :no-value:\n" + ("   :ignore-module-all:\n" if hasattr(module, "__path__") else "")
    level = "##" if "." in name else "#"
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
