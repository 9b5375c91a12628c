"""Mutants drawn by a seed: one operator, one constant or one call of the core changed.

What is changed is found in the syntax tree, and never in docstrings, messages of errors, annotations or decorators:

    + and −,  * and /,  < and <=,  > and >=,  == and !=,  min and max,  mean and sum
    a whole number n to n + 1,  another number to its double (0 to 1),  a default True or False to the other
    an axis to the first one, and the first one to the last
    sqrt, square and abs left out

The draw is stable: a mutant's rank is a hash of the seed and of its line, so that a change of the source elsewhere, or
above, draws the same again.
"""

from __future__ import annotations

import ast
import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.mutants.project import Mutant, Project

CORE = (
    "schedules/[a-z]*.py",
    "parameterizations.py",
    "exact/[a-z]*.py",
    "objectives/[a-z]*.py",
    "physics/[a-z]*.py",
    "denoisers/[a-z]*.py",
    "samplers/[a-z]*.py",
    "training/ema.py",
    "training/loop.py",
    "training/gan.py",
    "training/optimizers.py",
    "metrics/frechet.py",
    "metrics/precision_recall.py",
    "metrics/density_coverage.py",
    "metrics/modes.py",
    "metrics/transport.py",
    "metrics/neighbours.py",
    "networks/mlp.py",
    "papers/[a-z]*.py",
)
"""The modules that mutants are drawn from, as patterns below the package's folder."""

EXPLAINED = Path(__file__).parent / "explained.toml"

OPERATORS = {ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*")}
COMPARISONS = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
}
SWAPPED = {"mean": "sum", "sum": "mean", "min": "max", "max": "min"}
AXIS = ("sum", "mean", "var", "std", "cumsum", "cumprod", "diff", "softmax", "logsumexp", "any", "all", "norm", "chunk")
"""What is told its axis by a number; others by the keyword `dim`."""
DROPPED = ("sqrt", "square", "abs")


@dataclass(frozen=True)
class Change:
    """One change of one line. The lines' texts are its name: they stay when its number moves.

    Args:
        file: the module, below the package's folder.
        inside: the function or class that the line stands in, dotted; "" at the top.
        line: the line as it is, without its indentation.
        becomes: the line with the change.
    """

    file: str
    inside: str
    line: str
    becomes: str


@dataclass(frozen=True)
class Drawn(Mutant):
    """A mutant with the change that it is."""

    change: Change


def core(project: Project) -> list[str]:
    """The files of the core, below the package's folder."""
    paths = {path for pattern in CORE for path in project.folder.glob(pattern)}
    return sorted(path.relative_to(project.folder).as_posix() for path in paths)


def draw(project: Project, *, seed: int, count: int) -> list[Drawn]:
    """The first `count` mutants of the core in the order of a seed."""

    def rank(mutant: Drawn) -> str:
        return hashlib.sha256(f"{seed} {mutant.change}".encode()).hexdigest()

    found = {mutant.change: mutant for file in core(project) for mutant in candidates(file, project.read(file))}
    return sorted(found.values(), key=rank)[:count]


def explanations(path: Path = EXPLAINED) -> dict[Change, str]:
    """Why mutants survive: a line each, by the change."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("survivor", [])
    return {Change(*(entry[key] for key in ("file", "inside", "line", "becomes"))): entry["why"] for entry in entries}


def candidates(file: str, source: str) -> Iterator[Drawn]:
    """All mutants of a module."""
    data = source.encode()
    starts = [0]
    for line in data.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    finder = _Finder(data, starts)
    finder.visit(ast.parse(source))
    for edit in finder.edits:
        text = (data[: edit.start] + edit.new + data[edit.end :]).decode()
        number = edit.line
        before, after = (lines.splitlines()[number - 1].strip() for lines in (source, text))
        what = f"{data[edit.start : edit.end].decode()} → {edit.new.decode() or 'nothing'}"
        name = f"line {number}, {edit.inside or 'at the top'}: {what}"
        yield Drawn(file, name, text, Change(file, edit.inside, before, after))


@dataclass(frozen=True)
class _Edit:
    """Bytes that are replaced, all of one line."""

    start: int
    end: int
    new: bytes
    line: int
    inside: str


class _Finder(ast.NodeVisitor):
    """Collects what can be changed. Positions are counted in bytes, as `ast` does."""

    def __init__(self, data: bytes, starts: list[int]) -> None:
        self.data, self.starts = data, starts
        self.scopes: list[str] = []
        self.edits: list[_Edit] = []

    def start(self, node: ast.expr) -> int:
        return self.starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.starts[node.end_lineno - 1] + node.end_col_offset

    def add(self, start: int, end: int, new: str) -> None:
        if b"\n" not in self.data[start:end]:
            line = self.data.count(b"\n", 0, start) + 1
            self.edits.append(_Edit(start, end, new.encode(), line, ".".join(self.scopes)))

    def between(self, left: ast.expr, right: ast.expr, old: str, new: str) -> None:
        """An operator: it is not in the tree, but stands between its sides."""
        at = self.data.find(old.encode(), self.end(left), self.start(right))
        assert at >= 0
        self.add(at, at + len(old), new)

    def visit_Raise(self, node: ast.Raise) -> None:
        """Messages of errors are for readers."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """So are texts."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._within(node.name, node.body)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.scopes.append(node.name)
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if isinstance(default, ast.Constant) and isinstance(default.value, bool):
                self.add(self.start(default), self.end(default), str(not default.value))
            elif default is not None:
                self.visit(default)
        self.scopes.pop()
        self._within(node.name, node.body)

    def _within(self, name: str, body: list[ast.stmt]) -> None:
        self.scopes.append(name)
        for statement in body:
            self.visit(statement)
        self.scopes.pop()

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in OPERATORS:
            self.between(node.left, node.right, *OPERATORS[type(node.op)])
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if type(operator) in COMPARISONS:
                self.between(left, right, *COMPARISONS[type(operator)])
            left = right
        self.generic_visit(node)

    def axis(self, node: ast.expr) -> bool:
        """Change an axis, where it is a plain number."""
        try:
            number = ast.literal_eval(node)
        except ValueError:
            return False
        if type(number) is int:
            self.add(self.start(node), self.end(node), "-1" if number == 0 else "0")
        return type(number) is int

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            value = node.value
            other = value + 1 if isinstance(value, int) else 2 * value or 1.0
            self.add(self.start(node), self.end(node), repr(other))

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func
        if isinstance(called, ast.Name) and called.id in SWAPPED:
            self.add(self.start(called), self.end(called), SWAPPED[called.id])
        if isinstance(called, ast.Attribute):
            dot = self.end(called) - len(called.attr.encode()) - 1
            if called.attr in SWAPPED:
                self.add(dot + 1, self.end(called), SWAPPED[called.attr])
            elif called.attr in DROPPED and node.args:  # math.sqrt(x) is left as (x)
                self.add(self.start(called), self.end(called), "")
            elif called.attr in DROPPED:  # and x.sqrt() as x
                self.add(dot, self.end(node), "")
        named = isinstance(called, ast.Attribute) and called.attr in AXIS
        axes = [word.value for word in node.keywords if word.arg == "dim"] + (node.args[:1] if named else [])
        done = [axis for axis in axes if self.axis(axis)]
        for child in (called, *node.args, *(word.value for word in node.keywords)):
            if child not in done:
                self.visit(child)
