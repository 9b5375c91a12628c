"""Rules for the cells of text: foldings, Markdown that reads well everywhere, links."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.notebook_rules.notebook import Notebook, text_of, without_code

SUMMARIES = ("Hint", "Solution", "Proof")


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
