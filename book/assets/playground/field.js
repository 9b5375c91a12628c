/** The field in the page: what is drawn and what one can do. See field_math.js for how, field_scenes.js for what. */
(() => {
  "use strict";
  const root = document.getElementById("field");
  if (!root) return;

  const { NAMES, TOP, DATA, SCENES, sceneOf, clamp, short, decode, encode, components } = FieldScenes;
  const { PI, ceil, cos, floor, hypot, max, min, round, sin, sqrt, tanh } = Math;
  const PARTICLES = 2000, CHUNK = 125, BUDGET = 3; // points, in pieces; milliseconds of a frame for the walks
  const FILM = 7000, FORWARD_STEPS = 60; // milliseconds from one end of time to the other
  const ARROWS = 38, LEAST_NOISE = 0.15, PATHS = 24; // pixels from arrow to arrow; their least σ/α; how many
  const STEPS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200];
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const state = decode("");
  const view = { p: 0, playing: !still, chosen: 0, drawing: false, density: true, arrows: true, paths: false };
  let data = components(state), saving = 0;

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
  const refreshers = []; // each brings one control to what the state says
  let ids = 0;

  /** A row with a slider; `on` says whether it has an effect now, `words` what its value is called. */
  function slider(label, [low, high, step], get, set, { words = short, on = () => true } = {}) {
    const id = `field-${ids++}`, output = el("output", { for: id, "aria-live": "off" });
    const oninput = () => set(Number(input.value));
    const input = el("input", { id, type: "range", min: low, max: high, step, oninput });
    refreshers.push(() => {
      input.disabled = !on();
      input.value = get();
      output.textContent = words(get());
      input.setAttribute("aria-valuetext", output.textContent);
    });
    return el("div", { class: "row" }, el("label", { for: id }, label), input, output);
  }

  /** A row with a menu; options() are {value: text}. */
  function menu(label, options, get, set, on = () => true) {
    const id = `field-${ids++}`, select = el("select", { id, onchange: () => set(select.value) });
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

  const news = el("p", { class: "news", role: "status", "aria-live": "polite" });
  const caption = el("div", { class: "caption" }), table = el("table", { class: "results" });
  const scenes = el("nav", { class: "scenes", "aria-label": "Scenes" });
  const readout = el("output", { for: "field-time", class: "readout", "aria-live": "off" });
  const time = el("input", { id: "field-time", type: "range", min: 0, max: 1000, oninput: () => scrub(time.value / 1000) });
  const play = button("Pause", () => look({ playing: !view.playing, p: view.p < 1 ? view.p : 0 }), { class: "play" });
  const draw = button("Draw a line", () => look({ drawing: !view.drawing }));
  const sides = { a: side("a", "first choice"), b: side("b", "second choice") };
  const shown = () => Object.values(sides).filter(({ name }) => state[name]);

  /** A stage: its canvas, what is said under it, the walk that it shows, and the one that is computed for it. */
  function side(name, title) {
    const keys = "Arrow keys move the marked mode, plus and minus weigh it, brackets mark another, Delete removes it";
    const label = `The plane, ${title}. ${keys}, space plays.`;
    const canvas = el("canvas", { tabindex: 0, role: "application", "aria-label": label });
    const told = el("figcaption"), figure = el("figure", { class: `stage ${name}` }, told, canvas);
    const shade = document.createElement("canvas");
    return { name, canvas, told, figure, shade, ink: canvas.getContext("2d"), film: null, pending: null, dirty: true };
  }

  function choicePanel(name, title) {
    const of = (key) => (state[name] || state.a)[key];
    const put = (key, value) => change({ [name]: { ...state[name], [key]: value } });
    const unguided = () => ["annealed", "langevin"].includes(of("sampler"));
    const named = (label, key) => menu(label, () => NAMES[key], () => String(of(key)), (value) => put(key, value));
    const panel = el("fieldset", { class: name }, el("legend", {}, title),
      named("Schedule", "schedule"),
      named("Sampler", "sampler"),
      slider("Steps", [0, STEPS.length - 1, 1], () => STEPS.findIndex((steps) => steps >= of("steps")),
        (value) => put("steps", STEPS[value]), { words: () => String(of("steps")) }),
      slider("η", [0, 1, 0.05], () => of("eta"), (value) => put("eta", value), { on: () => of("sampler") === "ddim" }),
      menu("Asked for", () => NAMES.label, () => String(of("label")), (value) => put("label", Number(value))),
      slider("Guidance w", [0, 8, 0.5], () => of("w"), (value) => put("w", value),
        { words: (w) => (unguided() ? "none" : short(w)), on: () => of("label") > 0 && !unguided() }));
    refreshers.push(() => (panel.hidden = !state[name]));
    return panel;
  }

  const marked = () => state.modes[view.chosen] || null;
  const ours = (_, k) => k === view.chosen;
  const put = (values) => change({ modes: state.modes.map((m, k) => (ours(m, k) ? { ...m, ...values } : m)) });
  const remove = () => state.modes.length > 1 && change({ modes: state.modes.filter((m, k) => !ours(m, k)) });
  function add(x, y) {
    view.chosen = min(state.modes.length, 23);
    change({ modes: [...state.modes, Field.mode(x, y, 0.3, 0.3)].slice(0, 24), lines: [] });
  }
  /** A place for a new mode: of some, the one farthest from the data. */
  function freePlace() {
    const spot = (_, k) => [2 * cos(2.4 * k) * sqrt(k / 24), 2 * sin(2.4 * k) * sqrt(k / 24)];
    const places = Array.from({ length: 24 }, spot);
    const gap = ([x, y]) => min(...data.map((m) => hypot(m.x - x, m.y - y)));
    return places.reduce((best, place) => (gap(place) > gap(best) ? place : best));
  }

  function dataPanel() {
    const on = () => marked() !== null;
    const starts = () => Object.fromEntries([["", "choose …"], ...Object.keys(DATA).map((name) => [name, name])]);
    const which = () => Object.fromEntries(state.modes.map((_, k) => [k, `mode ${k + 1} of ${state.modes.length}`]));
    const begin = (name) => {
      const { modes, lines, breadth } = decode(DATA[name]);
      change({ modes, lines, breadth });
    };
    const ofMode = (label, range, key, unit = "") => slider(label, range, () => (on() ? marked()[key] : 0),
      (value) => put({ [key]: value }), { words: (value) => (on() ? short(value, 2) + unit : "–"), on });
    return el("fieldset", {}, el("legend", {}, "The data"),
      menu("Begin with", starts, () => "", begin),
      el("div", { class: "buttons" }, button("Add a mode", () => add(...freePlace())), button("Remove it", remove), draw),
      menu("Marked", which, () => String(view.chosen), (value) => look({ chosen: Number(value) }), on),
      ofMode("x", [-4, 4, 0.05], "x"), ofMode("y", [-TOP, TOP, 0.05], "y"), ofMode("Weight", [0.02, 1, 0.01], "weight"),
      ofMode("Length", [0.05, 1.5, 0.01], "long"), ofMode("Breadth", [0.05, 1.5, 0.01], "short"),
      ofMode("Turned by", [-180, 180, 1], "angle", "°"),
      menu("Class", () => ({ 1: "class 1", 2: "class 2" }), () => String(on() ? marked().label : 1),
        (value) => put({ label: Number(value) }), on),
      slider("Line’s breadth", [0.05, 0.4, 0.01], () => state.breadth, (breadth) => change({ breadth }),
        { on: () => state.lines.length > 0 }));
  }

  function viewPanel() {
    const ways = { back: "back: noise to data", forward: "forward: data to noise" };
    const words = { density: "density", arrows: "arrows of the score", paths: "paths of some points" };
    return el("fieldset", {}, el("legend", {}, "What you see"),
      menu("Direction", () => ways, () => (state.forward ? "forward" : "back"), (way) => {
        change({ forward: way === "forward" });
        look({ p: 0, playing: !still });
      }),
      tick("a second choice, beside the first", () => state.b !== null,
        (on) => change({ b: on ? { ...state.a } : null })),
      ...Object.keys(words).map((name) => tick(words[name], () => view[name], (on) => look({ [name]: on }))),
      el("div", { class: "buttons" },
        button("New noise", () => change({ seed: state.seed + 1 })),
        button("Copy this scene’s address", copyAddress)));
  }

  const headings = () => [...document.querySelectorAll("section[id]")].filter(({ id }) => sceneOf(`#${id}`));
  const titleOf = (section) => section.querySelector("h2, h3").firstChild.textContent;
  function build() {
    const again = (event) => event.target.hash === location.hash && visit(); // no hashchange tells of it
    const link = (section) => el("a", { href: `#${section.id}`, onclick: again }, titleOf(section));
    scenes.append(...headings().map(link));
    const film = el("div", { class: "transport", role: "group", "aria-label": "Film" }, play,
      button("Replay", () => look({ p: 0, playing: true })), button("Step", stepOn),
      el("label", { for: "field-time" }, "Time"), time, readout);
    const panels = [choicePanel("a", "First choice"), choicePanel("b", "Second choice"), dataPanel(), viewPanel()];
    root.replaceChildren(scenes, caption, el("div", { class: "stages" }, sides.a.figure, sides.b.figure), film,
      news, table, el("div", { class: "panels" }, ...panels));
  }

  const save = () => history.replaceState(null, "", `#${encode(state)}`);
  function copyAddress() {
    save();
    const copied = navigator.clipboard ? navigator.clipboard.writeText(location.href) : Promise.reject();
    const say = (text) => () => (news.textContent = text);
    copied.then(say("The address is copied."), say("Copy the address from the browser’s bar."));
  }

  /** All that changes the state comes through here: walks begin anew, from the same noise; the address follows. */
  function change(values, ofScene = false) {
    Object.assign(state, values);
    view.chosen = max(min(view.chosen, state.modes.length - 1), 0);
    data = components(state);
    sides.a.dirty = sides.b.dirty = true;
    clearTimeout(saving);
    if (!ofScene) {
      saving = setTimeout(save, 300);
      mark(null); // its words stay: to take them away would move the stage under the hand
    }
    refresh();
  }
  /** What is looked at, and how: nothing is computed anew. */
  function look(values) {
    Object.assign(view, values);
    refresh();
  }
  const scrub = (p) => look({ p, playing: false });
  function stepOn() {
    const { k, last } = at(sides.a.film, view.p);
    scrub(k >= last ? 0 : (k + 1) / last);
  }
  function refresh() {
    for (const bring of refreshers) bring();
    draw.setAttribute("aria-pressed", view.drawing);
    root.classList.toggle("two", state.b !== null);
    wake();
  }

  /** Show what the address says: a scene, with the words that the page has for it, or a state. */
  function visit() {
    const scene = sceneOf(location.hash);
    if (!scene && !location.hash.includes("=")) return;
    change(decode(SCENES[scene] || location.hash.slice(1)), true);
    look({ p: 0, playing: !still, chosen: 0 });
    mark(scene);
    const section = headings().find(({ id }) => sceneOf(`#${id}`) === scene);
    caption.replaceChildren();
    if (section) caption.append(el("strong", {}, titleOf(section)), section.querySelector("p").cloneNode(true));
    // The browser goes to the heading of that name when all is loaded: the stage is what one wants to see.
    const come = () => setTimeout(() => root.scrollIntoView({ block: "start" }), 60);
    if (scene && document.readyState === "complete") come();
    else if (scene) addEventListener("load", come);
  }
  function mark(scene) {
    for (const link of scenes.children) link.setAttribute("aria-current", sceneOf(link.hash) === scene);
  }

  // Walks -------------------------------------------------------------------------------------------------------------

  /** The walk that a side asks for; the same seed gives both sides the same random numbers. */
  function walkOf(name) {
    const plan = Field.plan(state[name], data), { denoiser, distribution, times } = plan;
    const flat = state[name].sampler === "langevin", random = Field.generator(1000 * state.seed);
    const noise = (_, c) => Field.gaussian(Field.generator(1000 * state.seed + c + 1));
    const noises = Array.from({ length: PARTICLES / CHUNK }, noise);
    if (state.forward) {
      const way = Field.timeGrid(FORWARD_STEPS).reverse(), x = distribution.sample(PARTICLES, random);
      return Object.assign(new Field.Trajectory(denoiser, Field.forward, x, way, noises, CHUNK), { plan, flat: false });
    }
    const z = Field.gaussian(random)(new Float64Array(2 * PARTICLES));
    const size = flat ? 1 : denoiser.schedule.sigma(times[0]);
    const walk = new Field.Trajectory(denoiser, plan.step, z.map((value) => size * value), times, noises, CHUNK);
    return Object.assign(walk, { plan, flat });
  }

  /** How far along its film a walk is computed. */
  const reach = (walk) => (walk.complete ? 1 : max(walk.states.length - 1.001, 0) / (walk.times.length - 1));

  /** Go on with the walks until the deadline. A new one is shown when it has come to where the old one is looked at. */
  function compute(deadline) {
    let busy = false;
    for (const side of shown()) {
      if (side.dirty && !side.pending) [side.pending, side.dirty] = [walkOf(side.name), false];
      const walk = side.pending || side.film, now = performance.now(), half = state.b && side.name === "a";
      if (!walk.complete) walk.advance(now + max((deadline - now) / (half ? 2 : 1), 0.5));
      if (side.pending && (!side.film || reach(walk) >= view.p)) [side.film, side.pending] = [walk, null];
      if (side.film.complete && !side.film.found && !side.pending) judge(side.film);
      busy = busy || side.dirty || side.pending !== null || !side.film.complete;
    }
    return busy;
  }

  /** What the samples of a walk are worth, beside as many draws of the data. */
  function judge(walk) {
    const { distribution } = walk.plan;
    walk.real = Field.quality(distribution.sample(PARTICLES, Field.generator(0)), distribution);
    walk.found = Field.quality(walk.states[walk.states.length - 1], distribution);
    tell();
  }

  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  function tell() {
    if (!shown().every(({ film }) => film && film.found)) return;
    const row = (name, title, { good, covered, spread, shares }, size, calls) => {
      const cells = [percent(good), `${covered} of ${size}`, spread.toFixed(2), percent(shares[0]), String(calls)];
      return el("tr", { class: name }, el("th", { scope: "row" }, title), ...cells.map((text) => el("td", {}, text)));
    };
    const same = !state.b || state.a.label === state.b.label, ours = [], real = [];
    for (const { name, film } of shown()) {
      const size = film.plan.distribution.size, title = same ? "real" : `real, ${NAMES.label[state[name].label]}`;
      ours.push(row(name, { a: "first", b: "second" }[name], film.found, size, film.plan.evaluations));
      if (!same || name === "a") real.push(row("real", title, film.real, size, "–"));
    }
    const head = ["Good", "Modes", "Spread", "Mode 1", "Calls"].map((title) => el("th", { scope: "col" }, title));
    table.hidden = state.forward;
    table.replaceChildren(el("thead", {}, el("tr", {}, el("td"), ...head)), el("tbody", {}, ...ours, ...real));
  }

  /** Where a walk stands at p of its film: after which step k, how far to the next, and the time. */
  function at(walk, p) {
    const last = walk.times.length - 1, k = min(floor(p * last + 1e-9), walk.states.length - 1);
    const far = k < walk.states.length - 1 ? clamp(p * last - k, 0, 1, 0) : 0, [t, s] = walk.times.subarray(k, k + 2);
    return { k, far, last, t: walk.flat ? 0 : far > 0 ? t + far * (s - t) : t };
  }

  // Drawing -----------------------------------------------------------------------------------------------------------

  const colours = { version: 0 };
  function readColours() {
    const style = getComputedStyle(root);
    const names = ["data", "model", "exact", "rival", "ink", "card"];
    for (const name of names) colours[name] = style.getPropertyValue(`--${name}`).trim();
    colours.rgb = [1, 3, 5].map((i) => parseInt(colours.data.slice(i, i + 2), 16));
    colours.version++;
    wake();
  }

  function fit(side) {
    const width = side.canvas.clientWidth, height = side.canvas.clientHeight, dots = min(devicePixelRatio || 1, 2);
    if (!width || (side.width === width && side.height === height && side.dots === dots)) return;
    Object.assign(side, { width, height, dots, scale: height / (2 * TOP) });
    Object.assign(side.canvas, { width: width * dots, height: height * dots });
  }

  /** VE's plane is drawn 1/√(1 + σ²) as large, since its noise reaches fifty times as far as the stage. */
  function zoom({ flat, plan: { denoiser: { schedule } } }, t) {
    return schedule.name === "ve" && !flat ? 1 / sqrt(1 + schedule.sigma(t) ** 2) : 1;
  }

  function paintDensity(side, { plan }, t, scale) {
    const cell = plan.distribution.size > 24 ? 8 : 5, { schedule } = plan.denoiser; // pixels of a patch of the shade
    const width = ceil(side.width / cell), height = ceil(side.height / cell), h = cell / scale;
    const key = [t.toFixed(4), width, height, colours.version].join();
    if (side.key !== key || side.of !== plan) {
      Object.assign(side, { key, of: plan });
      const grid = { x: (0.5 - width / 2) * h, y: ((side.height / cell - 1) / 2) * h, h, width, height };
      const q = Field.densityGrid(plan.distribution, schedule.alpha(t), schedule.sigma(t), grid);
      Object.assign(side.shade, { width, height });
      const ink = side.shade.getContext("2d"), image = ink.createImageData(width, height), [r, g, b] = colours.rgb;
      const top = q.reduce((most, value) => (value > most ? value : most), 1e-300);
      for (let i = 0, j = 0; i < q.length; i++) {
        image.data[j++] = r;
        image.data[j++] = g;
        image.data[j++] = b;
        image.data[j++] = 150 * sqrt(q[i] / top);
      }
      ink.putImageData(image, 0, 0);
    }
    side.ink.drawImage(side.shade, (side.width - width * cell) / 2, 0, width * cell, height * cell);
  }

  /** The score at a grid of places: slim triangles, longer where σ·score is; guided, what a point is told instead. */
  function paintArrows({ ink, width, height }, { plan: { denoiser } }, t, scale) {
    const columns = round(width / ARROWS), rows = round(height / ARROWS), count = columns * rows;
    const x = new Float64Array(2 * count);
    for (let i = 0; i < count; i++) {
      x[2 * i] = (((i % columns) + 0.5) / columns - 0.5) * (width / scale);
      x[2 * i + 1] = (0.5 - (floor(i / columns) + 0.5) / rows) * (height / scale);
    }
    const { eps } = denoiser(x, min(max(t, Field.timeOf(denoiser.schedule, -2 * Math.log(LEAST_NOISE))), 1));
    ink.fillStyle = colours.exact;
    ink.globalAlpha = 0.6;
    ink.beginPath();
    for (let i = 0; i < count; i++) {
      const left = width / 2 + scale * x[2 * i], top = height / 2 - scale * x[2 * i + 1];
      const size = hypot(eps[2 * i], eps[2 * i + 1]) || 1;
      const u = -eps[2 * i] / size, v = eps[2 * i + 1] / size, far = 0.8 * ARROWS * tanh(size / 1.5);
      ink.moveTo(left + u * far, top + v * far);
      ink.lineTo(left - 1.5 * v, top + 1.5 * u);
      ink.lineTo(left + 1.5 * v, top - 1.5 * u);
    }
    ink.fill();
  }

  function paint(side) {
    const { film: walk, ink, width, height, scale, name } = side, { k, far, last, t } = at(walk, view.p);
    const now = walk.states[k], next = walk.states[k + 1] || now;
    const size = (i) => scale * zoom(walk, walk.times[min(i, last)]);
    const here = size(k) * (1 - far), there = size(k + 1) * far;
    const left = (i) => width / 2 + here * now[2 * i] + there * next[2 * i];
    const top = (i) => height / 2 - here * now[2 * i + 1] - there * next[2 * i + 1];
    ink.setTransform(side.dots, 0, 0, side.dots, 0, 0);
    ink.globalAlpha = 1;
    ink.fillStyle = colours.card;
    ink.fillRect(0, 0, width, height);
    if (view.density) paintDensity(side, walk, t, scale * zoom(walk, t));
    if (view.arrows) paintArrows(side, walk, t, scale * zoom(walk, t));
    ink.strokeStyle = ink.fillStyle = state.forward ? colours.data : name === "a" ? colours.model : colours.rival;
    if (view.paths) paintPaths(side, walk, k, size, left, top);
    ink.globalAlpha = 0.6;
    for (let i = 0; i < PARTICLES; i++) ink.fillRect(left(i) - 1, top(i) - 1, 2, 2);
    paintModes(side);
    if (view.p >= 1 && walk.found && !state.forward) paintShares(side, walk);
    const { schedule, sampler, eta, w } = state[name], when = walk.flat ? "clean data" : `t = ${t.toFixed(2)}`;
    const how = state.forward ? "forward" : sampler === "ddim" ? `DDIM, η = ${short(eta)}` : NAMES.sampler[sampler];
    const guided = walk.plan.denoiser.isPosteriorMean || state.forward ? "" : ` · w = ${short(w)}`;
    const told = `${NAMES.schedule[schedule]} · ${how}${guided} · ${when}, step ${k} of ${last}`;
    if (side.told.textContent !== told) side.told.textContent = told;
  }

  function paintPaths({ ink, width, height }, { states }, k, size, left, top) {
    ink.globalAlpha = 0.7;
    ink.lineWidth = 1;
    ink.beginPath();
    for (let i = 0; i < PATHS; i++) {
      ink.moveTo(left(i), top(i));
      for (let j = k; j >= 0; j--) {
        ink.lineTo(width / 2 + size(j) * states[j][2 * i], height / 2 - size(j) * states[j][2 * i + 1]);
      }
    }
    ink.stroke();
  }

  /** The ends of a mode's axes at two standard deviations: long, short, and the two across. */
  function handles({ x, y, long, short: across, angle }) {
    const c = 2 * cos((angle * PI) / 180), s = 2 * sin((angle * PI) / 180);
    const ends = [[long * c, long * s], [-across * s, across * c], [-long * c, -long * s], [across * s, -across * c]];
    return ends.map(([u, v]) => [x + u, y + v]);
  }
  const place = ({ width, height, scale }, [x, y]) => [width / 2 + x * scale, height / 2 - y * scale];

  /** The modes as one holds them: the middle moves one, the ends of its axes stretch and turn it. */
  function paintModes(side) {
    const { ink, scale } = side;
    ink.strokeStyle = ink.fillStyle = colours.ink;
    state.modes.forEach((m, k) => {
      const chosen = ours(m, k);
      ink.globalAlpha = chosen ? 1 : 0.5;
      ink.lineWidth = chosen ? 1.5 : 1;
      ink.setLineDash(m.label === 2 ? [4, 3] : []);
      ink.beginPath();
      ink.ellipse(...place(side, [m.x, m.y]), 2 * m.long * scale, 2 * m.short * scale, (-m.angle * PI) / 180, 0, 2 * PI);
      ink.stroke();
      for (const hold of [[m.x, m.y], ...(chosen ? handles(m).slice(0, 2) : [])]) {
        ink.beginPath();
        ink.arc(...place(side, hold), chosen ? 4 : 2.5, 0, 2 * PI);
        ink.fill();
      }
    });
    ink.setLineDash([]);
  }
  function paintShares(side, { found, plan: { distribution } }) {
    if (distribution.size !== state.modes.length || distribution.size < 2 || distribution.size > 4) return;
    side.ink.globalAlpha = 1;
    side.ink.font = "12px system-ui, sans-serif";
    side.ink.textAlign = "center";
    state.modes.forEach((m, k) => {
      const [x, y] = place(side, [m.x, min(...handles(m).map(([, low]) => low))]);
      const [is, real] = [found.shares[k], distribution.weights[k]].map((share) => (100 * share).toFixed(0));
      side.ink.fillText(`${is} % (real ${real} %)`, clamp(x, 55, side.width - 55, x), min(y + 18, side.height - 6));
    });
  }

  let asked = 0, before = 0;
  function wake() {
    if (!asked) asked = requestAnimationFrame(frame);
  }
  function frame(now) {
    asked = 0;
    const passed = before ? min(now - before, 50) : 16, busy = compute(performance.now() + BUDGET);
    const ready = min(...shown().map(({ film }) => reach(film)));
    if (view.playing) view.p = min(view.p + passed / FILM, max(ready, view.p));
    if (view.playing && view.p >= 1) {
      view.playing = false;
      const words = ({ name, film: { found, real } }) =>
        `${name === "a" ? "First" : "Second"} choice: ${percent(found.good)} good samples, real data ${percent(real.good)}.`;
      news.textContent = state.forward ? "All is noise." : shown().map(words).join(" ");
    }
    for (const side of shown()) {
      fit(side);
      if (side.width) paint(side);
    }
    const { t, k, last } = at(sides.a.film, view.p), told = `t = ${t.toFixed(2)}`;
    time.value = 1000 * view.p;
    time.setAttribute("aria-valuetext", `${told}, step ${k} of ${last}`);
    readout.textContent = told;
    play.textContent = view.playing ? "Pause" : "Play";
    before = view.playing || busy ? now : 0;
    if (view.playing || busy) wake();
  }

  // Hands -------------------------------------------------------------------------------------------------------------

  /** What lies under a place: the marked mode's handles, or a mode's middle. */
  function grip([x, y], near) {
    const ends = marked() ? handles(marked()).slice(0, 2).map(([hx, hy]) => hypot(hx - x, hy - y) < near) : [];
    if (ends.includes(true)) return { what: ends[0] ? "long" : "short" };
    const gaps = state.modes.map((m) => hypot(m.x - x, m.y - y)), k = gaps.indexOf(min(...gaps)), m = state.modes[k];
    return m && gaps[k] < max(near, m.short) ? { what: "move", k, dx: m.x - x, dy: m.y - y } : null;
  }

  function hands(side) {
    const { canvas } = side;
    let held = null, line = [];
    const where = ({ clientX, clientY }) => {
      const box = canvas.getBoundingClientRect();
      return [(clientX - box.left - box.width / 2) / side.scale, (box.top + box.height / 2 - clientY) / side.scale];
    };
    const near = (touch) => (touch ? 24 : 12) / side.scale;
    const keep = (event) => (view.drawing || grip(where(event.touches[0]), near(true))) && event.preventDefault();
    canvas.addEventListener("touchstart", keep, { passive: false }); // a finger on a mode drags it, elsewhere the page
    canvas.addEventListener("pointerdown", (event) => {
      held = view.drawing ? { what: "draw" } : grip(where(event), near(event.pointerType === "touch"));
      if (!held) return;
      canvas.setPointerCapture(event.pointerId);
      line = [where(event)];
      if (held.what === "move") view.chosen = held.k;
      refresh();
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = where(event), m = marked();
      if (!held) canvas.style.cursor = view.drawing ? "crosshair" : grip([x, y], near(false)) ? "grab" : "default";
      else if (held.what === "draw") {
        const [last] = line.slice(-1), [left, top] = place(side, [x, y]);
        if (hypot(x - last[0], y - last[1]) > 0.04) line.push([x, y]);
        side.ink.fillStyle = colours.data;
        side.ink.fillRect(left - 2, top - 2, 4, 4);
      } else if (held.what === "move") put({ x: clamp(x + held.dx, -6, 6, 0), y: clamp(y + held.dy, -TOP, TOP, 0) });
      else {
        const turned = (Math.atan2(y - m.y, x - m.x) * 180) / PI - (held.what === "short" ? 90 : 0);
        const size = clamp(hypot(x - m.x, y - m.y) / 2, 0.05, 1.5, 0.3);
        put({ angle: turned < -180 ? turned + 360 : turned, [held.what]: size });
      }
    });
    const release = () => {
      if (held && held.what === "draw" && line.length > 1) {
        const every = ceil(line.length / 60), kept = line.filter((_, i) => i % every === 0 || i === line.length - 1);
        view.drawing = false;
        change({ lines: [...state.lines, kept].slice(-6), modes: [] });
      }
      held = null;
    };
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, release);
    canvas.addEventListener("dblclick", (event) => grip(where(event), near(false)) || add(...where(event)));
    canvas.addEventListener("keydown", (event) => {
      const m = marked(), far = event.shiftKey ? 0.25 : 0.05, count = state.modes.length;
      const acts = {
        ArrowLeft: () => put({ x: max(m.x - far, -6) }),
        ArrowRight: () => put({ x: min(m.x + far, 6) }),
        ArrowUp: () => put({ y: min(m.y + far, TOP) }),
        ArrowDown: () => put({ y: max(m.y - far, -TOP) }),
        "+": () => put({ weight: min(m.weight + 0.05, 1) }),
        "-": () => put({ weight: max(m.weight - 0.05, 0.02) }),
        "]": () => (view.chosen = (view.chosen + 1) % count),
        "[": () => (view.chosen = (view.chosen + count - 1) % count),
        Delete: remove,
        " ": () => play.click(),
      };
      if (!Object.hasOwn(acts, event.key) || (!m && event.key !== " ")) return;
      event.preventDefault();
      acts[event.key]();
      refresh();
    });
  }

  root.playground = { state, view, sides, change, encode: () => encode(state) }; // for the tests
  build();
  readColours();
  for (const side of Object.values(sides)) hands(side);
  const themed = { attributes: true, attributeFilter: ["data-theme"] };
  new MutationObserver(readColours).observe(document.documentElement, themed);
  new ResizeObserver(wake).observe(root);
  addEventListener("hashchange", visit);
  refresh();
  visit();
})();
