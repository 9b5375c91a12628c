"""What every notebook of the book must keep to: one function a rule, which yields what is wrong.

nbval runs each cell again and compares text, printed output, HTML, LaTeX, SVG and GIF with what is stored. So nothing
that may vary may stand there. The other rules keep the chapters readable everywhere and alike.
"""

from __future__ import annotations

import ast
import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from diffusion_teach import claims
from tools import stamp

PICTURES = ("image/png", "image/jpeg")
COLUMNS = 88  # what the page holds
SUMMARIES = ("Hint", "Solution", "Proof")
SECTIONS = ("What we claimed", "Exercises", "Go deeper")
HEAD = {  # as a table or as a list
    "minutes to read": r"^[|-] \*\*(Minutes to read|Reading:)\*\*[ |]+(about )?\d+",
    "seconds to run": r"^[|-] \*\*(Seconds to run|Running:)\*\*[ |]+(about )?\d+",
    "what it needs": r"^[|-] \*\*(You need|Needs:)\*\*[ |]+\w",
    "what one can do afterwards": r"^[|-] \*\*Afterwards you can:?\*\*[ |]+\w",
}


@dataclass(frozen=True)
class Notebook:
    """A notebook as it is stored."""

    path: Path
    content: dict[str, Any]
    size: int

    @classmethod
    def read(cls, path: Path) -> Notebook:
        """Read a notebook's file."""
        data = path.read_bytes()
        return cls(path, json.loads(data), len(data))

    def cells(self, kind: str) -> Iterator[tuple[str, dict[str, Any], str]]:
        """(where it stands, the cell, its source) of every cell of a kind: "code" or "markdown"."""
        for number, cell in enumerate(self.content["cells"]):
            if cell["cell_type"] == kind:
                yield f"cell {number}", cell, "".join(cell["source"])

    def outputs(self, *, compared: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
        """(where it stands, the output) of every output, or of those that nbval compares."""
        for where, cell, _ in self.cells("code"):
            if not (compared and "nbval-ignore-output" in tags(cell)):
                for output in cell["outputs"]:
                    yield where, output


def tags(cell: dict[str, Any]) -> list[str]:
    """A cell's tags."""
    return list(cell["metadata"].get("tags", []))


def text_of(output: dict[str, Any]) -> str:
    """What an output says as plain text."""
    return "".join(output.get("text", output.get("data", {}).get("text/plain", "")))


def note_of(output: dict[str, Any]) -> dict[str, Any]:
    """What the library noted in an output's metadata."""
    return dict(output.get("metadata", {}).get("diffusion_teach", {}))


def is_valid(notebook: Notebook) -> Iterator[str]:
    """The file follows the notebook format, with an id for each cell."""
    ids = [cell.get("id") for cell in notebook.content["cells"]]
    if None in ids or len(set(ids)) != len(ids):
        yield "cell ids are missing or repeated"
        return
    try:
        nbformat.validate(nbformat.from_dict(notebook.content))
    except nbformat.ValidationError as error:
        yield f"is not a valid notebook: {str(error).splitlines()[0]}"


def is_executed_in_order(notebook: Notebook) -> Iterator[str]:
    """Counts run from 1 to n: a cell without a count is never compared."""
    counts = [cell["execution_count"] for _, cell, _ in notebook.cells("code")]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are {counts}: run the notebook from the top in a fresh kernel"


def has_no_errors(notebook: Notebook) -> Iterator[str]:
    """No cell failed or warned."""
    for where, output in notebook.outputs():
        if output["output_type"] == "error":
            yield f"{where} ends with {output.get('ename')}"
        if output.get("name") == "stderr":
            yield f"{where} writes to stderr: {text_of(output)[:80]!r}"


def shows_only_text_and_pictures(notebook: Notebook) -> Iterator[str]:
    """PNG or JPEG for pictures, plain text for the rest: HTML, SVG, GIF and LaTeX are compared and vary."""
    for where, output in notebook.outputs():
        for kind in output.get("data", {}):
            if kind not in (*PICTURES, "text/plain"):
                yield f"{where} shows {kind}"


def shows_nothing_that_varies(notebook: Notebook) -> Iterator[str]:
    """No addresses, progress bars or measured numbers where nbval compares."""
    for where, output in notebook.outputs(compared=True):
        text = text_of(output)
        if re.search(r"\bat 0x[0-9a-fA-F]+", text):
            yield f"{where} shows an object's address: {text[:80]!r}"
        if re.search(r"\d%\||\bit/s\b|\bs/it\b|\r|\x1b", text):
            yield f"{where} shows a progress bar: {text[:80]!r}"
        for claim in claims.TABLE.values():
            text = text.replace(claim.line, "")  # its numbers are its bounds and stay
        if re.search(r"\d\.\d\d|\de[-+]?\d", text):
            yield f"{where} shows a number that may vary: {text[:80]!r}"


def keeps_to_its_claims(notebook: Notebook) -> Iterator[str]:
    """Each claim of the chapter is measured once, shows its line, and stands where it is compared."""
    chapter = notebook.path.stem
    expected = [claim.id for claim in claims.TABLE.values() if claim.chapter == chapter]
    shown = []
    for where, output in notebook.outputs():
        claim_id = note_of(output).get("claim")
        if claim_id is None:
            continue
        shown.append(claim_id)
        claim = claims.TABLE.get(claim_id)
        if claim is None or text_of(output) != claim.line:
            yield f"{where} shows {text_of(output)!r}, which is not the line of {claim_id} in the table"
        elif claim.failures(note_of(output)["measured"]):
            yield f"{where} stores figures with which {claim_id} does not hold"
    for where, cell, source in notebook.cells("code"):
        if "claims.check(" in source and "nbval-ignore-output" in tags(cell):
            yield f"{where} checks a claim where nothing is compared"
    if sorted(shown) != sorted(expected):
        yield f"shows the claims {sorted(shown)}, and the table has {sorted(expected)}"
    if len(expected) < 4:
        yield f"has {len(expected)} claims, a chapter has at least 4"


def is_small(notebook: Notebook) -> Iterator[str]:
    """At most 500 KB, or 1 MB with an animation."""
    pictures = (
        base64.b64decode("".join(output.get("data", {}).get("image/png", ""))) for _, output in notebook.outputs()
    )
    animated = any(b"acTL" in picture[:200] for picture in pictures)  # the chunk that makes a PNG an animation
    limit = 1_000_000 if animated else 500_000
    if notebook.size > limit:
        yield f"is {notebook.size / 1000:.0f} KB, at most {limit / 1000:.0f} KB"


def has_short_cells(notebook: Notebook) -> Iterator[str]:
    """A code cell is a thought: at most 25 lines."""
    for where, _, source in notebook.cells("code"):
        if len(source.splitlines()) > 25:
            yield f"{where} has {len(source.splitlines())} lines of code"


def fits_the_page(notebook: Notebook) -> Iterator[str]:
    """Code is at most as wide as the page's column, and what it prints, the library's source, is too.

    The lines of claims and exercises are prose, which the page wraps.
    """
    for where, cell, source in notebook.cells("code"):
        printed = (text_of(output) for output in cell["outputs"] if output["output_type"] == "stream")
        for line in "\n".join([source, *printed]).splitlines():
            if len(line) > COLUMNS and not line.startswith(("✓", "○")):
                yield f"{where} has a line of {len(line)} columns, at most {COLUMNS}: {line.strip()[:60]!r}"


def folds_what_only_plots(notebook: Notebook) -> Iterator[str]:
    """A cell that shows a picture, checks no claim and makes nothing that a later cell needs is tagged `hide-input`."""
    cells = [(where, cell, source, Names(source)) for where, cell, source in notebook.cells("code")]
    for number, (where, cell, source, names) in enumerate(cells):
        needed = set().union(*(later.read for *_, later in cells[number + 1 :]))
        plots_only = "plots.show" in source and "claims.check(" not in source and not names.made & needed
        if plots_only and "hide-input" not in tags(cell):
            yield f"{where} only plots: tag it `hide-input`"


def can_run_any_cell_again(notebook: Notebook) -> Iterator[str]:
    """No global that a cell or a function reads is bound again, there or further down."""
    read: dict[str, str] = {}  # by name, the first cell that reads it
    bound: set[str] = set()
    imported: set[str] = set()
    for where, _, source in notebook.cells("code"):
        names = Names(source)
        for name in names.read:
            read.setdefault(name, where)
        again = names.bound & (bound | imported) | names.imported & bound
        for name in sorted(again & set(read)):
            yield f"{where} binds {name!r} again, which {read[name]} reads"
        bound |= names.bound
        imported |= names.imported


class Names(ast.NodeVisitor):
    """The globals of a cell: `bound`, what it binds; `read`, what it or a function in it takes from outside.

    `imported` stands apart: an import may be repeated, since it binds the same thing each time.
    """

    def __init__(self, source: str) -> None:
        self.bound: set[str] = set()
        self.imported: set[str] = set()
        self.read: set[str] = set()
        code = "\n".join(re.sub(r"^(\s*)%.*", r"\1pass", line) for line in source.splitlines())
        self.visit(ast.parse(code))

    @property
    def made(self) -> set[str]:
        """Whatever a later cell may need."""
        return self.bound | self.imported

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        """The names by which the cell calls what it imports."""
        self.imported |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_Name(self, node: ast.Name) -> None:
        """A load before any binding comes from outside."""
        if not isinstance(node.ctx, ast.Load):
            self.bound.add(node.id)
        elif node.id not in self.made:
            self.read.add(node.id)

    def visit_Assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> None:
        """The value is read before the target is bound; `+=` reads the target, too."""
        if node.value is not None:
            self.visit(node.value)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self.visit_Name(ast.Name(node.target.id, ast.Load()))
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            self.visit(target)

    visit_AnnAssign = visit_AugAssign = visit_Assign  # noqa: N815

    def visit_For(self, node: ast.For) -> None:
        """What is walked through is read before the target is bound."""
        for part in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(part)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.ClassDef | ast.Lambda | ast.expr) -> None:
        """A scope of its own, which may be run at any later time: it reads whatever it does not bind itself."""
        self.read |= free_names(node)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            self.bound.add(node.name)

    visit_ClassDef = visit_Lambda = visit_FunctionDef  # noqa: N815

    def visit_ListComp(self, node: ast.expr) -> None:
        """A scope of its own, which is run at once."""
        self.read |= free_names(node) - self.made

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp  # noqa: N815


def free_names(scope: ast.AST) -> set[str]:
    """The names that a function, a class or a comprehension takes from around it."""
    nodes = list(ast.walk(scope))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    local = {name.id for name in names if not isinstance(name.ctx, ast.Load)}
    local |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    local |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef) and node is not scope}
    return {name.id for name in names} - local


def is_stamped(notebook: Notebook) -> Iterator[str]:
    """The Colab badge under the title and the install cell are those of tools/stamp.py."""
    url, branch = stamp.repository()
    first = next(source for _, _, source in notebook.cells("markdown"))
    if stamp.badge(notebook.path.name, url, branch) not in first.splitlines():
        yield "has no Colab badge under its title: python tools/stamp.py writes it where one stands"
    cell, source = next((cell, source) for _, cell, source in notebook.cells("code"))
    if "install" not in tags(cell) or source != stamp.INSTALL.format(url=url):
        yield "its first code cell is not the install cell: tag it `install` and run python tools/stamp.py"
    elif cell["outputs"]:
        yield "its install cell has outputs"


def has_a_head(notebook: Notebook) -> Iterator[str]:
    """The first cell has the title and says how long it takes, what it needs and what one gains."""
    first = next(source for _, _, source in notebook.cells("markdown"))
    if not first.startswith("# "):
        yield "does not begin with its title"
    for what, pattern in HEAD.items():
        if not re.search(pattern, first, re.MULTILINE):
            yield f"does not say {what} at its head, as in {pattern}"


def has_its_sections(notebook: Notebook) -> Iterator[str]:
    """One title, the three sections that every chapter has, and two to five exercises."""
    lines = [line for _, _, source in notebook.cells("markdown") for line in without_code(source).splitlines()]
    if sum(line.startswith("# ") for line in lines) != 1:
        yield "has not exactly one title"
    for section in SECTIONS:
        if f"## {section}" not in lines:
            yield f"has no section {section!r}"
    exercises = sum("exercises.check(" in source for _, _, source in notebook.cells("code"))
    if not 2 <= exercises <= 5:
        yield f"has {exercises} exercises, a chapter has 2 to 5"


def folds_so_that_it_works_everywhere(notebook: Notebook) -> Iterator[str]:
    """A folding is <details>, its summary one plain word, empty lines around the Markdown, no heading inside."""
    good = re.compile(r"<details>\n<summary>(\w+)</summary>\n\n(.*?)\n\n</details>", re.DOTALL)
    for where, _, source in notebook.cells("markdown"):
        matches = list(good.finditer(source))
        if not len(matches) == source.count("<details") == source.count("</details>"):
            yield f"{where} folds in another form than <details>, <summary>, empty line, Markdown, empty line"
        for match in matches:
            if match[1] not in SUMMARIES:
                yield f"{where} folds under {match[1]!r}, not one of {', '.join(SUMMARIES)}"
            if re.search(r"^#+ ", without_code(match[2]), re.MULTILINE):
                yield f"{where} has a heading inside a folding"


def describes_its_pictures(notebook: Notebook) -> Iterator[str]:
    """Each picture has an alternative text of some words."""
    for where, output in notebook.outputs():
        if any(kind in PICTURES for kind in output.get("data", {})) and len(note_of(output).get("alt", "").split()) < 4:
            yield f"{where} shows a picture without an alternative text: use plots.show(figure, alt=…)"


def without_code(source: str) -> str:
    """Markdown without its code and its formulas."""
    source = re.sub(r"^```.*?^```", "", source, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"\$\$.*?\$\$|\$[^$\n]*\$|`[^`\n]*`", "", source, flags=re.DOTALL)


def is_plain_markdown(notebook: Notebook) -> Iterator[str]:
    """No MyST and no HTML but foldings: a cell must read well in JupyterLab, Colab and on GitHub too."""
    for where, _, source in notebook.cells("markdown"):
        prose = without_code(source)
        if re.search(r"^:::|^```\{", source, re.MULTILINE) or re.search(r"\{\w+(:\w+)?\}$", prose, re.MULTILINE):
            yield f"{where} uses MyST"
        tag = re.search(r"</?(?!details\b|summary\b)[a-z][a-z0-9]*\b[^>\n]*>", prose)
        if tag:
            yield f"{where} uses HTML: {tag[0]}"
        for line in source.splitlines():
            if line.startswith("|") and any(part.count("$") % 2 for part in re.split(r"(?<!\\)\|", line)):
                yield rf"{where} has | inside a formula in a table; write \mid or \Vert"


def points_to_what_exists(notebook: Notebook) -> Iterator[str]:
    """Relative links lead to files of the repository, and nothing names a machine's folders."""
    for where, _, source in notebook.cells("markdown"):
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", source):
            if not (notebook.path.parent / target).exists():
                yield f"{where} links to {target}, which does not exist"
    texts = ["".join(cell["source"]) for cell in notebook.content["cells"]]
    texts += [text_of(output) for _, output in notebook.outputs()]
    for text in texts:
        machine = re.search(r"(?<![\w.:/])(/(home|root|tmp|Users|work|mnt|usr)/|[A-Z]:\\)\S*", text)
        if machine:
            yield f"names a folder of somebody's machine: {machine[0]!r}"


RULES: tuple[Callable[[Notebook], Iterator[str]], ...] = (
    is_valid,
    is_executed_in_order,
    has_no_errors,
    shows_only_text_and_pictures,
    shows_nothing_that_varies,
    keeps_to_its_claims,
    is_small,
    has_short_cells,
    fits_the_page,
    folds_what_only_plots,
    can_run_any_cell_again,
    is_stamped,
    has_a_head,
    has_its_sections,
    folds_so_that_it_works_everywhere,
    describes_its_pictures,
    is_plain_markdown,
    points_to_what_exists,
)
