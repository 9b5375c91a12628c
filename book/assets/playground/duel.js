/* The duel's page: it draws, listens, and trains a little in every frame. The mathematics is in duel_math.js. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const root = document.getElementById("duel");
  if (!root) return;

  // ---- What can be chosen; an address holds all of it

  const BUDGET = 8, LOOKS = 40, SHOWN = 250, COUNTED = 2500;  // ms of work a frame; looks a run; samples of each look, of the last
  const DOT = 0.03, MOST = 240;  // of a drawing in [−1, 1]²: a spot's standard deviation, and how many spots
  const RATES = ["0.001", "0.002", "0.004", "0.008", "0.016", "0.032"];
  const CHOICES = {
    data: { label: "Data", of: { ring: "ring", grid: "grid", moons: "two moons", spiral: "spiral", drawn: "your drawing" } },
    input: { label: "The networks see", of: { fourier: "Fourier features", raw: "raw coordinates" } },
    game: { label: "The GAN’s game", of: { "non-saturating": "non-saturating", relativistic: "relativistic" } },
    gamma: { label: "γ of R₁ + R₂", of: { "0.02": "0.02", "0.1": "0.1", "0.5": "0.5" } },
    gan: { label: "GAN’s learning rate", of: RATES },
    diffusion: { label: "Diffusion’s learning rate", of: RATES },
    steps: { label: "Steps", of: ["400", "800", "1600", "3200"] },
    seed: { label: "Seed", of: Array.from({ length: 10 }, (_, k) => `${k}`) },
    speed: { label: "Speed", of: { slow: "slow", steady: "a step a frame", fast: "as fast as smooth" } },
  };
  const DEFAULT = {
    data: "ring", input: "fourier", game: "non-saturating", gamma: "0.1", on: "0", gan: "0.008", diffusion: "0.016", steps: "800",
    seed: "0", speed: "fast", draw: "",
  };
  const PRESETS = {  // each with what it changes of the default
    plain: { title: "The plain game drops modes", hint: "Count the modes that the GAN reaches. Then press “Add R₁ + R₂”.", set: {} },
    mended: { title: "R₁ + R₂ mends it", hint: "The modes come back, and the discriminator’s loss goes to log 4.", set: { on: "1" } },
    raw: {
      title: "Raw coordinates turn it round", hint: "Now the GAN’s circle passes through the modes, and diffusion is a cloud.",
      set: { input: "raw", diffusion: "0.032" },
    },
    spiral: { title: "The GAN leads on a spiral", hint: "One long line, with R₁ + R₂.", set: { data: "spiral", on: "1" } },
    draw: { title: "Draw your own", hint: "Who will win on your drawing?", set: { data: "drawn", on: "1" } },
  };
  const SETS = { ring: Duel.ring, grid: Duel.grid, moons: Duel.twoMoons, spiral: Duel.swissRoll, drawn: drawing };

  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  let state = { ...DEFAULT }, match = null, life = null, looks = [], losses = null, exact = 0;
  let running = false, goal = 1, shown = -1, visible = true, asked = 0, allowance = 0, cursor = [0, 0], pen = null;

  function address() {
    const kept = Object.entries(state).filter(([key, value]) => key !== "speed" && value !== DEFAULT[key]);
    return `#${new URLSearchParams([["data", state.data], ...kept.filter(([key]) => key !== "data")])}`;
  }

  /** The choices that an address makes, others as they are by default; null where it makes none. */
  function choicesOf(hash) {
    const name = hash.replace(/^#/, "");
    if (Object.hasOwn(PRESETS, name)) return { ...DEFAULT, ...PRESETS[name].set };
    const said = Object.fromEntries(new URLSearchParams(name)), chosen = { ...DEFAULT };
    if (!Object.hasOwn(said, "data")) return null;
    for (const key of Object.keys(CHOICES)) {
      const { of } = CHOICES[key];
      if (Array.isArray(of) ? of.includes(said[key]) : Object.hasOwn(of, said[key])) chosen[key] = said[key];
    }
    if (said.on === "1") chosen.on = "1";
    if (/^([0-9a-z]{4})*$/.test(said.draw || "")) chosen.draw = (said.draw || "").slice(0, 4 * MOST);
    return chosen;
  }

  // ---- A drawing: four letters a spot, two a coordinate

  const letters = (c) => Math.round((Math.max(-1, Math.min(1, c)) + 1) * 647.5).toString(36).padStart(2, "0");
  function drawing() {
    const points = (state.draw.match(/..../g) || []).map((spot) => [0, 2].map((k) => parseInt(spot.slice(k, k + 2), 36) / 647.5 - 1));
    return { means: Float64Array.from(points.flat()), std: DOT };
  }
  const room = () => state.draw.length < 4 * MOST;
  const add = ([x, y]) => { if (room()) state.draw += letters(x) + letters(y); };

  // ---- The controls

  const option = ([value, text]) => `<option value="${value}">${text}</option>`;
  const select = (key) => {
    const { label, of } = CHOICES[key], pairs = Array.isArray(of) ? of.map((value) => [value, value]) : Object.entries(of);
    return `<label>${label}<select name="${key}">${pairs.map(option).join("")}</select></label>`;
  };
  const panel = (name, title) => `<figure class="${name}"><canvas role="img"></canvas>
    <figcaption><b>${title}</b> <span class="score"></span></figcaption></figure>`;
  root.innerHTML = `
    <div class="scenes" role="group" aria-label="Scenes">${Object.entries(PRESETS)
      .map(([name, { title }]) => `<a href="#${name}">${title}</a>`).join("")}</div>
    <div class="panels">${panel("data", "Data")}${panel("gan", "GAN")}${panel("diffusion", "Diffusion")}
      ${panel("modes", "Modes covered")}${panel("game", "The game’s losses")}${panel("regression", "The regression’s loss")}</div>
    <div class="transport"><button type="button" class="play"></button><button type="button" class="step">Step</button>
      <button type="button" class="again">Restart</button>
      <button type="button" class="penalty" aria-pressed="false"></button>
      <label class="scrub">Look back<input type="range" min="0" max="0" value="0"></label><span class="when"></span></div>
    <div class="choices">${Object.keys(CHOICES).map(select).join("")}
      <button type="button" class="clear">Clear the drawing</button><button type="button" class="share">Copy the address</button></div>
    <p class="note" role="status"></p>`;
  const $ = (selector) => root.querySelector(selector);
  const canvas = Object.fromEntries(["data", "gan", "diffusion", "modes", "game", "regression"].map((name) => [name, $(`.${name} canvas`)]));
  const say = (text) => { $(".note").textContent = text; };

  // ---- A run

  /** The whole run, bit by bit: it yields "step" after each step of training, and adds to `looks`. */
  function* living(run) {
    const every = run.steps / LOOKS;
    const keep = (look) => {  // the curve counts as many samples in the last look as in the others
      const some = Object.entries(look.samples).map(([name, x]) => [name, Duel.modeCoverage(x.subarray(0, 2 * SHOWN), run.data).covered]);
      looks.push({ ...look, covered: Object.fromEntries(some) });
    };
    keep(yield* run.look(SHOWN));
    while (run.done < run.steps) {
      yield* run.step();
      const { discriminator, generator, diffusion } = run.last, k = run.done - 1;
      [losses.discriminator[k], losses.generator[k], losses.diffusion[k]] = [discriminator, generator, diffusion];
      if (!Number.isFinite(discriminator + generator + diffusion)) return "diverged";
      yield "step";
      if (run.done % every === 0) keep(yield* run.look(run.done === run.steps ? COUNTED : SHOWN));
    }
    return "done";
  }

  /** Begin anew with the choices as they are; while a pen draws, without a match yet. */
  function restart(play = running || !still.matches, inPen = false) {
    const raw = SETS[state.data](), set = Duel.unitSpread(raw), empty = raw.means.length === 0, steps = Number(state.steps);
    set.edge = state.data === "drawn" ? 1 : 1.3 * raw.means.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    if (empty) Object.assign(set, { centre: [0, 0], scale: 1, std: DOT });
    [looks, shown, life, match] = [[], -1, null, { data: set, done: 0, steps }];
    losses = Object.fromEntries(["discriminator", "generator", "diffusion"].map((name) => [name, new Float32Array(steps)]));
    if (!empty && !inPen) {
      const { game, gamma, on, gan, diffusion, seed, input } = state;
      match = new Duel.Match({
        data: set, game, steps, seed: Number(seed), octaves: input === "raw" ? 0 : Duel.OCTAVES, gamma: on === "1" ? Number(gamma) : 0,
        lrGAN: Number(gan), lrDiffusion: Number(diffusion),
      });
      life = living(match);
      const n = 2048, rng = Duel.random(match.seed, 7), points = () => new Float64Array(2 * n);
      const t = Duel.sampleTimes(new Float64Array(n), rng.uniform());
      exact = Duel.exactLoss(set, Duel.sample(set, points(), rng), t, rng.normal(points()), n);
    } else if (empty) say("Draw on the left panel: drag for a line, tap for a spot. By keyboard: arrows move, Space sets a spot.");
    train(play && Boolean(life));
  }

  function train(play) {
    if (play && !life) return restart(true);
    running = play;
    goal = running ? Infinity : looks.length || 1;
    if (running) shown = -1;
    wake();
  }

  function wake() {
    if (!asked && visible) asked = requestAnimationFrame(frame);
  }

  function frame() {
    asked = 0;
    const start = performance.now();
    allowance = state.speed === "fast" ? Infinity : Math.min(1, allowance + (state.speed === "slow" ? 0.2 : 1));
    while (life && looks.length < goal && allowance >= 1 && performance.now() - start < BUDGET) {
      const { value, done } = life.next();
      if (value === "step") allowance -= 1;
      if (done) finish(value);
    }
    root.dataset.work = (performance.now() - start).toFixed(1);
    draw();
    root.dataset.frame = (performance.now() - start).toFixed(1);
    if (life && looks.length < goal) wake();
  }

  const score = ({ covered, modes, highQuality }) =>
    `${covered} of ${modes} ${/ring|grid/.test(state.data) ? "modes" : "places"}, ${(100 * highQuality).toFixed(highQuality < 0.1 ? 1 : 0)} % good`;
  const shownLook = () => looks[shown < 0 ? looks.length - 1 : shown];

  function finish(how) {
    life = null;
    running = false;
    if (how === "diverged") return say(`The training diverged at step ${match.done}. Take a smaller learning rate, or add R₁ + R₂.`);
    const { scores } = shownLook();
    return say(`After ${match.steps} steps, counted on 2,500 samples each: GAN ${score(scores.gan)}; diffusion ${score(scores.diffusion)}; `
      + `real points ${score(scores.data)}.`);
  }

  // ---- Drawing

  const ink = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();

  /** A canvas as large as its place, in its own pixels; the context counts in those of the page. */
  function fresh(element) {
    const { clientWidth: w, clientHeight: h } = element, ratio = window.devicePixelRatio || 1, g = element.getContext("2d");
    [element.width, element.height] = [Math.round(w * ratio), Math.round(h * ratio)];
    g.scale(ratio, ratio);
    return { g, w, h };
  }

  function cloud(name, colour) {
    const { g, w, h } = fresh(canvas[name]), { means, std, centre, scale, edge } = match.data, look = shownLook();
    const at = (x, d) => ((d ? -1 : 1) * ((x / scale + centre[d]) / edge) + 1) / 2 * w;
    const radius = Math.max(2.5, (3 * std / scale / edge / 2) * w);
    g.fillStyle = ink("data");
    g.globalAlpha = 0.35;
    g.beginPath();
    for (let k = 0; k < means.length; k += 2) {
      g.moveTo(at(means[k], 0) + radius, at(means[k + 1], 1));
      g.arc(at(means[k], 0), at(means[k + 1], 1), radius, 0, 7);
    }
    g.fill();
    g.fillStyle = ink(colour);
    g.globalAlpha = 0.8;
    if (name === "data" && !means.length) {
      [g.textAlign, g.font] = ["center", `15px ${getComputedStyle(root).fontFamily}`];
      g.fillText("Draw here", w / 2, h / 2);
    }
    const x = look ? look.samples[name] : [];
    for (let k = 0; k < Math.min(x.length, 4 * SHOWN); k += 2) g.fillRect(at(x[k], 0) - 1.2, at(x[k + 1], 1) - 1.2, 2.4, 2.4);
    if (name === "data" && state.data === "drawn" && document.activeElement === canvas.data) {
      g.globalAlpha = 1;
      g.strokeStyle = ink("ink");
      g.strokeRect((cursor[0] + 1) / 2 * w - 5, (1 - cursor[1]) / 2 * h - 5, 10, 10);
    }
    const told = look ? score(look.scores[name]) : "nothing yet";
    $(`.${name} .score`).textContent = told.replace(" of ", "/").replace(",", " ·");
    canvas[name].setAttribute("aria-label", `Samples, ${name}, step ${look ? look.step : 0}: ${told}.`);
  }

  /** Curves over the steps. A curve: {at: steps, y, colour, dash, width}; a level is dashed right across, with a name. */
  function chart(name, top, curves, level, about) {
    const { g, w, h } = fresh(canvas[name]), left = 26, bottom = h - 16, right = w - 6;
    const px = (step) => left + (right - left) * step / match.steps, py = (y) => bottom - (bottom - 8) * Math.min(y / top / 1.06, 1);
    g.font = `11px ${getComputedStyle(root).fontFamily}`;
    g.fillStyle = ink("ink");
    g.strokeStyle = ink("line");
    g.strokeRect(left, 8, right - left, bottom - 8);
    g.textAlign = "right";
    for (const y of [0, top]) g.fillText(`${Number(y.toFixed(1))}`, left - 4, py(y) + 4);
    g.fillText(`${match.steps} steps`, right, h - 3);
    if (shown >= 0) {
      g.setLineDash([2, 3]);
      g.beginPath();
      g.moveTo(px(shownLook().step), 8);
      g.lineTo(px(shownLook().step), bottom);
      g.stroke();
    }
    for (const { at, y, colour, dash = [], width = 2, alpha = 1 } of curves) {
      g.strokeStyle = ink(colour);
      [g.lineWidth, g.globalAlpha] = [width, alpha];
      g.setLineDash(dash);
      g.beginPath();
      for (let k = 0; k < at.length; k++) g.lineTo(px(at[k]), py(y[k]));
      g.stroke();
    }
    g.globalAlpha = 1;
    if (level) {
      [g.strokeStyle, g.lineWidth, g.textAlign] = [ink("exact"), 1.8, level.left ? "left" : "right"];
      g.setLineDash([6, 3]);
      g.beginPath();
      g.moveTo(left, py(level.y));
      g.lineTo(right, py(level.y));
      g.stroke();
      g.setLineDash([]);
      [g.strokeStyle, g.lineWidth, g.lineJoin] = [ink("paper"), 4, "round"];
      const where = [level.text, level.left ? left + 4 : right - 4, py(level.y) + (level.below ? 13 : -5)];
      g.strokeText(...where);
      g.fillText(...where);
    }
    canvas[name].setAttribute("aria-label", about);
  }

  /** A loss as it is, pale, and its average over some twenty steps. */
  function course(name, colour, dash) {
    const y = losses[name].subarray(0, match.done), at = y.map((_, k) => k + 1), smooth = y.slice();
    for (let k = 1; k < y.length; k++) smooth[k] = smooth[k - 1] + Math.max(0.05, 1 / (k + 1)) * (y[k] - smooth[k - 1]);
    return [{ at, y, colour, width: 1, alpha: 0.25 }, { at, y: smooth, colour, dash }];
  }

  let drawnLook = null, drawnStep = -1;
  function draw(all = false) {
    const look = shownLook();
    if (all || look !== drawnLook || !look) for (const name of ["data", "gan", "diffusion"]) cloud(name, name);
    if (all || look !== drawnLook || match.done !== drawnStep) {
      const at = looks.map(({ step }) => step), last = match.last;
      const covered = (name, dash) => ({ at, y: looks.map((one) => one.covered[name]), colour: name, dash });
      const modes = match.data.means.length / 2 || 1, cannot = state.game === "relativistic" ? 2 : 4;
      chart("modes", modes, [covered("gan", [5, 3]), covered("diffusion")], look && { y: look.covered.data, text: "real points", below: true },
        `Modes covered over the steps${look ? `: GAN ${look.covered.gan}, diffusion ${look.covered.diffusion} of ${modes}` : ""}.`);
      const play = [...course("generator", "gan", [5, 3]), ...course("discriminator", "gan")];
      const top = Math.ceil(Math.min(8, play[1].y.reduce((most, y) => Math.max(most, y), 2)));
      chart("game", top, play, { y: Math.log(cannot), text: `log ${cannot}: cannot tell` },
        `The game’s losses${last ? `: discriminator ${last.discriminator.toFixed(2)}, generator ${last.generator.toFixed(2)}` : ""}.`);
      chart("regression", 1.2, course("diffusion", "diffusion"), life || last ? { y: exact, text: "perfect denoiser", below: true, left: true } : null,
        `The regression’s loss${last ? `: ${last.diffusion.toFixed(2)}; of the perfect denoiser ${exact.toFixed(2)}` : ""}.`);
    }
    [drawnLook, drawnStep] = [look, match.done];
    const slider = $(".scrub input");
    slider.max = Math.max(0, looks.length - 1);
    slider.value = shown < 0 ? slider.max : shown;
    slider.setAttribute("aria-valuetext", `step ${look ? look.step : 0}`);
    $(".when").textContent = `step ${shown < 0 ? match.done : look.step} of ${match.steps}`;
    $(".play").textContent = running ? "Pause" : "Train";
    $(".game .score").textContent = "solid: discriminator; dashed: generator";
    $(".modes .score").textContent = "solid: diffusion; dashed: GAN";
    const { diffusion = 0, gan = 0 } = match.parameters || {};
    $(".regression .score").textContent = `${diffusion.toLocaleString("en")} weights; the GAN ${gan.toLocaleString("en")}`;
  }

  // ---- Listening

  function show() {
    for (const key of Object.keys(CHOICES)) $(`[name=${key}]`).value = state[key];
    $(".penalty").setAttribute("aria-pressed", String(state.on === "1"));
    $(".penalty").textContent = state.on === "1" ? "R₁ + R₂ is on" : "Add R₁ + R₂";
    for (const link of root.querySelectorAll(".scenes a")) {
      const scene = { ...DEFAULT, ...PRESETS[link.hash.slice(1)].set, speed: state.speed, draw: state.draw };
      const here = Object.keys(scene).every((key) => scene[key] === state[key]);
      if (here) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    $(".clear").hidden = state.data !== "drawn";
    canvas.data.tabIndex = state.data === "drawn" ? 0 : -1;
    root.classList.toggle("drawing", state.data === "drawn");
  }

  function open(hash, play) {
    const chosen = choicesOf(hash), name = hash.replace(/^#/, "");
    if (!chosen) return false;
    state = { ...chosen, speed: state.speed };
    show();
    say(Object.hasOwn(PRESETS, name) ? `${PRESETS[name].title}. ${PRESETS[name].hint}` : "");
    restart(play);
    return true;
  }

  $(".choices").addEventListener("change", ({ target }) => {
    state[target.name] = target.value;
    history.replaceState(null, "", address());
    show();
    if (target.name === "speed" || (target.name === "gamma" && state.on === "0")) return;
    say("");
    restart();
  });
  $(".penalty").addEventListener("click", () => {  // the same start and the same draws again, with one change
    state.on = state.on === "1" ? "0" : "1";
    history.replaceState(null, "", address());
    show();
    say(state.on === "1" ? "R₁ + R₂: from the same start, with a discriminator that pays for being steep." : "The plain game again.");
    restart();
  });
  $(".play").addEventListener("click", () => train(!running));
  $(".again").addEventListener("click", () => restart(true));
  $(".step").addEventListener("click", () => {
    running = false;
    shown = -1;
    goal = Math.max(1, looks.length) + 1;  // the look at step 0 may still be on its way
    wake();
  });
  $(".scrub input").addEventListener("input", ({ target }) => {
    train(false);
    shown = Number(target.value) === looks.length - 1 ? -1 : Number(target.value);
    draw(true);
  });
  $(".clear").addEventListener("click", () => { state.draw = ""; restart(false); });
  $(".share").addEventListener("click", async () => {
    history.replaceState(null, "", address());
    const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
    say(copied ? "The address is copied." : "The address is in your browser’s address bar.");
  });

  // A pen: a line is a row of spots a standard deviation apart; what was drawn begins to train when the pen is lifted.
  const place = ({ offsetX, offsetY }) => [(2 * offsetX) / canvas.data.clientWidth - 1, 1 - (2 * offsetY) / canvas.data.clientHeight];
  const sketch = (inPen) => {
    restart(false, inPen);
    history.replaceState(null, "", address());
  };
  canvas.data.addEventListener("pointerdown", (event) => {
    if (state.data !== "drawn") return;
    event.preventDefault();
    canvas.data.setPointerCapture(event.pointerId);
    canvas.data.focus();
    pen = place(event);
    add(pen);
    sketch(true);
  });
  canvas.data.addEventListener("pointermove", (event) => {
    if (!pen) return;
    const to = place(event), far = Math.hypot(to[0] - pen[0], to[1] - pen[1]), from = pen;
    for (let k = 1; k <= Math.floor(far / DOT); k++) add(pen = [0, 1].map((d) => from[d] + ((to[d] - from[d]) * k * DOT) / far));
    sketch(true);
  });
  for (const type of ["pointerup", "pointercancel"]) {
    canvas.data.addEventListener(type, () => {
      if (pen) restart(!still.matches);
      pen = null;
      if (!room()) say(`A drawing has at most ${MOST} spots.`);
    });
  }
  canvas.data.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (state.data !== "drawn" || !(way || event.key === " " || event.key === "Backspace")) return;
    event.preventDefault();
    if (way) cursor = cursor.map((c, d) => Math.max(-1, Math.min(1, c + 0.06 * way[d])));
    else if (event.key === " ") add(cursor);
    else state.draw = state.draw.slice(0, -4);
    if (way) return draw(true);
    say(`${state.draw.length / 4} spots.`);
    return sketch(false);
  });
  canvas.data.addEventListener("blur", () => draw(true));
  canvas.data.addEventListener("focus", () => draw(true));

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#']");
    if (!link || !Object.hasOwn(PRESETS, link.hash.slice(1))) return;
    event.preventDefault();
    history.pushState(null, "", link.hash);
    open(link.hash, !still.matches);
    if (!root.contains(link)) root.scrollIntoView({ behavior: still.matches ? "auto" : "smooth" });
  });
  for (const type of ["hashchange", "popstate"]) window.addEventListener(type, () => open(location.hash, !still.matches));
  new ResizeObserver(() => match && draw(true)).observe(root);
  new MutationObserver(() => draw(true)).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  new IntersectionObserver((seen) => { visible = seen.at(-1).isIntersecting; wake(); }).observe(root);

  root.duel = { look: shownLook, get match() { return match; }, get running() { return running; }, get looks() { return looks; }, address };
  if (!open(location.hash || "#plain", !still.matches)) open("#plain", !still.matches);
});
