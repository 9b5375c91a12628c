/** What every page of the book does. Without it everything can still be read. */
"use strict";
(() => {
  const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");

  // ---------------------------------------------------------------- what the theme's buttons do

  const ACTIONS = { "full-screen": () => window.toggleFullScreen(), print: () => window.print() };

  function buttons() {
    for (const button of document.querySelectorAll("[data-action]"))
      button.addEventListener("click", ACTIONS[button.dataset.action]);
  }

  // ---------------------------------------------------------------- what scrolls can be reached by keys

  const LINE = "p, li, dd, td, th, figcaption, h1, h2, h3, h4, summary, div";
  const SCROLLING = "mjx-container, .pst-scrollable-table-container, .bd-article pre, .cell_output .output";

  /** A formula in a line that is wider than its line becomes a block of its own, which scrolls. */
  function wide(formula) {
    if (formula.hasAttribute("display")) return;
    const line = formula.closest(LINE);
    formula.classList.remove("wide");
    if (line) formula.classList.toggle("wide", formula.getBoundingClientRect().width > line.clientWidth + 1);
  }

  function reach() {
    for (const formula of document.querySelectorAll(".bd-article mjx-container")) wide(formula);
    for (const place of document.querySelectorAll(SCROLLING)) {
      const scrolls = place.clientWidth > 0 && place.scrollWidth > place.clientWidth;
      if (scrolls) place.tabIndex = 0;
      else place.removeAttribute("tabindex");
    }
  }

  function reachAlways() {
    reach();
    window.MathJax?.startup?.promise?.then(reach);
    let waiting = 0;
    const soon = () => { clearTimeout(waiting); waiting = setTimeout(reach, 100); };
    window.addEventListener("resize", soon);
    document.addEventListener("toggle", soon, true); // what unfolds
    const article = document.querySelector(".bd-article");
    if (article) new ResizeObserver(soon).observe(article); // the columns may move after the window has
  }

  // ---------------------------------------------------------------- animations

  /** An animation's button and slider. The animated picture plays by itself until one of them is used. */
  function player(box) {
    const { first, last, milliseconds, folder } = box.dataset;
    const picture = box.querySelector("img"), from = Number(first), to = Number(last);
    const button = document.createElement("button"), slider = document.createElement("input");
    const bar = document.createElement("span");
    let clock = 0, films = null;
    Object.assign(slider, { type: "range", min: from, max: to, step: 1, value: to });
    slider.setAttribute("aria-label", "Frame of the animation");
    button.type = "button";
    bar.className = "animation-bar";
    bar.append(button, slider);
    box.append(bar);

    const frame = (i) => `${folder}/${String(i).padStart(3, "0")}.webp`;
    const say = (word) => { button.textContent = word; box.dataset.state = word; };

    function load() {
      if (films) return;
      box.querySelector("source").remove();
      films = Array.from({ length: to - from + 1 }, (_, i) => Object.assign(new Image(), { src: frame(from + i) }));
    }

    function show(i) {
      load();
      picture.src = films[i - from].src;
      slider.value = i;
    }

    function stop(word) {
      clearInterval(clock);
      clock = 0;
      say(word);
    }

    function play() {
      if (Number(slider.value) >= to) show(from);
      clearInterval(clock);
      say("Pause");
      clock = setInterval(() => {
        const next = Number(slider.value) + 1;
        if (films[next - from].complete) show(next);
        if (next >= to) stop("Replay");
      }, Number(milliseconds));
    }

    button.addEventListener("click", () => {
      if (clock) stop("Play");
      else if (!films && !CALM.matches) { show(to); stop("Replay"); } // it was playing by itself
      else play();
    });
    slider.addEventListener("input", () => { stop("Play"); show(Number(slider.value)); });
    say(CALM.matches ? "Play" : "Pause");
  }

  // ---------------------------------------------------------------- on paper

  const PAPER = 670; // pixels of a line on a sheet of A4, a little less

  /** Formulas that would run out of their line on paper are set smaller; gives what makes them as they were. */
  function shrunk() {
    const article = document.querySelector(".bd-article"), before = [];
    if (!article) return () => {};
    const share = Math.min(1, PAPER / article.clientWidth);
    for (const formula of document.querySelectorAll(".bd-article mjx-container")) {
      const line = formula.closest(LINE), room = (line.clientWidth - (line.matches("td, th") ? 20 : 0)) * share;
      const width = formula.querySelector("mjx-math").getBoundingClientRect().width;
      if (width <= room || room <= 0) continue;
      before.push([formula, formula.style.fontSize, `${(parseFloat(getComputedStyle(formula).fontSize) * room) / width}px`]);
    }
    for (const [formula, , size] of before) formula.style.fontSize = size;
    return () => before.forEach(([formula, size]) => { formula.style.fontSize = size; });
  }

  /** On paper nothing is folded or cut off, and no picture waits to be looked at. */
  function prepareToPrint() {
    let undo = () => {};
    window.addEventListener("beforeprint", () => {
      const folded = [...document.querySelectorAll(".bd-article details:not([open])")];
      for (const fold of folded) fold.open = true;
      for (const picture of document.images) picture.loading = "eager";
      const grow = shrunk();
      undo = () => { for (const fold of folded) fold.open = false; grow(); };
    });
    window.addEventListener("afterprint", () => { undo(); undo = () => {}; });
  }

  // ---------------------------------------------------------------- what a term means

  /** A linked term says what it means, under the pointer and the keyboard's focus. A finger's tap follows the link. */
  function meanings(links) {
    const tip = Object.assign(document.createElement("div"), { id: "meaning", hidden: true });
    let of = null, waiting = 0;
    tip.setAttribute("role", "tooltip");
    document.body.append(tip);

    function close() {
      clearTimeout(waiting);
      of?.removeAttribute("aria-describedby");
      of = null;
      tip.hidden = true;
    }

    function open(link) {
      close();
      of = link;
      tip.textContent = link.dataset.meaning;
      tip.hidden = false;
      link.setAttribute("aria-describedby", tip.id);
      const at = link.getClientRects()[0], { offsetWidth: width, offsetHeight: height } = tip;
      const most = document.documentElement.clientWidth - width - 8, below = at.bottom + height + 12 < window.innerHeight;
      tip.style.left = `${window.scrollX + Math.max(8, Math.min(at.left, most))}px`;
      tip.style.top = `${window.scrollY + (below ? at.bottom + 4 : at.top - height - 4)}px`;
    }

    // It stays for a moment, so that a pointer can come to it, and as long as one is on it.
    const later = () => { clearTimeout(waiting); waiting = setTimeout(close, 250); };
    const stay = () => clearTimeout(waiting);
    for (const link of links) {
      link.addEventListener("pointerenter", (event) => { if (event.pointerType !== "touch") open(link); });
      link.addEventListener("pointerleave", later);
      link.addEventListener("focus", () => { if (link.matches(":focus-visible")) open(link); });
      link.addEventListener("blur", close);
    }
    tip.addEventListener("pointerenter", stay);
    tip.addEventListener("pointerleave", later);
    document.addEventListener("keydown", ({ key }) => { if (key === "Escape") close(); });
  }

  document.addEventListener("DOMContentLoaded", () => {
    const terms = document.querySelectorAll("a.term[data-meaning]");
    buttons();
    prepareToPrint();
    if (terms.length) meanings(terms);
    for (const box of document.querySelectorAll(".animation")) player(box);
    window.addEventListener("load", reachAlways);
  });
})();
