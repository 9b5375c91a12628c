"""What is asked of a page in the browser: each question returns what is wrong, as a list of lines."""

from __future__ import annotations

FORMULAS = r"""async () => {
    const wanted = [...document.querySelectorAll(".bd-article .math")];
    if (wanted.length === 0) return [];
    if (!window.MathJax || !MathJax.startup) return ["formulas, and no MathJax"];
    await MathJax.startup.promise;
    const bare = wanted.filter((place) => !place.querySelector("mjx-container mjx-math"));
    const wrong = [...document.querySelectorAll("mjx-merror, [data-mjx-error]")];
    return [
        ...bare.map((place) => `not rendered: ${place.textContent.slice(0, 80)}`),
        ...wrong.map((place) => `a formula with an error: ${place.textContent.slice(0, 80)}`),
    ];
}"""

# What stands in the text, but for the insides of formulas and drawings: most of a chapter is these.
PLACES = r"""const places = function* (root) {
    for (const place of root?.children ?? []) {
        if (place.matches(".visually-hidden, .sr-only")) continue;
        yield place;
        if (!place.matches("mjx-container, svg")) yield* places(place);
    }
}"""

# What is wider than the page widens it, unless it stands in something that scrolls or hides.
OVERFLOW = (
    f"() => {{{PLACES}"
    + r"""
    const width = document.documentElement.clientWidth, page = document.scrollingElement.scrollWidth;
    const told = page > width ? [`the page is ${page} wide`] : [];
    const held = (place) => {
        for (let box = place.parentElement; box && box !== document.body; box = box.parentElement)
            if (getComputedStyle(box).overflowX !== "visible" && box.getBoundingClientRect().right <= width + 1)
                return true;
        return false;
    };
    for (const place of places(document.querySelector(".bd-article"))) {
        const box = place.getBoundingClientRect();
        if (box.width > 1 && box.right > width + 1 && !held(place) && !told.some((line) => line.includes("ends at")))
            told.push(`<${place.tagName} ${place.className}> ends at ${Math.round(box.right)} of ${width}`);
    }
    return told;
}"""
)

# At full width a line of code is not cut off: neither a chapter's nor that of a solution in a fold.
CODE = r"""() => {
    const wide = (place) => place.scrollWidth > place.clientWidth + 1;
    return [...document.querySelectorAll(":is(.cell_input, details .highlight-python) pre")].filter(wide)
        .map((place) => `code is wider than its column: ${place.textContent.trim().slice(0, 60)}`);
}"""

# Pictures come when they are looked at; here all of them are asked to come.
PICTURES = r"""async () => {
    for (const picture of document.images) picture.loading = "eager";
    const come = (picture) => picture.complete || new Promise((done) => {
        for (const event of ["load", "error"]) picture.addEventListener(event, done, { once: true });
    });
    await Promise.all([...document.images].map(come));
    return [...document.images].flatMap((picture) => [
        ...(picture.getAttribute("alt") === null ? [`no alternative text: ${picture.src.slice(-60)}`] : []),
        ...(picture.currentSrc && picture.naturalWidth === 0 ? [`not loaded: ${picture.src.slice(-60)}`] : []),
    ]);
}"""

# What ends beyond the paper, or is hidden by a box that would have to scroll.
CUT = (
    f"(paper) => {{{PLACES}"
    + r"""
    const found = [];
    for (const place of places(document.querySelector(".bd-article"))) {
        if (place.closest(".playground")) continue;
        const box = place.getBoundingClientRect(), { overflowX } = getComputedStyle(place);
        if (box.width < 1) continue;
        if (box.right > paper + 1) found.push(`<${place.tagName} ${place.className}> ends at ${Math.round(box.right)}`);
        else if (overflowX !== "visible" && place.scrollWidth > place.clientWidth + 1 && place.clientWidth > 0)
            found.push(`<${place.tagName} ${place.className}> hides ${place.scrollWidth - place.clientWidth} pixels`);
    }
    return found.slice(0, 5);
}"""
)

FOLDED = "document.querySelectorAll('.bd-article details:not([open])').length"

# A page that has been given another size answers a moment later: see `reachAlways` in book.js.
SETTLED = "() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => done()), 130))"

# What axe is not asked to look at is most of a page: a word of the same size stands for it, so that axe is done sooner.
THINNED = r"""(places) => {
    const sizes = places.map((name) => [...document.querySelectorAll(name)]).flat().map((place) => {
        const { width, height } = place.getBoundingClientRect();
        return [place, width, height];
    });
    for (const [place, width, height] of sizes) {
        if (place.matches("mjx-math")) Object.assign(place.style, { display: "inline-block", width: `${width}px` });
        Object.assign(place.style, { height: `${height}px`, overflow: "hidden" });
        place.textContent = "x";
    }
    return sizes.length;
}"""

# The contrast of a text depends on how it is set and on what lies behind it, so that of all that are set alike, one is
# looked at: axe takes milliseconds for each, and a page has thousands.
ONE_OF_A_KIND = r"""(root) => {
    const PROPERTIES = ["color", "backgroundColor", "backgroundImage", "opacity", "visibility", "display",
        "fontSize", "fontWeight", "textDecorationLine", "textShadow", "borderBottomStyle"];
    const kinds = new Map();
    const number = (kind) => kinds.get(kind) ?? kinds.set(kind, kinds.size).size - 1;
    const first = new Map();
    const walk = (place, around) => {
        const style = getComputedStyle(place);
        const own = number([around, place.tagName, ...PROPERTIES.map((property) => style[property])].join("|"));
        const speaks = [...place.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
        const seen = place.checkVisibility() && place.getBoundingClientRect().width > 1;
        if ((speaks || place.matches("input, select, textarea")) && seen && !first.has(own)) first.set(own, place);
        for (const child of place.children) walk(child, own);
    };
    walk(root, -1);
    return [...first.values()];
}"""

VIOLATIONS = rf"""async ([name, exclude, options, alike]) => {{
    const root = document.querySelector(name), include = alike ? ({ONE_OF_A_KIND})(root) : [root];
    return (await axe.run({{ include, exclude }}, options)).violations;
}}"""
