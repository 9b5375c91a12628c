"""What is done to the finished pages: less to load, a strict policy, pictures that come when they are looked at.

The theme writes some things that a page can do without, or that a strict Content-Security-Policy forbids. Sphinx has
no place to say so; so the pages are changed once they are written.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import animations
import cards
import home

FONT_SCRIPT = re.compile(r"<script[^>]*fontawesome\.js[^>]*></script>|<link[^>]*preload[^>]*fontawesome\.js[^>]*>")
SOURCE_MAP = re.compile(r"\n?//# sourceMappingURL=\S+\s*$|\n?/\*# sourceMappingURL=\S+ ?\*/\s*$")
POLICY = "Content-Security-Policy"
HANDLERS = {"toggleFullScreen()": "full-screen", "window.print()": "print"}  # book.js does what they did
TOGGLE = "The pages of this section"  # in the list of contents: the theme gives it an arrow and no name
VIEWPORT = re.compile(r"\s*<meta name=\"viewport\"[^>]*>")
PICTURE = re.compile(r"(?P<link><a\b[^>]*>\s*)?<img\b(?P<attributes>[^>]*?)\s*/?>")
INLINE = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/)[^>]*>(.*?)</script>", re.DOTALL)

# The page that runs a network: its engine is WebAssembly.
WITH_WEB_ASSEMBLY = ("playground_digits",)


def finish(page: Path, site: Path) -> None:
    """Change a finished page of a site, where there is something to change."""
    text = page.read_text(encoding="utf-8")
    if "</head>" not in text:
        return  # one of the theme's fragments
    name = page.relative_to(site).with_suffix("").as_posix()
    cards.finish(text, site, name, anew=POLICY not in text)
    if POLICY in text:
        return  # an earlier build has finished it
    lean = home.finish(FONT_SCRIPT.sub("", text), site)
    lean = lean.replace(
        '<summary><span class="toctree-toggle"', f'<summary aria-label="{TOGGLE}"><span class="toctree-toggle"'
    )
    for handler, action in HANDLERS.items():
        lean = lean.replace(f'onclick="{handler}"', f'data-action="{action}"')
    lean = lean.replace(
        '<div role="list" class="citation-list">', '<div class="citation-list">'
    )  # its entries are no items
    first, rest = VIEWPORT.sub("", lean).split("</head>", 1)
    first = first.replace(
        '<meta charset="utf-8" />',
        '<meta charset="utf-8" />\n    <meta name="viewport" content="width=device-width, initial-scale=1" />',
    )
    lean = f"{first}</head>{PICTURE.sub(lambda found: picture(found, page), rest)}"
    lean = lean.replace('<meta charset="utf-8" />', f'<meta charset="utf-8" />\n    {policy(lean, name)}', 1)
    if lean != text:
        page.write_text(lean, encoding="utf-8")


def policy(text: str, name: str) -> str:
    """The Content-Security-Policy of a page: what it holds itself, and of its inline scripts those that it has now.

    Styles may be inline: MathJax writes them, and hashes would not do for an attribute.
    """
    hashes = [hashlib.sha256(script.encode()).digest() for script in INLINE.findall(text)]
    inline = sorted({f"'sha256-{base64.b64encode(digest).decode()}'" for digest in hashes})
    engine = ["'wasm-unsafe-eval'"] if name in WITH_WEB_ASSEMBLY else []
    rules = {
        "default-src": ["'none'"],
        "script-src": ["'self'", *engine, *inline],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "media-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
    }
    content = "; ".join(f"{rule} {' '.join(sources)}" for rule, sources in rules.items())
    return f'<meta http-equiv="{POLICY}" content="{content}" />'


def picture(found: re.Match[str], page: Path) -> str:
    """A picture of a page: loaded when it comes near, with its size known before, and linked to its full size."""
    attributes = found["attributes"]
    source = re.search(r'\bsrc="([^":]*_images/[^"?]+)"', attributes)
    if source is None or "loading=" in attributes:
        return found[0]
    file = page.parent / source[1]
    size = animations.size(file)
    attributes += ' loading="lazy" decoding="async"'
    if size and "width=" not in attributes and "style=" not in attributes:
        attributes += f' width="{size[0]}" height="{size[1]}"'
    image = f"<img{attributes} />"
    if found["link"] or size is None:
        return f"{found['link'] or ''}{image}"
    if animations.is_animated(file):
        return animations.player(image, source[1], animations.frames(file))
    return f'<a class="full-size" href="{source[1]}">{image}</a>'


def drop_maps(site: Path) -> None:
    """Leave out what no page asks for: source maps, and the script that Font Awesome's style sheet replaces."""
    for path in [*site.rglob("*.map"), *site.rglob("fontawesome.js"), *site.rglob("*webpack-macros.html")]:
        path.unlink()
    for path in [*site.rglob("*.js"), *site.rglob("*.css")]:
        text = path.read_text(encoding="utf-8")
        lean = SOURCE_MAP.sub("\n", text)
        if lean != text:
            path.write_text(lean, encoding="utf-8")
