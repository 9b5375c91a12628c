/** The duel in the page: it trains a little in every frame, draws, and listens. The mathematics is in duel_math.js. */
(() => {
  "use strict";
  const root = document.getElementById("duel");
  if (!root) return;

  const { still, clamp, el, button, say, panel, fit } = Playground;
  const { abs, ceil, floor, hypot, log, max, min, round } = Math;
  const BUDGET = 8, LOOKS = 40; // milliseconds of work in a frame; looks at the samples in a run
  const SHOWN = 250, COUNTED = 2500, KNOWN = 1024; // samples of each look, of the last, of the perfect denoiser's loss
  const DOT = 0.03, MOST = 240; // of a drawing in [−1, 1]²: a spot's standard deviation, and how many spots
  const named = (...values) => Object.fromEntries(values.map((value) => [value, value]));
  const RATES = named("0.001", "0.002", "0.004", "0.008", "0.016", "0.032");
  const CHOICES = {
    data: ["Data", { ring: "ring", grid: "grid", moons: "two moons", spiral: "spiral", drawn: "your drawing" }],
    input: ["Input", { fourier: "Fourier features", raw: "raw coordinates" }],
    steps: ["Steps", named("400", "800", "1600", "3200")],
    seed: ["Seed", named(..."0123456789")],
    game: ["Game", { "non-saturating": "non-saturating", relativistic: "relativistic" }],
    gamma: ["γ of R₁ + R₂", named("0.02", "0.1", "0.5")],
    gan: ["Learning rate", RATES],
    diffusion: ["Learning rate", RATES],
    speed: ["Speed", { slow: "slow", steady: "a step a frame", fast: "as fast as smooth" }],
  };
  const DEFAULT = {
    data: "ring", input: "fourier", steps: "800", seed: "0", game: "non-saturating", gamma: "0.1", on: "0", gan: "0.008",
    diffusion: "0.016", speed: "fast", draw: "",
  };
  const FIRST = "the-plain-game-drops-modes";
  const SCENES = {
    [FIRST]: "data=ring",
    "the-penalties-mend-it": "data=ring&on=1",
    "raw-coordinates-turn-it-round": "data=ring&input=raw&diffusion=0.032",
    "the-gan-leads-on-a-spiral": "data=spiral&on=1",
    "draw-your-own": "data=drawn&on=1",
  };
  const SETS = { ring: Duel.ring, grid: Duel.grid, moons: Duel.twoMoons, spiral: Duel.swissRoll, drawn: drawing };
  const state = { ...DEFAULT };
  let match = null, life = null, looks = [], losses = null, exact = 0; // of a run
  let running = false, goal = 1, shown = -1, allowance = 0, cursor = [0, 0], pen = null, drawn = null;

  /** The choices that an address makes; what it does not say, or not sensibly, is as by default. */
  function decode(address) {
    const said = new URLSearchParams(address), chosen = { ...DEFAULT, speed: state.speed };
    for (const [key, [, options]] of Object.entries(CHOICES)) {
      if (Object.hasOwn(options, said.get(key))) chosen[key] = said.get(key);
    }
    if (said.get("on") === "1") chosen.on = "1";
    if (/^([0-9a-z]{4})*$/.test(said.get("draw") || "")) chosen.draw = (said.get("draw") || "").slice(0, 4 * MOST);
    return chosen;
  }
  function encode() {
    const kept = Object.keys(state).filter((key) => key === "data" || (key !== "speed" && state[key] !== DEFAULT[key]));
    return new URLSearchParams(kept.map((key) => [key, state[key]])).toString();
  }

  /** A drawing is four letters a spot, two a coordinate. */
  function drawing() {
    const number = (text) => parseInt(text, 36) / 647.5 - 1, spots = state.draw.match(/..../g) || [];
    return Duel.round(spots.map((spot) => [number(spot.slice(0, 2)), number(spot.slice(2))]), DOT);
  }
  const letters = (c) => round((clamp(c, -1, 1, 0) + 1) * 647.5).toString(36).padStart(2, "0");
  function add([x, y]) {
    if (state.draw.length < 4 * MOST) state.draw += letters(x) + letters(y);
    else tell(`A drawing has at most ${MOST} spots.`);
  }

  // Controls ----------------------------------------------------------------------------------------------------------

  const { menu, bring } = Playground.controls();
  const penalty = button("", () => choose({ on: state.on === "1" ? "0" : "1" }), { class: "penalty" });
  const film = Playground.film({
    names: ["Train", "Pause", "Restart"], label: "Look back", scrub, step: stepOn,
    toggle: () => train(!running), replay: () => restart(true),
  }, penalty);
  const page = Playground.addresses(root, SCENES, {
    encode,
    open(address) {
      Object.assign(state, decode(address));
      tell("");
      restart(!still);
    },
  });
  const tell = (text) => say(page.news, text);
  const clouds = [["data", "Data"], ["gan", "GAN"], ["diffusion", "Diffusion"]];
  const charts = [["modes", "Modes covered"], ["game", "The game’s losses"], ["regression", "The regression’s loss"]];
  const stages = Object.fromEntries([...clouds, ...charts].map(([name, title]) =>
    [name, Playground.stage(name, title, { role: "img" })])), data = stages.data.canvas;
  const clear = el("div", { class: "buttons" }, button("Clear the drawing", () => choose({ draw: "" })));
  const rows = (...keys) => keys.map((key) =>
    menu(CHOICES[key][0], () => CHOICES[key][1], () => state[key], (value) => choose({ [key]: value })));

  /** All that the reader chooses comes through here. Most of it begins the run anew: the same start, the same draws. */
  function choose(values) {
    Object.assign(state, values);
    page.changed();
    if ("speed" in values || ("gamma" in values && state.on === "0")) return;
    tell("");
    restart();
  }

  // A run -------------------------------------------------------------------------------------------------------------

  /** The whole run, bit by bit: it yields "step" after each step of training, and adds to `looks`. */
  function* living(run) {
    const every = run.steps / LOOKS;
    const keep = (look) => { // the curve counts as many samples in the last look as in the others
      const count = (x) => Duel.quality(x.subarray(0, 2 * SHOWN), run.data).covered;
      const counts = Object.entries(look.samples).map(([name, x]) => [name, count(x)]);
      looks.push({ ...look, covered: Object.fromEntries(counts) });
    };
    keep(yield* run.look(SHOWN));
    while (run.done < run.steps) {
      yield* run.step();
      for (const name in losses) losses[name][run.done - 1] = run.last[name];
      if (!Number.isFinite(run.last.discriminator + run.last.generator + run.last.diffusion)) return "diverged";
      yield "step";
      if (run.done % every === 0) keep(yield* run.look(run.done === run.steps ? COUNTED : SHOWN));
    }
    return "done";
  }

  /** Begin anew with the choices as they are; while a pen draws, without a run yet. */
  function restart(play = running || !still, inPen = false) {
    const raw = SETS[state.data](), empty = raw.size === 0, steps = Number(state.steps);
    const set = empty ? Object.assign(raw, { centre: [0, 0], scale: 1 }) : Duel.unitSpread(raw);
    set.edge = state.data === "drawn" ? 1 : 1.3 * max(...raw.means.flat().map(abs));
    [looks, shown, life, match] = [[], -1, null, { data: set, done: 0, steps }];
    losses = Object.fromEntries(["discriminator", "generator", "diffusion"].map((name) => [name, new Float32Array(steps)]));
    if (!empty && !inPen) {
      match = new Duel.Match({
        data: set, game: state.game, steps, seed: Number(state.seed), octaves: state.input === "raw" ? 0 : Duel.OCTAVES,
        gamma: state.on === "1" ? Number(state.gamma) : 0, lrGAN: Number(state.gan), lrDiffusion: Number(state.diffusion),
      });
      life = living(match);
      const random = Duel.random(match.seed, 7), t = Duel.sampleTimes(new Float64Array(KNOWN), random.uniform());
      exact = Duel.exactLoss(set, set.sample(KNOWN, random), t, random.normal(new Float64Array(2 * KNOWN)), KNOWN);
    } else if (empty) {
      tell("Draw on the left panel: drag for a line, tap for a spot. By keyboard: arrows move, Space sets a spot.");
    }
    train(play && life !== null);
  }
  function train(play) {
    if (play && !life) return restart(true);
    running = play;
    goal = running ? Infinity : looks.length || 1;
    if (running) shown = -1;
    refresh();
  }
  function stepOn() {
    [running, shown] = [false, -1];
    goal = max(1, looks.length) + 1; // the look at step 0 may still be on its way
    refresh();
  }
  function scrub(share) {
    train(false);
    shown = round(share * (looks.length - 1));
    if (shown === looks.length - 1) shown = -1;
    refresh();
  }

  const wake = Playground.loop(root, frame), colours = Playground.colours(root, refresh);
  /** Bring controls and pictures to what the state says. */
  function refresh() {
    bring();
    penalty.setAttribute("aria-pressed", state.on === "1");
    say(penalty, state.on === "1" ? "R₁ + R₂ is on" : "Add R₁ + R₂");
    clear.hidden = state.data !== "drawn";
    data.tabIndex = clear.hidden ? -1 : 0;
    data.setAttribute("role", clear.hidden ? "img" : "application");
    root.classList.toggle("drawing", !clear.hidden);
    drawn = null;
    wake();
  }
  function frame() {
    const start = performance.now(), working = () => life && looks.length < goal;
    allowance = state.speed === "fast" ? Infinity : min(1, allowance + (state.speed === "slow" ? 0.2 : 1));
    while (working() && allowance >= 1 && performance.now() - start < BUDGET) {
      const { value, done } = life.next();
      if (value === "step") allowance -= 1;
      if (done) finish(value);
    }
    draw();
    return working();
  }
  function finish(how) {
    [life, running] = [null, false];
    if (how === "diverged") {
      return tell(`The training diverged at step ${match.done}. Take a smaller learning rate, or add R₁ + R₂.`);
    }
    const [real, gan, diffusion] = clouds.map(([name]) => score(look().scores[name]));
    return tell(`After ${match.steps} steps, counted on 2,500 samples each: GAN ${gan}; diffusion ${diffusion}; `
      + `real points ${real}.`);
  }
  const look = () => looks[shown < 0 ? looks.length - 1 : shown];
  function score({ covered, good }) {
    const what = /ring|grid/.test(state.data) ? "modes" : "places";
    return `${covered} of ${match.data.size} ${what}, ${(100 * good).toFixed(good < 0.1 ? 1 : 0)} % good`;
  }

  // Drawing -----------------------------------------------------------------------------------------------------------

  /** Samples on the data's modes; a place of the data is drawn where the reader has put it. */
  function cloud(name, colour) {
    const { canvas, told, ink, width } = fit(stages[name]), { means, std, centre, scale, edge } = match.data, now = look();
    const at = (x, d) => ((((d ? -1 : 1) * (x / scale + centre[d])) / edge + 1) / 2) * width;
    const radius = max(2.5, ((3 * std) / scale / edge / 2) * width);
    ink.fillStyle = colours.data;
    ink.globalAlpha = 0.35;
    ink.beginPath();
    for (const [x, y] of means) {
      ink.moveTo(at(x, 0) + radius, at(y, 1));
      ink.arc(at(x, 0), at(y, 1), radius, 0, 7);
    }
    ink.fill();
    ink.fillStyle = colour;
    ink.globalAlpha = 0.8;
    const x = now ? now.samples[name] : [];
    for (let k = 0; k < min(x.length, 4 * SHOWN); k += 2) ink.fillRect(at(x[k], 0) - 1.2, at(x[k + 1], 1) - 1.2, 2.4, 2.4);
    ink.globalAlpha = 1;
    if (name === "data" && means.length === 0) {
      [ink.textAlign, ink.font] = ["center", `15px ${colours.font}`];
      ink.fillText("Draw here", width / 2, width / 2);
    }
    if (name === "data" && state.data === "drawn" && document.activeElement === canvas) {
      ink.strokeStyle = colours.ink;
      ink.strokeRect(((cursor[0] + 1) / 2) * width - 5, ((1 - cursor[1]) / 2) * width - 5, 10, 10);
    }
    const words = now ? score(now.scores[name]) : "nothing yet";
    say(told, words.replace(" of ", "/").replace(",", " ·"));
    canvas.setAttribute("aria-label", `Samples, ${name}, step ${now ? now.step : 0}: ${words}.`);
  }

  /** Curves over the steps, each {at: steps, y, colour, dash, lineWidth, alpha}; a named level is dashed right across. */
  function chart(name, top, curves, level, under, about) {
    const { canvas, told, ink, width, height } = fit(stages[name]), left = 26, bottom = height - 16, right = width - 6;
    const px = (step) => left + ((right - left) * step) / match.steps;
    const py = (y) => bottom - (bottom - 8) * min(y / top / 1.06, 1);
    const path = (points, { colour, dash = [], lineWidth = 2, alpha = 1 }) => {
      Object.assign(ink, { strokeStyle: colour, lineWidth, globalAlpha: alpha });
      ink.setLineDash(dash);
      ink.beginPath();
      for (const [x, y] of points) ink.lineTo(x, y);
      ink.stroke();
      ink.setLineDash([]);
    };
    const write = (text, x, y, textAlign) => {
      Object.assign(ink, { textAlign, strokeStyle: colours.card, lineWidth: 4, lineJoin: "round", globalAlpha: 1 });
      ink.strokeText(text, x, y);
      ink.fillText(text, x, y);
    };
    [ink.font, ink.fillStyle] = [`11px ${colours.font}`, colours.ink];
    path([[left, 8], [left, bottom], [right, bottom]], { colour: colours.edge, lineWidth: 1 });
    for (const y of [0, top]) write(String(Number(y.toFixed(1))), left - 4, py(y) + 4, "right");
    write(`${match.steps} steps`, right, height - 3, "right");
    if (shown >= 0) {
      path([[px(look().step), 8], [px(look().step), bottom]], { colour: colours.edge, dash: [2, 3], lineWidth: 1 });
    }
    for (const curve of curves) path(Array.from(curve.at, (step, k) => [px(step), py(curve.y[k])]), curve);
    if (level) {
      path([[left, py(level.y)], [right, py(level.y)]], { colour: colours.exact, dash: [6, 3], lineWidth: 1.8 });
      const [x, side] = level.left ? [left + 4, "left"] : [right - 4, "right"];
      write(level.text, x, py(level.y) + (level.below ? 13 : -5), side);
    }
    say(told, under);
    canvas.setAttribute("aria-label", about);
  }

  /** A loss as it is, pale, and its average over some twenty steps. */
  function course(name, colour, dash) {
    const y = losses[name].subarray(0, match.done), at = y.map((_, k) => k + 1), smooth = y.slice();
    for (let k = 1; k < y.length; k++) smooth[k] = smooth[k - 1] + max(0.05, 1 / (k + 1)) * (y[k] - smooth[k - 1]);
    return [{ at, y, colour, lineWidth: 1, alpha: 0.25 }, { at, y: smooth, colour, dash }];
  }

  function draw() {
    const now = look(), { model, rival } = colours, { done, last, steps } = match;
    if (!drawn || drawn.now !== now) {
      for (const [name, colour] of [["data", colours.data], ["gan", rival], ["diffusion", model]]) cloud(name, colour);
    }
    if (!drawn || drawn.now !== now || drawn.done !== done) {
      const covered = (name, colour, dash) =>
        ({ at: looks.map(({ step }) => step), y: looks.map((one) => one.covered[name]), colour, dash });
      const size = match.data.size || 1, cannot = state.game === "relativistic" ? 2 : 4;
      chart("modes", size, [covered("gan", rival, [5, 3]), covered("diffusion", model)],
        now && { y: now.covered.data, text: "real points", below: true }, "solid: diffusion; dashed: GAN",
        `Modes covered over the steps${now ? `: GAN ${now.covered.gan}, diffusion ${now.covered.diffusion} of ${size}` : ""}.`);
      const play = [...course("generator", rival, [5, 3]), ...course("discriminator", rival)];
      chart("game", ceil(min(8, play[1].y.reduce((most, y) => max(most, y), 2))), play,
        { y: log(cannot), text: `log ${cannot}: cannot tell` }, "solid: discriminator; dashed: generator",
        `The game’s losses${last ? `: ${last.discriminator.toFixed(2)} and ${last.generator.toFixed(2)}` : ""}.`);
      const { gan = 0, diffusion = 0 } = match.parameters || {};
      chart("regression", 1.2, course("diffusion", model),
        match.parameters ? { y: exact, text: "perfect denoiser", below: true, left: true } : null,
        `${diffusion.toLocaleString("en")} weights; the GAN ${gan.toLocaleString("en")}`,
        `The regression’s loss${last ? `: ${last.diffusion.toFixed(2)}; of the perfect denoiser ${exact.toFixed(2)}` : ""}.`);
    }
    drawn = { now, done };
    const of = max(0, looks.length - 1), told = `step ${shown < 0 ? done : now.step} of ${steps}`;
    film.show({ playing: running, at: shown < 0 || of === 0 ? 1 : shown / of, of, told });
  }

  // Hands -------------------------------------------------------------------------------------------------------------

  // A line is a row of spots a standard deviation apart; what was drawn begins to train when the pen is lifted.
  const mayDraw = () => state.data === "drawn";
  const place = ([x, y]) => [(2 * x) / data.clientWidth, (2 * y) / data.clientHeight];
  function sketch(inPen) {
    page.changed();
    restart(false, inPen);
  }
  Playground.hands(data, {
    takes: mayDraw,
    down(at) {
      if (mayDraw()) add((pen = place(at)));
      if (mayDraw()) sketch(true);
      return mayDraw();
    },
    move(at) {
      const to = place(at), from = pen, far = hypot(to[0] - from[0], to[1] - from[1]);
      const part = (k) => [0, 1].map((d) => from[d] + ((to[d] - from[d]) * k * DOT) / far);
      for (let k = 1; k <= floor(far / DOT); k++) add((pen = part(k)));
      sketch(true);
    },
    up: () => restart(!still),
  });
  const go = (dx, dy) => () => {
    cursor = [clamp(cursor[0] + 0.06 * dx, -1, 1, 0), clamp(cursor[1] + 0.06 * dy, -1, 1, 0)];
    refresh();
  };
  const spots = (change) => () => {
    change();
    sketch(false);
    tell(`${state.draw.length / 4} spots.`);
  };
  Playground.keys(data, {
    ArrowLeft: go(-1, 0), ArrowRight: go(1, 0), ArrowUp: go(0, 1), ArrowDown: go(0, -1), " ": spots(() => add(cursor)),
    Backspace: spots(() => (state.draw = state.draw.slice(0, -4))),
  }, mayDraw);
  for (const type of ["focus", "blur"]) data.addEventListener(type, refresh);

  root.playground = { // for the tests
    look, encode, get match() { return match; }, get running() { return running; }, get looks() { return looks; },
  };
  root.replaceChildren(page.nav, page.caption, el("div", { class: "stages" }, ...Object.values(stages).map((s) => s.figure)),
    film.bar, page.news, el("div", { class: "panels" },
      panel("Both", {}, ...rows("data", "input", "steps", "seed"), clear),
      panel("The GAN", { class: "b" }, ...rows("game", "gamma", "gan")),
      panel("The diffusion model", { class: "a" }, ...rows("diffusion")),
      panel("What you see", {}, ...rows("speed"), el("div", { class: "buttons" }, page.copy))));
  if (!page.visit()) page.show(FIRST);
})();
