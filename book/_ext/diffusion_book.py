"""What the site needs beyond Jupyter Book: links, alternative texts, the ledger, the API pages, and less to download.

The sources are written so that they read well on GitHub, in JupyterLab and in Colab; this extension turns them, while
Sphinx reads them, into what the site wants. It changes no file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import ablation_table
import api_pages
import cards
import facts
import finished_pages
import history
import home
import ledger
import scoreboard
import terms
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx_external_toc.api import Document, FileItem, TocTree

from diffusion_teach.studies import ablation, equal_terms, judges
from diffusion_teach.studies import scoreboard as stored
from diffusion_teach.studies.ablation import pace

OUTSIDE = {
    ".html": re.compile(
        r"<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc=[\"']?(?:https?:)?//[^>]*"
        r"|<link\b(?=[^>]*\brel=[\"']?(?:stylesheet|preload|icon|preconnect))[^>]*\bhref=[\"']?(?:https?:)?//[^>]*"
    ),
    ".css": re.compile(r"(?:@import\s+|url\()[\"']?(?:https?:)?//[^)]*"),
}

# Scripts and styles that a page has for itself, in the order in which they are loaded: no other page pays for them.
OF_PLAYGROUNDS = ("playground.css", "library.js", "playground.js")
OF_ONE_PAGE: dict[str, tuple[str, ...]] = {
    "index": (*(f"playground/{file}" for file in (*OF_PLAYGROUNDS, "field_math.js")), "ink.css", "home.css", "ink.js"),
    "ledger": ("ledger.css", "ledger.js"),
} | {
    f"playground_{name}": tuple(f"playground/{file}" for file in (*OF_PLAYGROUNDS, *files))
    for name, files in {
        "field": ("field.css", "field_math.js", "field_scenes.js", "field.js"),
        "digits": ("digits.css", "digits_files.js", "digits_math.js", "digits.js"),
        "duel": ("duel.css", "duel_math.js", "duel.js"),
    }.items()
}


def add_reference(app: Sphinx, config: Config) -> None:
    """Make the pages of the reference, put them into the contents, and let the search show them last."""
    names = api_pages.write(Path(app.srcdir))
    contents = config.external_site_map
    contents["api"].subtrees = [TocTree([FileItem(name) for name in names], titlesonly=True)]
    for name in names:
        contents[name] = Document(name)
    # Those of an earlier build were left out, because the file of contents does not name them.
    config.exclude_patterns = [pattern for pattern in config.exclude_patterns if not pattern.startswith("api/")]
    config.html_search_scorer = str(Path(__file__).with_name("search_scorer.js"))


def on_source_read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Rewrite one page's source as the site wants it."""
    if docname.startswith("notebooks/"):
        chapter = docname.removeprefix("notebooks/")
        source[0] = history.with_history(notebook_for_site(source[0]), chapter, Path(app.srcdir))
        for page in (f"{history.PAGE}.md", "references.bib"):
            app.env.note_dependency(str(Path(app.srcdir) / page))
        return
    source[0] = source[0].replace("](../notebooks/", "](notebooks/")
    if docname == "ledger":
        page = (Path(app.srcdir) / "facts.md").read_text(encoding="utf-8")
        tables = ledger.markdown(Path(app.srcdir) / "notebooks", facts=facts.anchors(page))
        source[0] = ledger.cited(source[0]).replace(ledger.PLACE, f"{ledger.filters(facts.titles(page))}\n\n{tables}")
    if docname == "facts":
        source[0] = facts.markdown(source[0], Path(app.srcdir) / "notebooks")
    if docname == "scoreboard":
        source[0] = source[0].replace(scoreboard.PLACE, scoreboard.markdown(stored.rows()))
        source[0] = source[0].replace(scoreboard.JUDGES_PLACE, scoreboard.judges(judges.rows()))
        table = scoreboard.equal_terms(equal_terms.rows(), stored.rows(), equal_terms.SHIPPED)
        source[0] = source[0].replace(scoreboard.EQUAL_PLACE, table)
        source[0] = source[0].replace(scoreboard.CANVASES_PLACE, scoreboard.canvases(stored.canvases.rows()))
    if docname == "fast":
        source[0] = source[0].replace(ablation_table.PLACE, ablation_table.markdown(ablation.rows(), pace.rows()))
    if docname == "api":
        source[0] = source[0].replace(api_pages.PLACE, api_pages.markdown())


def notebook_for_site(text: str) -> str:
    """A notebook with the links of the site, and the alternative texts where MyST-NB looks for them."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            # ../book/x.md is right in the repository; the site has its pages one folder above the notebooks.
            cell["source"] = "".join(cell["source"]).replace("](../book/", "](../")
        elif cell["cell_type"] == "code":
            move_alternative_text(cell)
            if "install" in cell["metadata"].get("tags", []):
                cell["metadata"]["tags"].append("hide-input")  # who reads the site need not read it
    return json.dumps(notebook)


def move_alternative_text(cell: dict[str, Any]) -> None:
    """Copy the outputs' alternative text to the cell's metadata: MyST-NB reads one a cell, for its images."""
    texts = [output.get("metadata", {}).get("diffusion_teach", {}).get("alt") for output in cell["outputs"]]
    found = [text for text in texts if text]
    if found:
        image = cell["metadata"].setdefault("mystnb", {}).setdefault("image", {})
        image.setdefault("alt", " ".join(found))


def link_citations(app: Sphinx, doctree: nodes.document) -> None:
    """Make every entry of the bibliography a place that `references.md#key` can link to."""
    if app.env.docname == "references":
        entries = (Path(app.srcdir) / "references.bib").read_text(encoding="utf-8")
        slugs = {key: (0, key, key) for key in re.findall(r"^@\w+\{(\w+),", entries, re.MULTILINE)}
        app.env.metadata["references"].setdefault("myst_slugs", {}).update(slugs)


def link_terms(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Link a page's first use of each term of the glossary, with what it means."""
    if terms.PAGES.fullmatch(docname) and app.builder.format == "html":
        page = app.builder.get_relative_uri(docname, terms.GLOSSARY)
        terms.link(doctree, terms.known(app.env), lambda term: f"{page}#{term.place}")


def show_chapters(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give every chapter a card on the home page."""
    if docname == home.PAGE and app.builder.format == "html":
        home.show(doctree)


def scripts_of_one_page(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load what a page has for itself: scripts and styles."""
    for name in OF_ONE_PAGE.get(pagename, ()):
        if name.endswith(".css"):
            app.add_css_file(name)
        else:
            app.add_js_file(name, loading_method="defer")


def describe(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Say in a page's head what it is about, and with which picture it is shown elsewhere."""
    context["metatags"] = context.get("metatags", "") + cards.tags(pagename, context, doctree, app.config.html_baseurl)


def escape_docstring(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Docstrings are plain text with `code` and indented formulas: make them valid reStructuredText."""
    lines[:] = api_pages.to_restructured_text(lines)


def finish_pages(app: Sphinx, exception: Exception | None) -> None:
    """Change the finished pages: see `finished_pages`."""
    if exception is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    finished_pages.drop_maps(site)
    for page in site.rglob("*.html"):
        finished_pages.finish(page, site)


def ask_no_other_host(app: Sphinx, exception: Exception | None) -> None:
    """Fail the build if a page would load a script, style sheet, picture or font from another host."""
    if exception is not None or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*"):
        if path.suffix in OUTSIDE:
            found = OUTSIDE[path.suffix].search(path.read_text(encoding="utf-8"))
            if found:
                raise ExtensionError(f"{path.relative_to(app.outdir)} loads from another host: {found[0][:200]}")


def always_outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """These pages depend on more than their own file: read them anew."""
    dependent = {"facts", "ledger", "scoreboard", "fast", "api", home.PAGE}
    return [name for name in env.found_docs if name.split("/")[0] in dependent]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hooks with Sphinx."""
    app.connect("config-inited", add_reference, priority=950)  # after the contents are read
    app.connect("source-read", on_source_read)
    app.connect("doctree-read", link_citations)
    app.connect("doctree-resolved", link_terms)
    app.connect("doctree-resolved", show_chapters)
    app.connect("html-page-context", scripts_of_one_page)
    app.connect("html-page-context", describe)
    app.connect("env-get-outdated", always_outdated)
    app.connect("autodoc-process-docstring", escape_docstring, priority=100)
    app.connect("build-finished", finish_pages)
    app.connect("build-finished", ask_no_other_host, priority=900)
    return {"version": "0.1.0", "parallel_read_safe": True, "parallel_write_safe": True}
