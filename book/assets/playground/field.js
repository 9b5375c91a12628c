/** The field in the page: what is drawn and what one can do to it. The mathematics is in field_math.js. */
(() => {
  "use strict";
  const root = document.getElementById("field");
  if (!root) return;

  const PARTICLES = 2000, CHUNK = 125, BUDGET = 4; // points; of a piece; milliseconds of a frame for walks
  const FILM = 7000, FORWARD_STEPS = 60; // milliseconds from one end of time to the other
  const HALF = 2.9; // what the stage shows: from −2.9 to 2.9 upwards
  const PATHS = 24, EARLIEST = 0.015; // paths drawn; the least t at which arrows are drawn
  const STEPS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200];
  const SCHEDULE_NAMES = { vp: "VP", ve: "VE", cosine: "cosine", "flow-matching": "straight line (flow matching)" };
  const SAMPLER_NAMES = {
    ancestral: "ancestral (DDPM, posterior variance)",
    ddpm: "ancestral (DDPM, σ² = β)",
    "ddpm-last-noise": "DDPM with noise in the last step: a mistake",
    ddim: "DDIM with η",
    euler: "Euler",
    heun: "Heun",
    "dpm-solver": "DPM-Solver++ (2M)",
    annealed: "annealed Langevin, 5 a level",
    langevin: "Langevin without noise levels, 5 a step",
  };

  const LABELS = { 0: "all modes", 1: "class 1", 2: "class 2" };

  // Data to start from, and scenes: addresses, by the heading on the page that tells of them.
  const DATA = {
    "three hills": "m=-1.2,-.4,.5,.58,.27,34,1;1,.9,.3,.47,.31,118,1;.8,-1.2,.2,.32,.24,0,2",
    "two hills, far apart": "m=1.5,1.2,.8,.3,.3,0,1;-1.5,-1.2,.2,.3,.3,0,2",
    "ring of eight": `m=${[0, 1, 2, 3, 4, 5, 6, 7]
      .map((k) => `${(1.9 * Math.cos((k * Math.PI) / 4)).toFixed(3)},${(1.9 * Math.sin((k * Math.PI) / 4)).toFixed(3)},.125,.12,.12,0,${1 + (k % 2)}`)
      .join(";")}`,
    "two moons": `s=.1&l=${[1, -1].map((way) => Array.from({ length: 25 }, (_, k) => {
      const angle = (Math.PI * k) / 24;
      return `${(way * (1.5 * Math.cos(angle) - 0.75)).toFixed(2)},${(way * (1.5 * Math.sin(angle) - 0.375)).toFixed(2)}`;
    }).join()).join(";")}`,
    spiral: `s=.08&l=${Array.from({ length: 48 }, (_, k) => {
      const angle = Math.PI * (1 + (3 * k) / 47), radius = (2.3 * angle) / (4 * Math.PI);
      return `${(radius * Math.cos(angle)).toFixed(2)},${(radius * Math.sin(angle)).toFixed(2)}`;
    }).join()}`,
  };
  const PAIR = DATA["two hills, far apart"], RING = DATA["ring of eight"], HILLS = DATA["three hills"];
  const CLASSES = "m=-1.1,-.9,.25,.5,.35,20,1;-.5,1.1,.25,.45,.35,150,1;1.1,.1,.5,.6,.45,90,2";
  const SCENES = {
    "see-langevin-get-the-weights-wrong": `${PAIR}&a=ve,langevin,200,0,0,0&b=ve,annealed,200,0,0,0`,
    "the-last-step-s-noise": `${RING}&a=vp,ddpm-last-noise,25,0,0,0&b=vp,ddpm,25,0,0,0`,
    "and-the-spread": `m=0,0,1,1.3,.5,30,1&a=vp,ddim,10,0,0,0&b=vp,ddim,10,1,0,0`,
    "guidance-overshoots": `${CLASSES}&a=cosine,ddim,50,0,1,0&b=cosine,ddim,50,0,1,6`,
    "one-step-gives-the-mean": `${HILLS}&a=flow-matching,ddim,1,0,0,0&b=flow-matching,ddim,20,0,0,0`,
    "one-step-under-two-names": `${HILLS}&a=vp,ddim,10,0,0,0&b=vp,euler,10,0,0,0`,
  };

  // What is chosen, and its address ----------------------------------------------------------------------------------

  const clamp = (value, low, high, otherwise) => (Number.isFinite(value) ? Math.min(Math.max(value, low), high) : otherwise);
  const numbers = (text) => text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  const short = (value, digits = 3) => String(Number(value.toFixed(digits)));

  function readChoice(text) {
    const [schedule, sampler, ...rest] = (text || "").split(",");
    const [steps, eta, label, w] = rest.map(Number);
    return {
      schedule: Object.hasOwn(SCHEDULE_NAMES, schedule) ? schedule : "vp",
      sampler: Object.hasOwn(SAMPLER_NAMES, sampler) ? sampler : "ddim",
      steps: Math.round(clamp(steps, 1, 200, 20)),
      eta: clamp(eta, 0, 1, 0),
      label: Math.round(clamp(label, 0, 2, 0)),
      w: clamp(w, 0, 8, 0),
    };
  }

  /** The state that an address says, whatever it says: what is out of range comes into it. */
  function decode(address) {
    const query = new URLSearchParams(address), has = (key) => query.get(key) || "";
    const modes = has("m").split(";").filter(Boolean).slice(0, 24).map((text) => {
      const [x, y, weight, long, across, angle, label] = numbers(text);
      const at = [clamp(x, -6, 6, 0), clamp(y, -HALF, HALF, 0), clamp(weight, 0.02, 1, 0.5)];
      const shape = [clamp(long, 0.05, 1.5, 0.3), clamp(across, 0.05, 1.5, 0.3), clamp(angle, -360, 360, 0)];
      return Field.mode(...at, ...shape, label === 2 ? 2 : 1);
    });
    const lines = has("l").split(";").filter(Boolean).slice(0, 6).map((text) => {
      const flat = numbers(text).map((value) => clamp(value, -6, 6, 0)).slice(0, 120);
      return Array.from({ length: flat.length >> 1 }, (_, k) => [flat[2 * k], flat[2 * k + 1]]);
    }).filter((line) => line.length > 0);
    return {
      modes: modes.length || lines.length ? modes : decode(HILLS).modes,
      lines: modes.length ? [] : lines,
      width: clamp(parseFloat(has("s")), 0.05, 0.4, 0.1),
      a: readChoice(query.get("a")),
      b: query.has("b") ? readChoice(query.get("b")) : null,
      seed: Math.round(clamp(parseFloat(has("n")), 1, 1e6, 1)),
      forward: has("f") === "1",
    };
  }

  function encode({ modes, lines, width, a, b, seed, forward }) {
    const values = (m) => [m.x, m.y, m.weight, m.long, m.short, m.angle, m.label].map((value) => short(value)).join();
    const choice = (c) => [c.schedule, c.sampler, c.steps, short(c.eta), c.label, short(c.w)].join();
    const data = lines.length
      ? `s=${short(width)}&l=${lines.map((line) => line.flat().map((value) => short(value, 2)).join()).join(";")}`
      : `m=${modes.map(values).join(";")}`;
    return `${data}&a=${choice(a)}${b ? `&b=${choice(b)}` : ""}&n=${seed}${forward ? "&f=1" : ""}`;
  }

  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const state = decode(SCENES[sceneOf(location.hash)] || location.hash.slice(1));
  const view = { p: 0, playing: !still, chosen: 0, drawing: false, density: true, arrows: true, paths: false };
  let data = components(), saving = 0;

  /** The key of a heading's scene; addresses differ in how they write a heading, so only plain letters count. */
  function sceneOf(hash) {
    const plain = (text) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
    let name = hash.slice(1);
    try { name = decodeURIComponent(name); } catch { /* no address of ours */ }
    return Object.keys(SCENES).find((key) => plain(key) === plain(name));
  }

  /** The data as modes: those on the stage, or what the drawn lines are made of. */
  function components() {
    if (!state.lines.length) return state.modes;
    const length = (line) => line.slice(1).reduce((sum, [x, y], i) => sum + Math.hypot(x - line[i][0], y - line[i][1]), 0);
    const std = Math.max(state.width, state.lines.reduce((sum, line) => sum + length(line), 0) / 140); // at most 146
    return state.lines.flatMap((line, i) => Field.alongCurve(line, std, 1 + (i % 2)));
  }

  // The page's elements -----------------------------------------------------------------------------------------------

  function el(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }
  const button = (text, onclick, attributes = {}) => el("button", { type: "button", onclick, ...attributes }, text);
  const refreshers = []; // each brings one control to what the state says
  let ids = 0;

  /** A slider with its label and its value in words; `on` says whether it has an effect now. */
  function slider(label, [low, high, step], get, set, words = short, on = () => true) {
    const id = `field-${ids++}`, output = el("output", { for: id });
    const input = el("input", { id, type: "range", min: low, max: high, step, oninput: () => set(Number(input.value)) });
    refreshers.push(() => {
      input.disabled = !on();
      input.value = get();
      output.textContent = words(get());
      input.setAttribute("aria-valuetext", output.textContent);
    });
    return el("div", { class: "row" }, el("label", { for: id }, label), input, output);
  }

  function menu(label, options, get, set, on = () => true) {
    const id = `field-${ids++}`;
    const select = el("select", { id, onchange: () => set(select.value) });
    const fill = () => select.replaceChildren(...Object.entries(options()).map(([value, text]) => el("option", { value }, text)));
    refreshers.push(() => {
      if (select.length !== Object.keys(options()).length) fill();
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

  function choiceControls(name, title) {
    const of = () => state[name] || state.a, put = (key, value) => change({ [name]: { ...of(), [key]: value } });
    const dynamics = () => ["annealed", "langevin"].includes(of().sampler);
    const nearest = () => STEPS.findIndex((steps) => steps >= of().steps);
    const group = el("fieldset", { class: `choice ${name}` }, el("legend", {}, title),
      menu("Schedule", () => SCHEDULE_NAMES, () => of().schedule, (value) => put("schedule", value)),
      menu("Sampler", () => SAMPLER_NAMES, () => of().sampler, (value) => put("sampler", value)),
      slider("Steps", [0, STEPS.length - 1, 1], nearest, (value) => put("steps", STEPS[value]), () => String(of().steps)),
      slider("η", [0, 1, 0.05], () => of().eta, (value) => put("eta", value), (eta) => eta.toFixed(2), () => of().sampler === "ddim"),
      menu("Asked for", () => LABELS, () => String(of().label), (value) => put("label", Number(value))),
      slider("Guidance w", [0, 8, 0.5], () => of().w, (value) => put("w", value),
        (w) => (dynamics() ? "asks for a score" : w.toFixed(1)), () => of().label > 0 && !dynamics()));
    refreshers.push(() => (group.hidden = !state[name]));
    return group;
  }

  const mode = () => state.modes[view.chosen] || null;
  function putMode(values) {
    if (mode()) change({ modes: state.modes.map((m, k) => (k === view.chosen ? { ...m, ...values } : m)) });
  }
  function addMode(x, y) {
    view.chosen = state.modes.length;
    change({ modes: [...state.modes, Field.mode(x, y, 0.3, 0.3)].slice(0, 24), lines: [] });
  }
  function removeMode() {
    if (state.modes.length > 1) change({ modes: state.modes.filter((_, k) => k !== view.chosen) });
  }
  const modeSlider = (label, range, key, digits, unit = "") =>
    slider(label, range, () => (mode() ? mode()[key] : 0), (value) => putMode({ [key]: value }),
      (value) => (mode() ? value.toFixed(digits) + unit : "–"), () => mode() !== null);

  const caption = el("div", { class: "caption" });
  const scenes = el("nav", { class: "scenes", "aria-label": "Scenes" });
  const time = el("input", { id: "field-time", type: "range", min: 0, max: 1000, step: 1,
    oninput: () => { view.p = time.value / 1000; view.playing = false; wake(); } });
  const readout = el("output", { for: "field-time", class: "readout" });
  const play = button("Pause", () => { if (!view.playing && view.p >= 1) view.p = 0; view.playing = !view.playing; wake(); }, { class: "play" });
  const draw = button("Draw a line", () => { view.drawing = !view.drawing; refresh(); });
  const news = el("p", { class: "news", role: "status", "aria-live": "polite" });
  const table = el("table", { class: "results" });
  const sides = { a: side("a", "first choice"), b: side("b", "second choice") };

  /** A stage: its canvas, what is said over it, and the walk that it shows. */
  function side(name, title) {
    const help = `The plane, ${title}. Arrow keys move the mode that is marked, + and − weigh it, [ and ] mark another, ` +
      "Delete removes it, space plays.";
    const canvas = el("canvas", { tabindex: 0, role: "application", "aria-label": help, "aria-describedby": "field-news" });
    const told = el("figcaption", {}), figure = el("figure", { class: `stage ${name}` }, told, canvas);
    return { name, canvas, told, figure, ink: canvas.getContext("2d"), film: null, pending: null, dirty: true, shade: document.createElement("canvas") };
  }

  function build() {
    news.id = "field-news";
    const setData = (name) => { view.chosen = 0; const { modes, lines, width } = decode(DATA[name]); change({ modes, lines, width }); };
    const which = () => Object.fromEntries(state.modes.map((m, k) => [k, `mode ${k + 1} of ${state.modes.length}`]));
    const starts = () => ({ "": "choose …", ...Object.fromEntries(Object.keys(DATA).map((name) => [name, name])) });
    root.replaceChildren(
      scenes, caption,
      el("div", { class: "stages" }, sides.a.figure, sides.b.figure),
      el("div", { class: "transport", role: "group", "aria-label": "Film" },
        play, button("Replay", () => replay()), button("Step", () => stepOn()),
        el("label", { for: "field-time" }, "Time"), time, readout),
      news, table,
      el("div", { class: "panels" },
        choiceControls("a", "First choice"), choiceControls("b", "Second choice"),
        el("fieldset", {}, el("legend", {}, "The data"),
          menu("Begin with", starts, () => "", (name) => name && setData(name)),
          el("div", { class: "buttons" }, button("Add a mode", () => addMode(...freePlace())), button("Remove it", removeMode), draw),
          menu("Marked", which, () => String(view.chosen), (value) => { view.chosen = Number(value); refresh(); }, () => mode() !== null),
          modeSlider("x", [-4, 4, 0.05], "x", 2), modeSlider("y", [-2.9, 2.9, 0.05], "y", 2),
          modeSlider("Weight", [0.02, 1, 0.01], "weight", 2), modeSlider("Length", [0.05, 1.5, 0.01], "long", 2),
          modeSlider("Breadth", [0.05, 1.5, 0.01], "short", 2), modeSlider("Turned by", [-180, 180, 1], "angle", 0, "°"),
          menu("Class", () => ({ 1: "class 1", 2: "class 2" }), () => String(mode() ? mode().label : 1), (value) => putMode({ label: Number(value) }), () => mode() !== null),
          slider("Line's breadth", [0.05, 0.4, 0.01], () => state.width, (width) => change({ width }), (value) => value.toFixed(2), () => state.lines.length > 0)),
        el("fieldset", {}, el("legend", {}, "What you see"),
          menu("Direction", () => ({ back: "back: from noise to data", forward: "forward: from data to noise" }),
            () => (state.forward ? "forward" : "back"), (value) => { view.p = 0; view.playing = !still; change({ forward: value === "forward" }); }),
          tick("a second choice, side by side", () => state.b !== null, (on) => change({ b: on ? { ...state.a } : null })),
          ...["density", "arrows", "paths"].map((what) => tick({ density: "density", arrows: "arrows: σ · score", paths: "the paths of some points" }[what],
            () => view[what], (on) => { view[what] = on; wake(); })),
          el("div", { class: "buttons" }, button("New noise", () => change({ seed: state.seed + 1 })), button("Copy this scene’s address", copyAddress)))));
    for (const section of document.querySelectorAll("section[id]")) {
      if (!sceneOf(`#${section.id}`)) continue;
      const title = section.querySelector("h2, h3").firstChild.textContent;
      scenes.append(el("a", { href: `#${section.id}` }, title));
    }
  }

  function copyAddress() {
    save();
    const copied = navigator.clipboard ? navigator.clipboard.writeText(location.href) : Promise.reject();
    copied.then(() => say("The address is copied."), () => say("The address stands in the browser’s address bar: copy it from there."));
  }
  const save = () => history.replaceState(null, "", `#${encode(state)}`);
  const say = (text) => (news.textContent = text);

  /** A place for a new mode: of some, that which is farthest from the modes there are. */
  function freePlace() {
    const places = Array.from({ length: 24 }, (_, k) => [2 * Math.cos(k * 2.4) * Math.sqrt(k / 24), 2 * Math.sin(k * 2.4) * Math.sqrt(k / 24)]);
    const gap = ([x, y]) => Math.min(...data.map((m) => Math.hypot(m.x - x, m.y - y)));
    return places.reduce((best, place) => (gap(place) > gap(best) ? place : best));
  }

  /** Everything that changes the state comes through here: walks begin anew from the same noise, the address follows. */
  function change(values, keepAddress = false) {
    Object.assign(state, values);
    view.chosen = Math.min(view.chosen, Math.max(state.modes.length - 1, 0));
    data = components();
    for (const { name } of Object.values(sides)) sides[name].dirty = true;
    clearTimeout(saving);
    if (!keepAddress) saving = setTimeout(save, 300);
    if (!keepAddress && caption.firstChild) caption.replaceChildren();
    refresh();
  }
  function refresh() {
    for (const bring of refreshers) bring();
    draw.setAttribute("aria-pressed", view.drawing);
    root.classList.toggle("two", state.b !== null);
    wake();
  }

  /** Take the scene of the address, with what the page says of it. */
  function visit() {
    const scene = sceneOf(location.hash);
    if (!scene && !location.hash.includes("=")) return;
    view.p = 0;
    view.playing = !still;
    change(decode(SCENES[scene] || location.hash.slice(1)), true);
    caption.replaceChildren();
    if (!scene) return;
    const section = [...document.querySelectorAll("section[id]")].find(({ id }) => sceneOf(`#${id}`) === scene);
    if (section) caption.append(el("strong", {}, section.querySelector("h2, h3").firstChild.textContent), section.querySelector("p").cloneNode(true));
    for (const link of scenes.children) link.setAttribute("aria-current", sceneOf(link.hash) === scene);
    // The browser goes to the heading of that name, once all is loaded: the stage is what one wants to see.
    const come = () => requestAnimationFrame(() => setTimeout(() => root.scrollIntoView({ block: "start" })));
    if (document.readyState === "complete") come();
    else addEventListener("load", come);
  }

  // Walks -------------------------------------------------------------------------------------------------------------

  /** The walk that a side asks for, from its noise; the same seed gives both sides the same numbers. */
  function film(name) {
    const plan = Field.plan(state[name], data), count = 2 * PARTICLES;
    const start = Field.gaussian(Field.generator(state.seed))(new Float64Array(count));
    const noises = Array.from({ length: PARTICLES / CHUNK }, (_, c) => Field.gaussian(Field.generator(1000 * state.seed + c + 1)));
    if (state.forward) {
      const times = Field.timeGrid(FORWARD_STEPS).reverse();
      const x = plan.distribution.sample(PARTICLES, Field.generator(state.seed));
      return Object.assign(new Field.Trajectory(plan.denoiser, Field.forward, x, times, noises, CHUNK), { plan });
    }
    const size = state[name].sampler === "langevin" ? 1 : plan.denoiser.schedule.sigma(plan.times[0]);
    const walk = new Field.Trajectory(plan.denoiser, plan.step, start.map((z) => size * z), plan.times, noises, CHUNK);
    return Object.assign(walk, { plan, flat: state[name].sampler === "langevin" });
  }

  const reach = (walk) => (walk.complete ? 1 : Math.max(walk.states.length - 1.001, 0) / (walk.times.length - 1));
  const shown = () => Object.values(sides).filter(({ name }) => state[name]);

  /** Go on with the walks until the deadline. A new one is shown when it has come to where the old one is looked at. */
  function compute(deadline) {
    let busy = false;
    for (const side of shown()) {
      if (side.dirty && !side.pending) [side.pending, side.dirty] = [film(side.name), false];
      const walk = side.pending || side.film, share = (deadline - performance.now()) / (state.b && side.name === "a" ? 2 : 1);
      if (!walk.complete) walk.advance(performance.now() + Math.max(share, 0.5));
      if (side.pending && (reach(walk) >= view.p || !side.film || side.film.flat !== walk.flat)) [side.film, side.pending] = [walk, null];
      if (side.film.complete && !side.film.found && !side.pending) judge(side.film);
      busy = busy || side.dirty || side.pending !== null || !side.film.complete;
    }
    return busy;
  }

  /** What the samples of a walk are worth, beside as many draws of the data. */
  function judge(walk) {
    const { distribution } = walk.plan;
    const real = distribution.sample(PARTICLES, Field.generator(0));
    walk.real = Field.quality(real, distribution);
    walk.found = state.forward ? walk.real : Field.quality(walk.states[walk.states.length - 1], distribution);
    tell();
  }

  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const COLUMNS = {
    "": ({ title }) => title,
    Good: ({ found }) => percent(found.good),
    Modes: ({ found, size }) => `${found.covered} of ${size}`,
    Spread: ({ found }) => found.spread.toFixed(2),
    "Mode 1": ({ found }) => percent(found.shares[0]),
    Calls: ({ calls }) => calls,
  };
  function tell() {
    const walks = shown().map(({ film, name }) => ({ ...film, name }));
    if (!walks.every(({ found }) => found)) return;
    const same = !state.b || state.a.label === state.b.label, size = ({ plan }) => plan.distribution.size;
    const ours = walks.map((walk) => (
      { title: { a: "first", b: "second" }[walk.name], name: walk.name, found: walk.found, size: size(walk), calls: walk.plan.evaluations }));
    const real = (same ? walks.slice(0, 1) : walks).map((walk) => (
      { title: `real${same ? "" : `, ${LABELS[state[walk.name].label]}`}`, name: "real", found: walk.real, size: size(walk), calls: "–" }));
    table.hidden = state.forward;
    table.replaceChildren(
      el("thead", {}, el("tr", {}, ...Object.keys(COLUMNS).map((name) => (name ? el("th", { scope: "col" }, name) : el("td"))))),
      el("tbody", {}, ...[...ours, ...real].map((row) => el("tr", { class: row.name }, ...Object.values(COLUMNS).map((cell, i) => (
        el(i ? "td" : "th", i ? {} : { scope: "row" }, String(cell(row)))))))));
  }

  /** Where on its film a walk stands at p: the state k, how far to the next, and the time there. */
  function at(walk, p) {
    const last = walk.times.length - 1, k = Math.min(Math.floor(p * last + 1e-9), walk.states.length - 1, last);
    const far = k < walk.states.length - 1 ? Math.min(p * last - k, 1) : 0, { times } = walk;
    return { k, far, last, t: walk.flat ? 0 : far ? times[k] + far * (times[k + 1] - times[k]) : times[k] };
  }

  function replay() {
    view.p = 0;
    view.playing = !still;
    wake();
  }
  function stepOn() {
    const { k, last } = at(sides.a.film, view.p);
    view.playing = false;
    view.p = k >= last ? 0 : (k + 1) / last;
    wake();
  }

  // Drawing -----------------------------------------------------------------------------------------------------------

  let colours = {}, asked = 0, before = 0, mean = 0;
  function readColours() {
    const style = getComputedStyle(root);
    for (const name of ["data", "model", "exact", "rival", "ink", "card"]) colours[name] = style.getPropertyValue(`--${name}`).trim();
    colours.rgb = [1, 3, 5].map((i) => parseInt(colours.data.slice(i, i + 2), 16));
    colours.version = (colours.version || 0) + 1;
  }

  /** Fit the canvases to their places: one is wide, two are square. */
  function fit() {
    for (const side of shown()) {
      const width = side.canvas.clientWidth, height = side.canvas.clientHeight, dots = Math.min(devicePixelRatio || 1, 2);
      if (!width || (side.width === width && side.height === height && side.dots === dots)) continue;
      Object.assign(side, { width, height, dots, scale: height / (2 * HALF) });
      [side.canvas.width, side.canvas.height] = [width * dots, height * dots];
    }
  }

  /** VE's plane is drawn 1/√(1 + σ²) as large, or its noise would fill a house. */
  const zoom = (walk, t) => (walk.plan.denoiser.schedule.name === "ve" && !walk.flat ? 1 / Math.sqrt(1 + walk.plan.denoiser.schedule.sigma(t) ** 2) : 1);

  function paintDensity(side, walk, t, zoomed) {
    const cell = 5, width = Math.ceil(side.width / cell), height = Math.ceil(side.height / cell);
    const key = [t.toFixed(4), width, height, colours.version].join();
    if (side.key !== key || side.of !== walk.plan) {
      [side.key, side.of] = [key, walk.plan];
      const h = cell / side.scale / zoomed, { schedule } = walk.plan.denoiser;
      const grid = { x: (0.5 - width / 2) * h, y: ((side.height / cell - 1) / 2) * h, h, width, height };
      side.grid = Field.densityGrid(walk.plan.distribution, schedule.alpha(t), schedule.sigma(t), grid, side.grid && side.grid.length === width * height ? side.grid : undefined);
      [side.shade.width, side.shade.height] = [width, height];
      const ink = side.shade.getContext("2d"), image = ink.createImageData(width, height), [r, g, b] = colours.rgb;
      const top = side.grid.reduce((most, q) => (q > most ? q : most), 1e-300);
      for (let i = 0, j = 0; i < side.grid.length; i++, j += 4) {
        image.data[j] = r;
        image.data[j + 1] = g;
        image.data[j + 2] = b;
        image.data[j + 3] = 150 * Math.sqrt(side.grid[i] / top);
      }
      ink.putImageData(image, 0, 0);
    }
    side.ink.drawImage(side.shade, (side.width - width * cell) / 2, 0, width * cell, height * cell);
  }

  /** σ · score = −ε̂ at a grid of places, as slim triangles; guided, it is what the walk is told instead. */
  function paintArrows(side, walk, t, zoomed) {
    const gap = side.width / Math.round(side.width / 38), rows = Math.round(side.height / gap), places = [];
    for (let row = 0; row < rows; row++) for (let x = gap / 2; x < side.width; x += gap) places.push([x, ((row + 0.5) * side.height) / rows]);
    const x = Float64Array.from(places.flatMap(([left, top]) => [(left - side.width / 2) / side.scale / zoomed, (side.height / 2 - top) / side.scale / zoomed]));
    const { eps } = walk.plan.denoiser(x, Math.min(Math.max(t, EARLIEST), 1)), { ink } = side;
    ink.fillStyle = colours.exact;
    ink.globalAlpha = 0.6;
    ink.beginPath();
    places.forEach(([left, top], i) => {
      const u = -eps[2 * i], v = eps[2 * i + 1], size = Math.hypot(u, v), far = (0.8 * gap * Math.tanh(size / 1.5)) / (size || 1);
      ink.moveTo(left + u * far, top + v * far);
      ink.lineTo(left - (v / (size || 1)) * 1.4, top + (u / (size || 1)) * 1.4);
      ink.lineTo(left + (v / (size || 1)) * 1.4, top - (u / (size || 1)) * 1.4);
    });
    ink.fill();
  }

  function paint(side) {
    const walk = side.film, { ink, width, height, scale } = side;
    if (!walk || !width) return;
    const { k, far, last, t } = at(walk, view.p), zoomed = zoom(walk, t), now = walk.states[k], next = walk.states[k + 1] || now;
    const size = (i) => (walk.flat ? 1 : zoom(walk, walk.times[Math.min(i, last)])) * scale, here = size(k) * (1 - far), there = size(k + 1) * far;
    const left = (i) => width / 2 + here * now[2 * i] + there * next[2 * i], top = (i) => height / 2 - here * now[2 * i + 1] - there * next[2 * i + 1];
    ink.setTransform(side.dots, 0, 0, side.dots, 0, 0);
    ink.globalAlpha = 1;
    ink.fillStyle = colours.card;
    ink.fillRect(0, 0, width, height);
    if (view.density) paintDensity(side, walk, t, zoomed);
    if (view.arrows) paintArrows(side, walk, t, zoomed);
    ink.strokeStyle = ink.fillStyle = state.forward ? colours.data : side.name === "a" ? colours.model : colours.rival;
    if (view.paths) {
      ink.globalAlpha = 0.7;
      ink.beginPath();
      for (let i = 0; i < PATHS; i++) {
        for (let j = 0; j <= k; j++) ink[j ? "lineTo" : "moveTo"](width / 2 + size(j) * walk.states[j][2 * i], height / 2 - size(j) * walk.states[j][2 * i + 1]);
        ink.lineTo(left(i), top(i));
      }
      ink.stroke();
    }
    ink.globalAlpha = 0.6;
    for (let i = 0; i < PARTICLES; i++) ink.fillRect(left(i) - 1, top(i) - 1, 2, 2);
    paintModes(side, walk, view.p >= 1);
    const { schedule, sampler, steps } = state[side.name], step = state.forward ? "" : `, step ${k} of ${steps}`;
    const what = state.forward ? SCHEDULE_NAMES[schedule] : `${SCHEDULE_NAMES[schedule]} · ${SAMPLER_NAMES[sampler]}`;
    const told = `${what} · ${walk.flat ? "clean data" : `t = ${t.toFixed(2)}`}${step}`;
    if (side.told.textContent !== told) side.told.textContent = told;
  }

  /** The modes as one holds them: the middle moves one, the ends of its axes stretch and turn it. */
  function paintModes(side, walk, ended) {
    const { ink, width, height, scale } = side, place = (x, y) => [width / 2 + x * scale, height / 2 - y * scale];
    ink.strokeStyle = ink.fillStyle = colours.ink;
    ink.font = "12px system-ui, sans-serif";
    ink.textAlign = "center";
    state.modes.forEach((m, k) => {
      const [x, y] = place(m.x, m.y), ours = k === view.chosen;
      ink.globalAlpha = ours ? 1 : 0.45;
      ink.lineWidth = ours ? 1.5 : 1;
      ink.setLineDash(m.label === 2 ? [4, 3] : []);
      ink.beginPath();
      ink.ellipse(x, y, 2 * m.long * scale, 2 * m.short * scale, (-m.angle * Math.PI) / 180, 0, 2 * Math.PI);
      ink.stroke();
      ink.setLineDash([]);
      for (const [hx, hy] of ours ? [[m.x, m.y], ...handles(m)] : [[m.x, m.y]]) {
        ink.beginPath();
        ink.arc(...place(hx, hy), ours ? 4 : 2.5, 0, 2 * Math.PI);
        ink.fill();
      }
    });
    const all = walk.plan.distribution.size === state.modes.length, few = state.modes.length > 1 && state.modes.length < 5;
    if (!ended || state.forward || !walk.found || !all || !few) return;
    ink.globalAlpha = 1;
    state.modes.forEach((m, k) => {
      const low = Math.min(...[...handles(m), ...handles({ ...m, angle: m.angle + 180 })].map(([, y]) => y)), [x, y] = place(m.x, low);
      const [is, real] = [walk.found.shares[k], walk.plan.distribution.weights[k]].map((share) => (100 * share).toFixed(0));
      ink.fillText(`${is} % (real ${real} %)`, x, Math.min(y + 18, height - 5));
    });
  }
  function handles(m) {
    const c = Math.cos((m.angle * Math.PI) / 180), s = Math.sin((m.angle * Math.PI) / 180);
    return [[m.x + 2 * m.long * c, m.y + 2 * m.long * s], [m.x - 2 * m.short * s, m.y + 2 * m.short * c]];
  }

  function wake() {
    if (!asked) asked = requestAnimationFrame(frame);
  }

  function frame(now) {
    asked = 0;
    const began = performance.now(), passed = before ? Math.min(now - before, 50) : 16;
    fit();
    const busy = compute(began + BUDGET), computed = performance.now() - began;
    const ready = Math.min(...shown().map(({ film }) => reach(film)));
    if (view.playing) view.p = Math.min(view.p + passed / FILM, Math.max(ready, view.p));
    if (view.playing && view.p >= 1) {
      view.playing = false;
      announce();
    }
    for (const side of shown()) paint(side);
    mean = mean ? 0.95 * mean + 0.05 * (performance.now() - began) : performance.now() - began;
    time.value = 1000 * view.p;
    play.textContent = view.playing ? "Pause" : "Play";
    const { t, k, last } = at(sides.a.film, view.p), told = `t = ${t.toFixed(2)}`;
    readout.textContent = told;
    time.setAttribute("aria-valuetext", `${told}, step ${k} of ${last}`);
    Object.assign(root.playground, { computed, frame: performance.now() - began, mean });
    before = view.playing || busy ? now : 0;
    if (view.playing || busy) wake();
  }

  function announce() {
    const found = shown().map(({ film, name }) => film.found && `${name === "a" ? "First" : "Second"} choice: ${percent(film.found.good)} good samples, ${percent(film.real.good)} of real data.`);
    if (!state.forward) say(found.filter(Boolean).join(" "));
  }

  // Hands -------------------------------------------------------------------------------------------------------------

  function pointer(side) {
    const { canvas } = side;
    let held = null, line = [];
    const where = (event) => {
      const box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left - side.width / 2) / side.scale, (side.height / 2 - event.clientY + box.top) / side.scale];
    };
    /** What lies under a place: a handle of the marked mode, or a mode's middle. */
    const grip = ([x, y], touch) => {
      const near = (touch ? 24 : 12) / side.scale, chosen = mode();
      if (chosen) for (const [i, [hx, hy]] of handles(chosen).entries()) if (Math.hypot(hx - x, hy - y) < near) return { what: i ? "short" : "long" };
      const gaps = state.modes.map((m) => Math.hypot(m.x - x, m.y - y)), k = gaps.indexOf(Math.min(...gaps));
      const inside = k >= 0 && gaps[k] < Math.max(near, state.modes[k].short);
      return inside ? { what: "move", k, dx: state.modes[k].x - x, dy: state.modes[k].y - y } : null;
    };
    canvas.addEventListener("touchstart", (event) => (view.drawing || grip(where(event.touches[0]), true)) && event.preventDefault(), { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      held = view.drawing ? { what: "draw" } : grip(where(event), event.pointerType === "touch");
      if (!held) return;
      canvas.setPointerCapture(event.pointerId);
      line = [where(event)];
      if (held.what === "move") view.chosen = held.k;
      refresh();
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = where(event), m = mode();
      if (!held) canvas.style.cursor = view.drawing ? "crosshair" : grip([x, y]) ? "grab" : "default";
      else if (held.what === "draw") {
        if (Math.hypot(x - line[line.length - 1][0], y - line[line.length - 1][1]) > 0.04) line.push([x, y]);
        side.ink.fillStyle = colours.data;
        side.ink.fillRect(side.width / 2 + x * side.scale - 2, side.height / 2 - y * side.scale - 2, 4, 4);
      } else if (held.what === "move") putMode({ x: clamp(x + held.dx, -6, 6), y: clamp(y + held.dy, -HALF, HALF) });
      else {
        const turn = (Math.atan2(y - m.y, x - m.x) * 180) / Math.PI - (held.what === "short" ? 90 : 0);
        putMode({ angle: turn, [held.what]: clamp(Math.hypot(x - m.x, y - m.y) / 2, 0.05, 1.5) });
      }
    });
    const release = () => {
      if (held && held.what === "draw" && line.length > 1) {
        const every = Math.max(1, Math.ceil(line.length / 60)), kept = line.filter((_, i) => i % every === 0 || i === line.length - 1);
        view.drawing = false;
        change({ lines: [...state.lines, kept].slice(-6), modes: [] });
      }
      held = null;
    };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("dblclick", (event) => !grip(where(event)) && addMode(...where(event)));
    canvas.addEventListener("keydown", (event) => {
      const m = mode(), far = event.shiftKey ? 0.25 : 0.05, count = state.modes.length;
      const acts = {
        ArrowLeft: () => putMode({ x: clamp(m.x - far, -6, 6) }), ArrowRight: () => putMode({ x: clamp(m.x + far, -6, 6) }),
        ArrowUp: () => putMode({ y: clamp(m.y + far, -HALF, HALF) }), ArrowDown: () => putMode({ y: clamp(m.y - far, -HALF, HALF) }),
        "+": () => putMode({ weight: clamp(m.weight + 0.05, 0.02, 1) }), "-": () => putMode({ weight: clamp(m.weight - 0.05, 0.02, 1) }),
        "]": () => (view.chosen = (view.chosen + 1) % count), "[": () => (view.chosen = (view.chosen + count - 1) % count),
        Delete: removeMode, " ": () => play.click(),
      };
      if (!Object.hasOwn(acts, event.key) || (!m && event.key !== " ")) return;
      event.preventDefault();
      acts[event.key]();
      refresh();
    });
  }

  root.playground = { state, view, sides, change, encode: () => encode(state) };
  build();
  readColours();
  for (const name of Object.keys(sides)) pointer(sides[name]);
  new MutationObserver(() => { readColours(); wake(); }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  new ResizeObserver(wake).observe(root);
  addEventListener("hashchange", visit);
  refresh();
  if (location.hash.length > 1) visit();
})();
