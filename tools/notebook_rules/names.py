"""Which names a cell of code binds, and which it takes from elsewhere."""

from __future__ import annotations

import ast
import re


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
