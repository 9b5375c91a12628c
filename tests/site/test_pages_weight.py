"""What no page pays for; what each weighs is weighed by `Visit.weight`, where it is loaded."""

from __future__ import annotations

import re

from tests.site.pages import SITE, built, every_page


def test_nothing_is_shipped_that_no_page_asks_for() -> None:
    built("index")
    unused = [*SITE.rglob("*.map"), *SITE.rglob("fontawesome.js"), *SITE.rglob("*macros.html")]
    assert unused == []
    assert not [path for path in SITE.rglob("*.js") if b"sourceMappingURL=" in path.read_bytes()[-300:]]


@every_page
def test_pictures_wait_until_they_are_near_and_keep_their_place(name: str) -> None:
    text = built(name).read_text(encoding="utf-8")
    for tag in re.findall(r'<img\b[^>]*_images/[^>]*\.png"[^>]*>', text):
        assert 'loading="lazy"' in tag, tag
        assert "height=" in tag or "style=" in tag, tag
