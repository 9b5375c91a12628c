/** The field in the page: what is drawn and what one can do. See field_math.js for how, field_scenes.js for what. */
(() => {
  "use strict";
  const root = document.getElementById("field");
  if (!root) return;

  const { NAMES, TOP, DATA, SCENES, decode, encode, components } = FieldScenes;
  const { still, clamp, short, el, button, say, panel } = Playground;
  const { PI, ceil, cos, floor, hypot, max, min, round, sin, sqrt, tanh } = Math;
  const PARTICLES = 2000, CHUNK = 125, BUDGET = 3; // points, in pieces; milliseconds of a frame for the walks
  const FILM = 7000, FORWARD_STEPS = 60; // milliseconds from one end of time to the other
  const ARROWS = 38, LEAST_NOISE = 0.15; // pixels from arrow to arrow; their least σ/α
  const STEPS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200];
  const state = decode("");
  const view = { p: 0, playing: !still, chosen: 0, drawing: false, line: [], density: true, arrows: true };
  let data = components(state);

  // Controls ----------------------------------------------------------------------------------------------------------

  const { slider, menu, tick, refreshers, bring } = Playground.controls();
  const table = el("table", { class: "results" }), draw = button("Draw a line", () => look({ drawing: !view.drawing }));
  const film = Playground.film({
    names: ["Play", "Pause", "Replay"], label: "Time", step: stepOn, scrub,
    toggle: () => look({ playing: !view.playing, p: view.p < 1 ? view.p : 0 }),
    replay: () => look({ p: 0, playing: true }),
  });
  const page = Playground.addresses(root, SCENES, {
    encode: () => encode(state),
    open(address) {
      change(decode(address), true);
      look({ p: 0, playing: !still, chosen: 0 });
    },
  });
  const sides = { a: side("a", "first choice"), b: side("b", "second choice") };
  const shown = () => Object.values(sides).filter(({ name }) => state[name]);

  /** A stage, the walk that it shows, and the one that is computed for it. */
  function side(name, title) {
    const keys = "Arrow keys move the marked mode, plus and minus weigh it, brackets mark another, Delete removes it";
    const label = `The plane, ${title}. ${keys}, space plays.`;
    const stage = Playground.stage(name, "", { tabindex: 0, role: "application", "aria-label": label });
    return Object.assign(stage, { shade: el("canvas"), film: null, pending: null, dirty: true });
  }

  function choicePanel(name, title) {
    const of = (key) => (state[name] || state.a)[key];
    const put = (key, value) => change({ [name]: { ...state[name], [key]: value } });
    const unguided = () => ["annealed", "langevin"].includes(of("sampler"));
    const named = (label, key) => menu(label, () => NAMES[key], () => String(of(key)), (value) => put(key, value));
    const rows = panel(title, { class: name },
      named("Schedule", "schedule"),
      named("Sampler", "sampler"),
      slider("Steps", [0, STEPS.length - 1, 1], () => STEPS.findIndex((steps) => steps >= of("steps")),
        (value) => put("steps", STEPS[value]), { words: () => String(of("steps")) }),
      slider("η", [0, 1, 0.05], () => of("eta"), (value) => put("eta", value), { on: () => of("sampler") === "ddim" }),
      menu("Asked for", () => NAMES.label, () => String(of("label")), (value) => put("label", Number(value))),
      slider("Guidance w", [0, 8, 0.5], () => of("w"), (value) => put("w", value),
        { words: (w) => (unguided() ? "none" : short(w)), on: () => of("label") > 0 && !unguided() }));
    refreshers.push(() => (rows.hidden = !state[name]));
    return rows;
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
    return panel("The data", {},
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
    const words = { density: "density", arrows: "arrows of the score" };
    const turn = (way) => {
      change({ forward: way === "forward" });
      look({ p: 0, playing: !still });
    };
    return panel("What you see", {},
      menu("Direction", () => ways, () => (state.forward ? "forward" : "back"), turn),
      tick("a second choice, beside the first", () => state.b !== null, (on) => change({ b: on ? { ...state.a } : null })),
      ...Object.keys(words).map((name) => tick(words[name], () => view[name], (on) => look({ [name]: on }))),
      el("div", { class: "buttons" }, button("New noise", () => change({ seed: state.seed + 1 })), page.copy));
  }

  /** All that changes the state comes through here: walks begin anew, from the same noise; the address follows. */
  function change(values, ofAddress = false) {
    Object.assign(state, values);
    view.chosen = max(min(view.chosen, state.modes.length - 1), 0);
    data = components(state);
    sides.a.dirty = sides.b.dirty = true;
    if (!ofAddress) page.changed();
    refresh();
  }
  /** What is looked at, and how: nothing is computed anew. */
  function look(values) {
    Object.assign(view, values);
    refresh();
  }
  function scrub(p) {
    look({ p, playing: false });
  }
  function stepOn() {
    const { k, last } = at(sides.a.film, view.p);
    scrub(k >= last ? 0 : (k + 1) / last);
  }
  function refresh() {
    bring();
    draw.setAttribute("aria-pressed", view.drawing);
    root.classList.toggle("two", state.b !== null);
    wake();
  }

  // Walks -------------------------------------------------------------------------------------------------------------

  /** The walk that a side asks for; the same seed gives both sides the same random numbers. */
  function walkOf(name) {
    const plan = Field.plan(state[name], data), { denoiser, distribution, times } = plan;
    const flat = state[name].sampler === "langevin", random = Field.random(state.seed);
    const noises = Array.from({ length: PARTICLES / CHUNK }, (_, c) => Field.gaussian(Field.random(state.seed, c + 1)));
    if (state.forward) {
      const way = Field.timeGrid(FORWARD_STEPS).reverse(), x = distribution.sample(PARTICLES, random);
      return Object.assign(new Field.Trajectory(denoiser, Field.forward, x, way, noises, CHUNK), { plan, flat: false });
    }
    const z = random.normal(new Float64Array(2 * PARTICLES));
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
    walk.real = Field.quality(distribution.sample(PARTICLES, Field.random(0)), distribution);
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

  const wake = Playground.loop(root, frame), colours = Playground.colours(root, () => wake());

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
      const ink = side.shade.getContext("2d"), image = ink.createImageData(width, height);
      const [r, g, b] = [1, 3, 5].map((i) => parseInt(colours.data.slice(i, i + 2), 16));
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
    if (view.density) paintDensity(side, walk, t, scale * zoom(walk, t));
    if (view.arrows) paintArrows(side, walk, t, scale * zoom(walk, t));
    ink.fillStyle = state.forward ? colours.data : name === "a" ? colours.model : colours.rival;
    ink.globalAlpha = 0.6;
    for (let i = 0; i < PARTICLES; i++) ink.fillRect(left(i) - 1, top(i) - 1, 2, 2);
    paintModes(side);
    if (view.p >= 1 && walk.found && !state.forward) paintShares(side, walk);
    const { schedule, sampler, eta, w } = state[name], when = walk.flat ? "clean data" : `t = ${t.toFixed(2)}`;
    const how = state.forward ? "forward" : sampler === "ddim" ? `DDIM, η = ${short(eta)}` : NAMES.sampler[sampler];
    const guided = walk.plan.denoiser.isPosteriorMean || state.forward ? "" : ` · w = ${short(w)}`;
    const told = `${NAMES.schedule[schedule]} · ${how}${guided} · ${when}, step ${k} of ${last}`;
    say(side.told, told);
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

  function paintLine(side) {
    side.ink.strokeStyle = colours.data;
    side.ink.lineWidth = 4;
    side.ink.beginPath();
    for (const point of view.line) side.ink.lineTo(...place(side, point));
    side.ink.stroke();
  }

  let before = 0;
  function frame(now) {
    const passed = before ? min(now - before, 50) : 16, busy = compute(performance.now() + BUDGET);
    const ready = min(...shown().map(({ film }) => reach(film)));
    if (view.playing) view.p = min(view.p + passed / FILM, max(ready, view.p));
    if (view.playing && view.p >= 1) {
      view.playing = false;
      const words = ({ name, film: { found, real } }) =>
        `${name === "a" ? "First" : "Second"} choice: ${percent(found.good)} good samples, real data ${percent(real.good)}.`;
      page.news.textContent = state.forward ? "All is noise." : shown().map(words).join(" ");
    }
    for (const side of shown()) {
      side.scale = Playground.fit(side).height / (2 * TOP);
      if (side.width) paint(side);
    }
    const { t, k, last } = at(sides.a.film, view.p), told = `t = ${t.toFixed(2)}`;
    film.show({ playing: view.playing, at: view.p, told, aloud: `${told}, step ${k} of ${last}` });
    before = view.playing || busy ? now : 0;
    return view.playing || busy;
  }

  // Hands -------------------------------------------------------------------------------------------------------------

  /** What lies under a place: the marked mode's handles, or a mode's middle. */
  function grip([x, y], near) {
    const ends = marked() ? handles(marked()).slice(0, 2).map(([hx, hy]) => hypot(hx - x, hy - y) < near) : [];
    if (ends.includes(true)) return { what: ends[0] ? "long" : "short" };
    const gaps = state.modes.map((m) => hypot(m.x - x, m.y - y)), k = gaps.indexOf(min(...gaps)), m = state.modes[k];
    return m && gaps[k] < max(near, m.short) ? { what: "move", k, dx: m.x - x, dy: m.y - y } : null;
  }

  function listen(side) {
    const { canvas } = side;
    let held = null;
    const inPlane = ([x, y]) => [x / side.scale, y / side.scale];
    const near = (touch) => (touch ? 24 : 12) / side.scale;
    const where = Playground.hands(canvas, {
      takes: (at, touch) => view.drawing || grip(inPlane(at), near(touch)),
      down(at, touch) {
        held = view.drawing ? { what: "draw" } : grip(inPlane(at), near(touch));
        if (held && held.what === "move") view.chosen = held.k;
        if (held && held.what === "draw") view.line = [inPlane(at)];
        refresh();
        return held !== null;
      },
      over(at) {
        canvas.style.cursor = view.drawing ? "crosshair" : grip(inPlane(at), near(false)) ? "grab" : "default";
      },
      move(at) {
        const [x, y] = inPlane(at), m = marked();
        if (held.what === "draw") {
          const [last] = view.line.slice(-1);
          if (hypot(x - last[0], y - last[1]) > 0.04) look({ line: [...view.line, [x, y]] });
        } else if (held.what === "move") put({ x: clamp(x + held.dx, -6, 6, 0), y: clamp(y + held.dy, -TOP, TOP, 0) });
        else {
          const turned = (Math.atan2(y - m.y, x - m.x) * 180) / PI - (held.what === "short" ? 90 : 0);
          const size = clamp(hypot(x - m.x, y - m.y) / 2, 0.05, 1.5, 0.3);
          put({ angle: turned < -180 ? turned + 360 : turned, [held.what]: size });
        }
      },
      up() {
        const { line } = view, every = ceil(line.length / 60);
        if (held.what !== "draw") return;
        look({ line: [], drawing: line.length < 2 });
        const kept = line.filter((_, i) => i % every === 0 || i === line.length - 1);
        if (line.length > 1) change({ lines: [...state.lines, kept].slice(-6), modes: [] });
      },
    });
    canvas.addEventListener("dblclick", (event) => {
      const at = inPlane(where(event));
      if (!grip(at, near(false))) add(...at);
    });
    const to = (key, sign) => (event) => {
      const far = sign * (event.shiftKey ? 0.25 : 0.05), edge = key === "x" ? 6 : TOP;
      put({ [key]: clamp(marked()[key] + far, -edge, edge, 0) });
    };
    const weigh = (more) => () => put({ weight: clamp(marked().weight + more, 0.02, 1, 0.5) });
    const markNext = (far) => () => look({ chosen: (view.chosen + far + state.modes.length) % state.modes.length });
    const acts = {
      ArrowLeft: to("x", -1), ArrowRight: to("x", 1), ArrowUp: to("y", 1), ArrowDown: to("y", -1),
      "+": weigh(0.05), "-": weigh(-0.05), "]": markNext(1), "[": markNext(-1), Delete: remove, " ": () => film.play.click(),
    };
    Playground.keys(canvas, acts, (key) => marked() !== null || key === " ");
  }

  root.playground = { state, view, sides, change, encode: () => encode(state) }; // for the tests
  const panels = [choicePanel("a", "First choice"), choicePanel("b", "Second choice"), dataPanel(), viewPanel()];
  root.replaceChildren(page.nav, page.caption, el("div", { class: "stages" }, sides.a.figure, sides.b.figure), film.bar,
    page.news, table, el("div", { class: "panels" }, ...panels));
  for (const side of Object.values(sides)) listen(side);
  refresh();
  page.visit();
})();
