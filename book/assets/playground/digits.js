/** The digits in the page: it loads the model when asked to, walks, draws, and listens. See digits_math.js for how. */
(() => {
  "use strict";
  const root = document.getElementById("digits");
  if (!root) return;

  const { still, clamp, short, el, button, say, panel, fit } = Playground;
  const { ceil, floor, log10, max, min, round, sqrt } = Math;
  const { SIDE, PIXELS, NONE } = Digits, { files } = DigitsFiles, HERE = document.currentScript.src;
  const BESIDE = 10, PACE = 60; // walks beside the reader's; milliseconds that a step can be seen at least
  const STEPS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100];
  const ROWS = { none: "nothing", seeds: "ten other seeds", digits: "all ten digits" };
  const DIGITS = { ...Array.from("0123456789"), [NONE]: "any" };
  const SAMPLERS = {
    "sde-dpm-solver": "SDE-DPM-Solver++", "dpm-solver": "DPM-Solver++", ancestral: "ancestral (DDPM)", ddim: "DDIM",
  };
  const TOOLS = { ink: "ink", paper: "empty paper", free: "eraser: free again" };
  const DEFAULT = {
    digit: 3, w: 0, steps: 15, seed: 0, sampler: "sde-dpm-solver", repeats: 1, beside: "none", pad: "",
  };
  const FIRST = "a-digit-from-noise";
  const HALF = "_392A14JPKA25JPKA25OPIA24CP2DA24CP2DA24HP2A25JPKA25JPKA25P2IA24DP2DA24DP2DA25D2A69"; // a stroke
  const SCENES = {
    [FIRST]: "digit=3",
    "two-steps-are-too-few": "digit=3&steps=2&beside=seeds",
    "guidance-makes-plain-digits": "digit=7&w=4&beside=seeds",
    "one-half-ten-digits": `digit=4&w=2&beside=digits&pad=${HALF}`,
    "draw-your-own": "digit=8",
  };
  const state = { ...DEFAULT }, pad = Digits.pad();
  let model = null, run = null, row = null; // the denoiser; the reader's walk, and those beside it
  let running = false, goal = 1, shown = -1, driving = false, tool = "ink", cursor = [SIDE / 2, SIDE / 2];

  /** The choices that an address makes; what it does not say, or not sensibly, is as by default. */
  function decode(address) {
    const said = new URLSearchParams(address), number = (key, low, high) =>
      said.has(key) ? clamp(Number(said.get(key)), low, high, DEFAULT[key]) : DEFAULT[key];
    const whole = (...asked) => round(number(...asked)), steps = whole("steps", 1, 100);
    const named = (key, names) => (Object.hasOwn(names, said.get(key)) ? said.get(key) : DEFAULT[key]);
    return {
      digit: whole("digit", 0, NONE), w: round(2 * number("w", 0, 8)) / 2, steps: STEPS.find((some) => some >= steps),
      seed: whole("seed", 0, 99), sampler: named("sampler", SAMPLERS), repeats: whole("repeats", 1, 5),
      beside: named("beside", ROWS), pad: (said.get("pad") || "").slice(0, 2 * PIXELS),
    };
  }
  function encode() {
    const kept = Object.keys(state).filter((key) => key === "digit" || state[key] !== DEFAULT[key]);
    return new URLSearchParams(kept.map((key) => [key, state[key]])).toString();
  }

  // The model ---------------------------------------------------------------------------------------------------------

  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  const total = Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
  const bar = el("progress", { max: total, value: 0, "aria-label": "Loaded", hidden: "" });
  const load = button(`Load the model: ${megabytes(total)}`, bringModel, { class: "play" });
  const about = el("p", { role: "status" });
  const box = el("div", { class: "load" }, load, bar, about);

  /** A file of the site, as it comes, with the bar moving. */
  async function fetched({ path }) {
    const response = await fetch(new URL(path, HERE)), parts = [];
    if (!response.ok) throw new Error(`${path} is not there (${response.status})`);
    const reader = response.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parts.push(part.value);
      bar.value += part.value.length;
    }
    return new Blob(parts);
  }
  /** What a file of gzip holds; some servers have unpacked it already. */
  async function unzipped(file) {
    const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
    if (first !== 0x1f || second !== 0x8b) return file.arrayBuffer();
    return new Response(file.stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  }
  /** The shipped network as a denoiser, run by ONNX Runtime in WebAssembly, on one core. */
  async function opened() {
    const [wasm, network] = await Promise.all([files.wasm, files.network].map(fetched));
    const ort = await import(new URL(files.engine.path, HERE));
    Object.assign(ort.env.wasm, { numThreads: 1, wasmBinary: await unzipped(wasm) });
    const content = new Uint8Array(await network.arrayBuffer());
    const session = await ort.InferenceSession.create(content, { executionProviders: ["wasm"] });
    return Digits.Learned(async (x, t, labels) => {
      const x_t = new ort.Tensor("float32", Float32Array.from(x), [labels.length, 1, SIDE, SIDE]);
      const time = new ort.Tensor("float32", Float32Array.of(t), []);
      const cond = new ort.Tensor("int64", BigInt64Array.from(labels, BigInt), [labels.length]);
      const { answer } = await session.run({ x_t, t: time, cond });
      return Float64Array.from(answer.data);
    }, Digits.linear());
  }
  async function bringModel() {
    const focused = document.activeElement === load;
    [load.disabled, bar.hidden, bar.value] = [true, false, 0];
    say(about, "It is on its way.");
    try {
      model = await opened();
    } catch (wrong) {
      [load.disabled, bar.hidden] = [false, true];
      return say(about, `The model could not be loaded: ${wrong.message}. Is the server still there? Try again.`);
    }
    [box.hidden, body.hidden] = [true, false];
    if (focused) film.play.focus();
    return restart(!still);
  }

  // Controls ----------------------------------------------------------------------------------------------------------

  const { slider, menu, bring } = Playground.controls();
  const film = Playground.film({
    names: ["Draw", "Pause", "Again"], label: "Look back", step: stepOn, scrub,
    toggle: () => go(!running), replay: () => restart(true),
  });
  const page = Playground.addresses(root, SCENES, {
    encode,
    open(address) {
      Object.assign(state, decode(address));
      pad.decode(state.pad);
      tell("");
      restart(!still);
    },
  });
  const tell = (text) => say(page.news, text);
  const keys = "A sheet to draw on. Arrow keys move the pen, the space bar sets it down.";
  const stages = {
    pad: Playground.stage("pad", "Yours", { tabindex: 0, role: "application", "aria-label": keys }),
    state: Playground.stage("state", "The state xₜ", { role: "img" }),
    clean: Playground.stage("clean", "What the model sees in it, x̂₀", { role: "img" }),
    norm: Playground.stage("norm", "Length of the score", { role: "img" }),
  };
  const beside = Array.from({ length: BESIDE }, (_, k) => {
    const canvas = el("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
    return { canvas, button: el("button", { type: "button", onclick: () => choose(choiceOf(k)) }, canvas) };
  });
  const strip = el("div", { class: "beside", role: "group" }, ...beside.map((one) => one.button));
  /** What differs in the k-th walk beside the reader's. */
  const choiceOf = (k) => (state.beside === "digits" ? { digit: k } : { seed: (state.seed + 1 + k) % 100 });
  const set = (key) => (value) => choose({ [key]: value });
  const keep = button("Take the digit", () => {
    pad.take(run.frames[run.frames.length - 1].x);
    use("free");
    drew();
  });
  const clear = button("Clear", () => drew(pad.clear()));

  /** All that the reader chooses comes through here. The walk begins anew, from the same noise. */
  function choose(values) {
    Object.assign(state, values);
    page.changed();
    tell("");
    restart();
  }
  function use(name) {
    tool = name;
    refresh();
  }

  /** Whether guidance can have an effect: towards a label. */
  const guided = (digit = state.digit) => digit !== NONE;

  // Walks -------------------------------------------------------------------------------------------------------------

  /** A walk of some digits at once, as the reader asks for them but for what is said here of each. */
  function walkOf(asked) {
    const all = asked.map((values) => ({ ...state, ...values })), labels = all.map(({ digit }) => digit);
    const like = new Float64Array(PIXELS * all.length), tiled = (of) => like.map((_, i) => of[i % PIXELS]);
    const paint = pad.empty ? null : { y: tiled(pad.y), known: tiled(pad.known), repeats: state.repeats };
    const times = Digits.logisticGrid(model.schedule, state.steps), noise = Digits.noiseOf(all.map(({ seed }) => seed));
    const ask = { labels, w: guided(labels[0]) ? state.w : 0, sampler: state.sampler };
    const whole = (paint ? (state.steps - 1) * state.repeats + 1 : state.steps) + 1;
    return { frames: [], seconds: 0, whole, steps: Digits.walk(model, ask, times, like, noise, paint) };
  }
  function restart(play = running || !still) {
    if (!model) return refresh();
    [run, row, shown] = [walkOf([{}]), null, -1];
    return go(play);
  }
  function go(play) {
    if (play && run.frames.length === run.whole) return restart(true);
    running = play;
    goal = play ? Infinity : run.frames.length || 1;
    if (play) shown = -1;
    return drive();
  }
  function stepOn() {
    if (run.frames.length === run.whole) return restart(false);
    [running, shown, goal] = [false, -1, run.frames.length + 1];
    return drive();
  }
  function scrub(share) {
    go(false);
    shown = round(share * (run.frames.length - 1));
    refresh();
  }

  /** One step of a walk, with the time that it took and the length of its score. */
  async function advance(walk) {
    const start = performance.now(), { value } = await walk.steps.next();
    walk.seconds += (performance.now() - start) / 1000;
    const sigma = model.schedule.sigma(value.t);
    walk.frames.push({ ...value, sigma, norm: value.eps ? Digits.scoreNorm(value.eps, sigma) : NaN });
  }
  /** What is still to be computed: the reader's walk as far as it is wanted, then those beside it. */
  function next() {
    if (run.frames.length < min(goal, run.whole)) return run;
    if (run.frames.length < run.whole || state.beside === "none") return null;
    row = row || walkOf(beside.map((_, k) => choiceOf(k)));
    return row.frames.length < row.whole ? row : null;
  }
  /** Compute, a step in a frame at most; there is only one such loop. */
  async function drive() {
    refresh();
    if (driving) return;
    driving = true;
    try {
      for (let walk = next(); walk; walk = next()) {
        const start = performance.now();
        await advance(walk);
        if (run.frames.length === run.whole && walk === run) finish();
        refresh();
        const rest = walk === run && running && !still ? PACE - (performance.now() - start) : 0;
        if (rest > 0) await new Promise((done) => setTimeout(done, rest));
        await new Promise(requestAnimationFrame);
      }
    } catch (wrong) {
      tell(`The model stopped: ${wrong.message}.`);
    }
    driving = false;
  }
  function finish() {
    running = false;
    const what = state.digit === NONE ? "A digit" : `${state.digit === 8 ? "An" : "A"} ${state.digit}`;
    const calls = `${run.whole - 1} calls of the network${state.w > 0 && guided() ? ", each for two labels" : ""}`;
    tell(`${what} in ${state.steps} steps: ${calls}, ${run.seconds.toFixed(2)} s of computing.`);
  }

  // Drawing -----------------------------------------------------------------------------------------------------------

  const wake = Playground.loop(root, frame), colours = Playground.colours(root, () => wake());
  function refresh() {
    bring();
    strip.hidden = state.beside === "none";
    strip.setAttribute("aria-label", ROWS[state.beside]);
    keep.disabled = !run || run.frames.length < run.whole;
    clear.disabled = pad.empty;
    wake();
  }
  const rgb = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));

  /** An image in the page's ink on its paper; what is not known is tinted. */
  function picture(canvas, image, known = null) {
    const [ink, paper, tint] = [colours.ink, colours.card, colours.data].map(rgb);
    const dots = new ImageData(SIDE, SIDE);
    for (let i = 0; i < PIXELS; i++) {
      const [share, to] = known && !known[i] ? [0.2, tint] : [(clamp(image[i], -1, 1, 0) + 1) / 2, ink];
      for (let c = 0; c < 3; c++) dots.data[4 * i + c] = paper[c] + share * (to[c] - paper[c]);
      dots.data[4 * i + 3] = 255;
    }
    if (canvas.width !== SIDE) Object.assign(canvas, { width: SIDE, height: SIDE });
    canvas.getContext("2d").putImageData(dots, 0, 0);
  }

  /** The score's length over the steps so far, on a logarithmic axis, and σ⁻¹·√784, which pure noise has. */
  function chart(at) {
    const { ink, width, height } = fit(stages.norm), left = 36, right = width - 8, bottom = height - 18;
    const { schedule } = model, noise = sqrt(PIXELS), times = Digits.logisticGrid(schedule, state.steps).subarray(0, state.steps);
    const dashed = run.frames.map(({ sigma }) => noise / sigma).filter(Number.isFinite);
    const least = schedule.sigma(times[state.steps - 1]), low = 1, high = max(2, ceil(log10(noise / least) + 0.05));
    const px = (k) => left + ((right - left) * k) / max(run.whole - 2, 1);
    const py = (value) => bottom - ((bottom - 10) * (log10(value) - low)) / (high - low);
    const path = (points, colour, dash, lineWidth = 2) => {
      Object.assign(ink, { strokeStyle: colour, lineWidth });
      ink.setLineDash(dash);
      ink.beginPath();
      for (const point of points) ink.lineTo(...point);
      ink.stroke();
    };
    Object.assign(ink, { font: `11px ${colours.font}`, fillStyle: colours.ink, textAlign: "right" });
    for (let power = low; power <= high; power++) {
      path([[left, py(10 ** power)], [right, py(10 ** power)]], colours.edge, [1, 3], 0.5);
      ink.fillText(String(10 ** power), left - 4, py(10 ** power) + 4);
    }
    path([[left, 8], [left, bottom], [right, bottom]], colours.edge, [], 1);
    ink.fillText(`${run.whole - 1} calls`, right, height - 4);
    const norms = run.frames.filter(({ norm }) => Number.isFinite(norm)).map(({ norm }, k) => [px(k), py(norm)]);
    path(norms, colours.model, []);
    path(dashed.map((value, k) => [px(k), py(value)]), colours.exact, [6, 3], 1.8);
    if (norms[at]) {
      ink.fillStyle = colours.model;
      ink.beginPath();
      ink.arc(...norms[at], 4, 0, 7);
      ink.fill();
    }
  }

  function frame() {
    picture(stages.pad.canvas, pad.y, pad.known);
    if (document.activeElement === stages.pad.canvas) {
      const ink = stages.pad.canvas.getContext("2d");
      ink.strokeStyle = colours.exact;
      ink.strokeRect(floor(cursor[0]) - 0.5, floor(cursor[1]) - 0.5, 2, 2);
    }
    say(stages.pad.told, pad.empty ? "Draw here, if you like." : "Tinted: free. The rest is known.");
    if (!run || !run.frames.length) return false;
    const { frames } = run, k = shown < 0 ? frames.length - 1 : shown, { t, x, x0, sigma, norm } = frames[k];
    picture(stages.state.canvas, x);
    picture(stages.clean.canvas, x0);
    chart(k);
    const at = `t = ${t.toFixed(2)}`, now = Number.isFinite(norm) ? norm.toPrecision(3) : "";
    say(stages.state.told, `${at}, σ = ${sigma.toFixed(2)}`);
    say(stages.clean.told, t === 0 ? "There is no noise left." : "Its best guess of the clean digit.");
    say(stages.norm.told, now ? `${now}; dashed: of pure noise` : "At σ = 0 there is none.");
    stages.state.canvas.setAttribute("aria-label", `The noisy digit at ${at}.`);
    stages.clean.canvas.setAttribute("aria-label", `The model’s guess of the clean digit at ${at}.`);
    stages.norm.canvas.setAttribute("aria-label", `The length of the score over the walk${now && `, here ${now}`}.`);
    beside.forEach((one, n) => {
      const seen = row && row.frames.length ? row.frames[row.frames.length - 1].x0.subarray(n * PIXELS) : pad.y;
      picture(one.canvas, seen, row ? null : pad.known);
      one.button.setAttribute("aria-label", Object.entries(choiceOf(n)).flat().join(" "));
    });
    film.show({ playing: running, at: frames.length > 1 ? k / (frames.length - 1) : 0, of: max(frames.length - 1, 1),
      told: `step ${k} of ${run.whole - 1}` });
    return false;
  }

  // Hands -------------------------------------------------------------------------------------------------------------

  /** What the reader has drawn counts from now on. */
  function drew() {
    choose({ pad: pad.encode() });
  }
  let last = null;
  const sheet = stages.pad.canvas, place = ([x, y]) => {
    const dot = sheet.clientWidth / SIDE;
    return [SIDE / 2 + x / dot, SIDE / 2 - y / dot];
  };
  Playground.hands(sheet, {
    takes: () => true,
    down(at) {
      go(false);
      pad.stamp(tool, ...(last = place(at)));
      wake();
      return true;
    },
    move(at) {
      const to = place(at), [dx, dy] = [to[0] - last[0], to[1] - last[1]], count = ceil(2 * Math.hypot(dx, dy));
      for (let n = 1; n <= count; n++) pad.stamp(tool, last[0] + (dx * n) / count, last[1] + (dy * n) / count);
      last = to;
      wake();
    },
    up: drew,
  });
  const move = (dx, dy) => () => {
    cursor = [clamp(cursor[0] + dx, 0.5, SIDE - 0.5, 0), clamp(cursor[1] + dy, 0.5, SIDE - 0.5, 0)];
    wake();
  };
  const setDown = () => {
    pad.stamp(tool, ...cursor);
    drew();
  };
  Playground.keys(sheet, {
    ArrowLeft: move(-1, 0), ArrowRight: move(1, 0), ArrowUp: move(0, -1), ArrowDown: move(0, 1), " ": setDown,
  });
  for (const type of ["focus", "blur"]) sheet.addEventListener(type, () => wake());

  const body = el("div", { hidden: "" },
    el("div", { class: "stages" }, ...Object.values(stages).map((stage) => stage.figure)), film.bar, page.news, strip,
    el("div", { class: "panels" },
      panel("The digit", {},
        menu("Digit", () => DIGITS, () => String(state.digit), (value) => choose({ digit: Number(value) })),
        slider("Guidance w", [0, 8, 0.5], () => state.w, set("w"),
          { words: (w) => (guided() ? short(w) : "none"), on: () => guided() }),
        slider("Seed", [0, 99, 1], () => state.seed, set("seed")),
        menu("Beside it", () => ROWS, () => state.beside, set("beside"))),
      panel("The walk", {},
        menu("Sampler", () => SAMPLERS, () => state.sampler, set("sampler")),
        slider("Steps", [0, STEPS.length - 1, 1], () => STEPS.indexOf(state.steps), (k) => choose({ steps: STEPS[k] }),
          { words: () => String(state.steps) }),
        el("div", { class: "buttons" }, page.copy)),
      panel("Your drawing", {},
        menu("Pen", () => TOOLS, () => tool, use),
        slider("Each step", [1, 5, 1], () => state.repeats, set("repeats"),
          { words: (times) => (times === 1 ? "once" : `${times} ×`), on: () => !pad.empty }),
        el("div", { class: "buttons" }, keep, clear))));

  root.playground = { // for the tests
    state, pad, encode, get model() { return model; }, get run() { return run; }, get row() { return row; },
    get running() { return running; }, get idle() { return model !== null && !driving; },
  };
  if (location.protocol === "file:") {
    load.hidden = true;
    const command = el("code", {}, "python -m http.server --directory book/_build/html");
    about.append("The model needs WebAssembly, and a browser lets no page load that from a file. Serve the site by ",
      command, ", and open http://localhost:8000/playground_digits.html.");
  } else {
    say(about, `An engine for networks (${megabytes(files.engine.bytes + files.wasm.bytes)}) and the network `
      + `(${megabytes(files.network.bytes)}), from this site. Then everything is computed on your machine.`);
  }
  root.replaceChildren(page.nav, page.caption, box, body);
  if (!page.visit()) page.show(FIRST);
})();
