"""The project hangs together: contents, pins, links, address, workflows, and nothing of anybody's machine."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
import types
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import diffusion_teach
from diffusion_teach import claims
from tools import stamp

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pins(name: str = "requirements.txt") -> dict[str, Requirement]:
    lines = [line.split("#")[0].strip() for line in read(name).splitlines()]
    return {Requirement(line).name: Requirement(line) for line in lines if line and not line.startswith("-")}


def contents() -> list[str]:
    toc: dict[str, Any] = yaml.safe_load(read("_toc.yml"))
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


def test_the_contents_list_every_notebook_and_page_once() -> None:
    pages = {path.stem for path in (ROOT / "book").glob("*.md")}
    assert sorted(contents()) == sorted(pages | {f"notebooks/{name}" for name in CHAPTERS})


@pytest.mark.parametrize("name", ["book/index.md", "book/teaching.md", "README.md"])
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_is_announced(name: str, chapter: str) -> None:
    assert f"notebooks/{chapter}.ipynb" in read(name)


WORDS_A_MINUTE = 150  # of text with formulas; code and exercises' running time are not counted


def minutes_to_read(notebook: str) -> float:
    """The words of the text, a formula being one, at 150 a minute; without code, badges and addresses."""
    cells = json.loads(notebook)["cells"]
    text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    text = re.sub(r"```.*?```", " ", text, flags=re.DOTALL)
    text = re.sub(r"\$\$.+?\$\$|\$[^$]+\$", " formula ", text, flags=re.DOTALL)  # before the tags: it may hold a <
    text = re.sub(r"\[!\[.*?\]\(.*?\)\]\(.*?\)|(?<=\])\([^)]*\)|<[^>]+>", " ", text)
    return len(re.findall(r"\w+(?:[’'-]\w+)*", text)) / WORDS_A_MINUTE


def test_a_formula_is_a_word_and_code_is_none() -> None:
    text = "# A head\n\n[![badge](b.svg)](there) See [this page](x.md), $x < 1$ and $x > 0$:\n\n$$y\n= 2$$\n\n"
    text += "```python\nx = 1\n```"
    cells = [{"cell_type": "markdown", "source": [text]}, {"cell_type": "code", "source": ["x = 1"]}]
    assert minutes_to_read(json.dumps({"cells": cells})) * WORDS_A_MINUTE == pytest.approx(9)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_minutes_stated_are_those_that_the_words_take(chapter: str) -> None:
    notebook = read(f"notebooks/{chapter}.ipynb")
    head = re.search(
        r"\*\*(?:Reading:|Minutes to read)\*\*[ |]+(?:about )?(\d+)",
        "".join(json.loads(notebook)["cells"][0]["source"]),
    )
    page = re.search(rf"notebooks/{chapter}\.ipynb\) \| (\d+) \|", read("book/teaching.md"))
    assert head
    assert page
    minutes = minutes_to_read(notebook)
    right = f"its words take {minutes:.0f}: write {5 * round(minutes / 5)} into its head and into book/teaching.md"
    assert abs(int(page[1]) - minutes) <= 4, f"teachers are told {page[1]} minutes; {right}"
    assert head[1] == page[1], f"the head says {head[1]} minutes; {right}"


def test_every_claim_belongs_to_a_chapter_and_cites_the_bibliography() -> None:
    keys = re.findall(r"^@\w+\{(\w+),", read("book/references.bib"), re.MULTILINE)
    assert len(keys) == len(set(keys))
    for claim in claims.TABLE.values():
        assert claim.chapter in CHAPTERS
        assert claim.source in ("", *keys)


@pytest.mark.parametrize(("link", "target"), [("_config.yml", "."), ("_toc.yml", "."), ("notebooks", ".")])
def test_the_book_links_to_the_top(link: str, target: str) -> None:
    path = ROOT / "book" / link
    assert path.is_symlink()
    assert path.readlink().as_posix() == f"../{link}"


def test_the_address_is_stamped_everywhere() -> None:
    assert [path.name for path, _ in stamp.outdated()] == []


def test_a_moved_repository_is_stamped_into_texts() -> None:
    url, branch = stamp.repository()
    text = f"clone {url}, then open {stamp.launch(url, branch)}notebooks/x.ipynb and {url}.git"
    moved = stamp.stamp_text(text, "https://github.com/someone/else", "trunk")
    assert moved == (
        "clone https://github.com/someone/else, then open "
        "https://colab.research.google.com/github/someone/else/blob/trunk/notebooks/x.ipynb "
        "and https://github.com/someone/else.git"
    )
    assert stamp.stamp_text(moved, url, branch) == text


@pytest.mark.parametrize("colab", [False, True])
def test_without_the_library_the_first_cell_says_or_does_what_is_needed(
    monkeypatch: pytest.MonkeyPatch, colab: bool
) -> None:
    url, _ = stamp.repository()
    ran: list[str] = []
    shell = types.SimpleNamespace(run_line_magic=lambda name, line: ran.append(f"{name} {line}"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    if colab:
        monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    source = TransformerManager().transform_cell(stamp.INSTALL.format(url=url))
    namespace = {"get_ipython": lambda: shell}
    if colab:
        exec(source, namespace)
        assert ran == ["pip install --quiet {LIBRARY}"]  # IPython fills in the variable
    else:
        with pytest.raises(ModuleNotFoundError, match=re.escape(f"pip install git+{url}")):
            exec(source, namespace)


def test_everything_is_pinned_within_the_tested_ranges() -> None:
    pinned = pins()
    for requirement in pinned.values():
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement
    for line in PROJECT["dependencies"]:
        wanted = Requirement(line)
        version = str(pinned[wanted.name].specifier).removeprefix("==")
        assert wanted.specifier.contains(version), f"{wanted} does not admit the pinned {version}"


def test_what_the_pinned_packages_need_is_pinned_too() -> None:
    pinned = {canonicalize_name(name) for name in pins()}
    for name in pinned:
        try:
            needed = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # of another platform
            continue
        for requirement in map(Requirement, needed):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                of_cuda = name == "torch" and re.match("cuda|nvidia|triton", requirement.name)
                assert canonicalize_name(requirement.name) in pinned or of_cuda, f"{name} needs {requirement}"


def test_what_exports_the_pages_network_is_pinned_and_replaces_nothing() -> None:
    theirs = pins("tools/page_model/requirements.txt")
    assert all(str(one.specifier).startswith("==") for one in theirs.values())
    assert not set(theirs) & set(pins())


def test_the_library_imports_only_what_it_depends_on() -> None:
    named = {Requirement(line).name for line in PROJECT["dependencies"]}
    modules = {"IPython": "ipython", "PIL": "pillow", "cycler": "matplotlib"}
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [str(node.module)]
            for top in {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"diffusion_teach"}:
                assert modules.get(top, top) in named, f"{path.name} imports {top}"


def test_the_version_is_in_the_changelog_and_the_citation() -> None:
    version = diffusion_teach.__version__
    assert Version(version).release
    assert f"## {version}" in read("CHANGELOG.md")
    assert yaml.safe_load(read("CITATION.cff"))["version"] == version


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [("vendor.github-workflows", ".github/workflows/*.yml"), ("vendor.dependabot", ".github/dependabot.yml")],
)
def test_the_hosts_files_follow_their_schema(schema: str, pattern: str) -> None:
    files = sorted(str(path) for path in ROOT.glob(pattern))
    assert files
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *files]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_texts_are_read_and_written_in_one_encoding_on_every_machine() -> None:
    careless = re.compile(r"\.(read|write)_text\((?!.*encoding=)")
    for folder in ("src", "tests", "tools", "benchmarks", "book/_ext"):
        for path in (ROOT / folder).rglob("*.py"):
            if path != Path(__file__).resolve():
                for line in path.read_text(encoding="utf-8").splitlines():
                    assert careless.search(line) is None, f"{path.name}: {line}"


def test_nothing_names_a_machine_or_an_index() -> None:
    private = re.compile(r"(?<![\w.:/~])/(home|root|Users|work|opt)/\w|[A-Z]:\\Users|\bpypi\b|whl/cpu", re.IGNORECASE)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.suffix in {".py", ".md", ".yml", ".toml", ".txt", ".cff", ".json", ".bib", ""} and path.is_file():
            text = path.read_text(encoding="utf-8")
            if path != Path(__file__).resolve():
                assert private.search(text) is None, f"{name}: {private.search(text)}"
