/** What the playgrounds' pages have in common: controls, a film, stages, colours, hands and keys, scenes and addresses. */
const Playground = (() => {
  "use strict";
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const clamp = (value, low, high, otherwise) =>
    Number.isFinite(value) ? Math.min(Math.max(value, low), high) : otherwise;
  const short = (value, digits = 3) => String(Number(value.toFixed(digits)));
  let ids = 0;

  // Elements ----------------------------------------------------------------------------------------------------------

  function el(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }
  const button = (text, onclick, attributes = {}) => el("button", { type: "button", onclick, ...attributes }, text);

  /** Write only what is new: a text that is written again is read aloud again. */
  const say = (element, text) => element.textContent !== text && (element.textContent = text);

  /** Makers of controls; `bring()` brings all that they made to what the state says. */
  function controls() {
    const refreshers = [];

    /** A row with a slider; `on` says whether it has an effect now, `words` what its value is called. */
    function slider(label, [low, high, step], get, set, { words = short, on = () => true } = {}) {
      const id = `control-${ids++}`, output = el("output", { for: id, "aria-live": "off" });
      const oninput = () => set(Number(input.value));
      const input = el("input", { id, type: "range", min: low, max: high, step, oninput });
      refreshers.push(() => {
        input.disabled = !on();
        input.value = get();
        output.textContent = words(get()).replace(/^-/, "−");
        input.setAttribute("aria-valuetext", output.textContent);
      });
      return el("div", { class: "row" }, el("label", { for: id }, label), input, output);
    }

    /** A row with a menu; options() are {value: text}. */
    function menu(label, options, get, set, on = () => true) {
      const id = `control-${ids++}`, select = el("select", { id, onchange: () => set(select.value) });
      refreshers.push(() => {
        const texts = Object.entries(options()).map(([value, text]) => el("option", { value }, text));
        if (select.length !== texts.length) select.replaceChildren(...texts);
        select.disabled = !on();
        select.value = get();
      });
      return el("div", { class: "row" }, el("label", { for: id }, label), select);
    }

    function tick(label, get, set) {
      const input = el("input", { type: "checkbox", onchange: () => set(input.checked) });
      refreshers.push(() => (input.checked = get()));
      return el("label", { class: "tick" }, input, label);
    }

    return { slider, menu, tick, refreshers, bring: () => refreshers.forEach((refresh) => refresh()) };
  }
  const panel = (title, attributes, ...rows) => el("fieldset", attributes, el("legend", {}, title), ...rows);

  /** The bar of a film: play or pause, once more, one step, and a slider of where it stands; `show` brings it up to date. */
  function film({ names: [go, halt, again], label, toggle, replay, step, scrub }, ...more) {
    const id = `control-${ids++}`, readout = el("output", { for: id, class: "readout", "aria-live": "off" });
    const input = el("input", { id, type: "range", min: 0, oninput: () => scrub(input.value / Math.max(input.max, 1)) });
    const play = button(go, toggle, { class: "play" });
    const scrubber = el("span", { class: "scrubber" }, el("label", { for: id }, label), input, readout);
    const bar = el("div", { class: "transport", role: "group", "aria-label": "Film" }, play, button(again, replay),
      button("Step", step), ...more, scrubber);
    const show = ({ playing, at, of = 1000, told, aloud = told }) => {
      input.max = of;
      input.value = Math.round(at * of);
      input.setAttribute("aria-valuetext", aloud);
      say(readout, told);
      say(play, playing ? halt : go);
    };
    return { bar, play, show };
  }

  // Stages ------------------------------------------------------------------------------------------------------------

  /** A canvas and what is said under it. */
  function stage(name, title, attributes = {}) {
    const canvas = el("canvas", attributes), told = el("span");
    const caption = el("figcaption", {}, ...(title ? [el("b", {}, title), " "] : []), told);
    return { name, canvas, told, figure: el("figure", { class: `stage ${name}` }, canvas, caption) };
  }

  /** Make a stage's canvas as fine as the screen, and empty it; its ink counts in pixels of the page. */
  function fit(stage) {
    const { canvas } = stage, dots = Math.min(devicePixelRatio || 1, 2), ink = canvas.getContext("2d");
    Object.assign(stage, { ink, width: canvas.clientWidth, height: canvas.clientHeight });
    const width = Math.round(stage.width * dots), height = Math.round(stage.height * dots);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    ink.setTransform(dots, 0, 0, dots, 0, 0);
    ink.globalAlpha = 1;
    ink.clearRect(0, 0, stage.width, stage.height);
    return stage;
  }

  /** The book's colours as the style sheet has them, light or dark; `changed` is called when they are others. */
  function colours(root, changed) {
    const found = { version: 0 };
    const read = () => {
      const style = getComputedStyle(root);
      for (const name of ["data", "model", "exact", "rival", "ink", "card", "edge"]) {
        found[name] = style.getPropertyValue(`--${name}`).trim();
      }
      found.font = style.fontFamily;
      found.version++;
    };
    read();
    const themed = { attributes: true, attributeFilter: ["data-theme"] };
    new MutationObserver(() => changed(read())).observe(document.documentElement, themed);
    return found;
  }

  /** A loop that runs, once awake, while `frame(now)` asks for another and the root can be seen: gives what wakes it. */
  function loop(root, frame) {
    let asked = 0, seen = true;
    const wake = () => {
      if (!asked && seen) asked = requestAnimationFrame(run);
    };
    const run = (now) => {
      asked = 0;
      if (frame(now)) wake();
    };
    const look = (entries) => {
      seen = entries[entries.length - 1].isIntersecting;
      wake();
    };
    new IntersectionObserver(look).observe(root);
    new ResizeObserver(wake).observe(root);
    return wake;
  }

  // Hands and keys ----------------------------------------------------------------------------------------------------

  /** Follow a pointer on a canvas: down says whether it takes hold, move and up follow what is held, over what is not. */
  function hands(canvas, { down, move, up, over = () => {}, takes }) {
    let held = false;
    const where = ({ clientX, clientY }) => {
      const box = canvas.getBoundingClientRect();
      return [clientX - box.left - box.width / 2, box.top + box.height / 2 - clientY];
    };
    const keep = (event) => takes(where(event.touches[0]), true) && event.preventDefault();
    canvas.addEventListener("touchstart", keep, { passive: false }); // elsewhere a finger moves the page
    canvas.addEventListener("pointerdown", (event) => {
      held = down(where(event), event.pointerType === "touch");
      if (held) canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => (held ? move : over)(where(event)));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => {
        if (held) up();
        held = false;
      });
    }
    return where;
  }

  /** Keys of a canvas: acts is {key: what it does}; they are let pass where may() is false. */
  function keys(canvas, acts, may = () => true) {
    canvas.addEventListener("keydown", (event) => {
      if (!Object.hasOwn(acts, event.key) || !may(event.key)) return;
      event.preventDefault();
      acts[event.key](event);
    });
  }

  // Scenes and addresses ----------------------------------------------------------------------------------------------

  /**
   * A scene is a heading of the page: scenes are {its identifier: the address of a state}. Their links and the first
   * paragraph under the heading stand over the stage. Other addresses are states, as encode() writes them; open(address)
   * brings one of either kind.
   */
  function addresses(root, scenes, { open, encode }) {
    const nav = el("nav", { class: "scenes", "aria-label": "Scenes" }), caption = el("div", { class: "caption" });
    const news = el("p", { class: "news", role: "status", "aria-live": "polite" });
    let saving = 0;

    /** The scene of an address #heading. Who writes a heading as an address differs in all but plain letters. */
    function sceneOf(hash) {
      const plain = (text) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
      try {
        const name = plain(decodeURIComponent(hash.slice(1)));
        return Object.keys(scenes).find((key) => plain(key) === name);
      } catch {
        return undefined; // no address of ours
      }
    }
    const sections = [...document.querySelectorAll("section[id]")].filter(({ id }) => sceneOf(`#${id}`));
    const titleOf = (section) => section.querySelector("h2, h3").firstChild.textContent;
    nav.append(...sections.map((section) => {
      const go = (event) => {
        event.preventDefault(); // the heading of that name is not what one wants to see
        clearTimeout(saving);
        history.pushState(null, "", `#${section.id}`);
        visit();
      };
      return el("a", { href: `#${section.id}`, onclick: go }, titleOf(section));
    }));

    const mark = (scene) => {
      for (const link of nav.children) link.setAttribute("aria-current", sceneOf(link.hash) === scene);
    };
    /** Show a scene, with the words that the page has for it, or a state. */
    function show(scene, address = scenes[scene]) {
      open(address);
      mark(scene);
      const section = sections.find(({ id }) => sceneOf(`#${id}`) === scene);
      caption.replaceChildren();
      if (section) caption.append(el("strong", {}, titleOf(section)), section.querySelector("p").cloneNode(true));
    }
    /** Show what the address says; false where it says nothing. */
    function visit() {
      const scene = sceneOf(location.hash);
      if (!scene && !location.hash.includes("=")) return false;
      show(scene, scenes[scene] || location.hash.slice(1));
      return true;
    }
    const save = () => history.replaceState(null, "", `#${encode()}`);
    /** To be called when the reader has changed something: the address follows. */
    function changed() {
      clearTimeout(saving);
      saving = setTimeout(save, 300);
      mark(null); // a scene's words stay: to take them away would move the stage under the hand
    }
    const copy = button("Copy this scene’s address", () => {
      save();
      const copied = navigator.clipboard ? navigator.clipboard.writeText(location.href) : Promise.reject();
      const tell = (text) => () => (news.textContent = text);
      copied.then(tell("The address is copied."), tell("Copy the address from the browser’s bar."));
    });
    addEventListener("popstate", visit);
    // The browser goes to the heading of a scene's name when all is loaded: the stage is what one wants to see.
    if (sceneOf(location.hash)) addEventListener("load", () => setTimeout(() => root.scrollIntoView(), 60));
    return { nav, caption, news, copy, changed, visit, show };
  }

  return { still, clamp, short, el, button, say, controls, panel, film, stage, fit, colours, loop, hands, keys, addresses };
})();
