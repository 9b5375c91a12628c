"""Write the repository's address, which stands in _config.yml only, wherever else it must be spelt out.

python tools/stamp.py            write it into README.md, CITATION.cff and the notebooks' badges and install cells
python tools/stamp.py --check    only say what differs; the exit status is 1 if anything does
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
COLAB = "https://colab.research.google.com/github"
TEXTS = ("README.md", "CITATION.cff", "CONTRIBUTING.md", "CHANGELOG.md")

# In these texts every address on that host is the repository's own.
REPOSITORY = re.compile(r"https://github\.com/[\w-]+/[\w-]+")
LAUNCH = re.compile(r"https://colab\.research\.google\.com/github/[\w.-]+/[\w.-]+/blob/[\w.-]+/")
BADGE = re.compile(r"^\[!\[Open in Colab\]\([^)]*\)\]\([^)]*\)$", re.MULTILINE)

INSTALL = """\
# In Colab this installs the book's library. At home `make lab` has done so already.
import sys
from importlib.util import find_spec

LIBRARY = "git+{url}"
if find_spec("diffusion_teach") is None:
    if "google.colab" not in sys.modules:
        raise ModuleNotFoundError(f"diffusion_teach is missing: pip install {{LIBRARY}}")
    %pip install --quiet {{LIBRARY}}

import diffusion_teach  # noqa: F401  before torch: its threads shall not spin for long"""


def repository(root: Path = ROOT) -> tuple[str, str]:
    """The repository's address and branch, from _config.yml."""
    settings = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]
    return settings["url"].rstrip("/"), settings["branch"]


def launch(url: str, branch: str) -> str:
    """Where Colab opens the repository's files: an address that a file's path follows."""
    return f"{COLAB}/{url.removeprefix('https://github.com/')}/blob/{branch}/"


def badge(name: str, url: str, branch: str) -> str:
    """The line under a notebook's title; the picture is the book's own, so that nothing is loaded from elsewhere."""
    return f"[![Open in Colab](../book/assets/colab.svg)]({launch(url, branch)}notebooks/{name})"


def stamp_text(text: str, url: str, branch: str) -> str:
    """A text file with the address of _config.yml."""
    return LAUNCH.sub(launch(url, branch), REPOSITORY.sub(url, text))


def stamp_notebook(text: str, name: str, url: str, branch: str) -> str:
    """A notebook, as JSON text, with its badge and its install cell: the cell tagged `install`. Outputs stay.

    So do the digits of its numbers: JupyterLab writes 1e-6 where Python writes 1e-06.
    """
    notebook = json.loads(text, parse_float=lambda digits: f"\0{digits}")
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            replace_source(cell, BADGE.sub(badge(name, url, branch), source))
        elif "install" in cell["metadata"].get("tags", []):
            replace_source(cell, INSTALL.format(url=url))
    stamped = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    return re.sub(r'"\\u0000([^"]+)"', r"\1", stamped)


def replace_source(cell: dict[str, Any], source: str) -> None:
    """Set a cell's source in the form in which it is stored: a list of lines."""
    if "".join(cell["source"]) != source:
        cell["source"] = source.splitlines(keepends=True)


def outdated(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Every file that does not carry the address yet, with what it should hold."""
    url, branch = repository(root)
    for name in TEXTS:
        path = root / name
        text = path.read_text(encoding="utf-8")
        stamped = stamp_text(text, url, branch)
        if stamped != text:
            yield path, stamped
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        text = path.read_text(encoding="utf-8")
        stamped = stamp_notebook(text, path.name, url, branch)
        if json.loads(stamped) != json.loads(text):
            yield path, stamped


def main() -> int:
    """Stamp, or check; the exit status."""
    parser = argparse.ArgumentParser(description="Write the repository's address of _config.yml where it is needed.")
    parser.add_argument("--check", action="store_true", help="write nothing, only say what differs")
    check = parser.parse_args().check
    found = list(outdated())
    for path, stamped in found:
        print(f"{'differs' if check else 'stamped'}: {path.relative_to(ROOT)}")
        if not check:
            path.write_text(stamped, encoding="utf-8", newline="\n")
    return int(check and bool(found))


if __name__ == "__main__":
    sys.exit(main())
