/**
 * The drop of ink on the home page: dots walk at random until nothing tells where the drop fell, and walk back.
 *
 * Both walks are exact: the way out by the transitions of the noising process, the way back by ancestral sampling with
 * the drop's own E[x₀ | x_t]. What is computed here, the playground of the field has, and tests/site holds to the library.
 */
"use strict";
(() => {
  const { film, fit, clamp, loop, stage, colours } = Playground;
  const { PI, cos, min, round, sin } = Math;
  const DOTS = 1400, STEPS = 150, SCHEDULE = Library.SCHEDULES.cosine;
  // Times from noise to data, closer together near the data: there the thread is still to be seen.
  const DOWN = Library.timeGrid(STEPS).map((t) => t ** 1.8);
  const ACROSS = 5.4; // what of the plane the canvas shows, from top to bottom
  // Seconds: the drop, its way out, even water, the way back, the drop again.
  const PARTS = [0.4, 5, 1, 5, 2.6];
  const WHOLE = PARTS.reduce((sum, seconds) => sum + seconds, 0);

  /** A thread of ink, rolled up around a place, as a row of small Gaussians. */
  function thread([x, y]) {
    const line = Array.from({ length: 90 }, (_, i) => {
      const angle = (3.4 * PI * i) / 89, radius = 0.12 + (0.85 * i) / 89;
      return [x + radius * cos(angle), y + radius * sin(angle)];
    });
    return Field.mixtureOf(Library.alongCurve(line, 0.12).map(([a, b]) => Field.mode(a, b, 1, 0.05)));
  }

  /** The walk out of a drop at a place, and back: states, as many as have been computed. */
  function walks(place, seed) {
    const drop = thread(place), denoiser = Library.Exact(drop, SCHEDULE);
    const noises = (stream) => Array.from({ length: 7 }, (_, k) => Field.gaussian(Library.random(seed, stream + k)));
    const start = drop.sample(DOTS, Library.random(seed, 1)), up = DOWN.slice().reverse();
    const out = new Field.Trajectory(denoiser, Field.forward, start, up, noises(10), DOTS / 7).advance();
    const back = new Field.Trajectory(denoiser, Library.ddim(1), out.states[STEPS], DOWN, noises(20), DOTS / 7);
    return { place, out, back };
  }

  /** Which state belongs to a second of the film: of the way out or back, and what is to be seen then. */
  function at(second) {
    const [drop, out, even, back] = PARTS;
    const gone = clamp((second - drop) / out, 0, 1, 0), come = clamp((second - drop - out - even) / back, 0, 1, 0);
    if (come === 1) return { back: true, k: STEPS, told: "The drop has come back." };
    if (come > 0)
      return { back: true, k: round(come * STEPS), told: "Each dot staggers on, and follows the score: the drop returns." };
    if (gone === 1) return { k: STEPS, told: "Nothing tells where the drop fell." };
    return { k: round(gone * STEPS), told: gone > 0 ? "Each dot staggers at random: the drop spreads." : "A drop of ink." };
  }

  function start(root) {
    const label = "A thread of ink spreads in water, dot by dot, and gathers again.";
    const water = stage("data", "", { role: "img", "aria-label": label });
    const bar = film({
      names: ["Play", "Pause", "New drop"],
      label: "Time",
      toggle: () => { playing = !playing; last = null; wake(); },
      replay: () => fall([1.6 * (Math.random() - 0.5), 0.8 * (Math.random() - 0.5)]),
      step: () => { playing = false; second = min(second + 0.25, WHOLE); wake(); },
      scrub: (share) => { playing = false; second = share * WHOLE; wake(); },
    });
    const palette = colours(root, () => wake());
    let playing = !Playground.still, second = 0, last = null, seed = 1, walk = walks([0, 0], seed);
    root.replaceChildren(water.figure, bar.bar);

    /** Let a drop fall at a place of the plane. */
    function fall(place) {
      walk = walks(place, ++seed);
      [second, last, playing] = [0, null, !Playground.still || playing];
      wake();
    }

    water.canvas.addEventListener("click", ({ offsetX, offsetY }) => {
      const { clientWidth: width, clientHeight: height } = water.canvas, scale = ACROSS / height;
      fall([clamp((offsetX - width / 2) * scale, -3, 3, 0), clamp((height / 2 - offsetY) * scale, -1.6, 1.6, 0)]);
    });

    function draw({ back, k }) {
      const { ink, width, height } = fit(water), scale = height / ACROSS, states = (back ? walk.back : walk.out).states;
      const x = states[min(k, states.length - 1)];
      ink.fillStyle = palette.data;
      ink.globalAlpha = 0.7;
      ink.beginPath();
      for (let i = 0; i < x.length; i += 2) {
        const px = width / 2 + scale * x[i], py = height / 2 - scale * x[i + 1];
        ink.moveTo(px + 1.7, py);
        ink.arc(px, py, 1.7, 0, 2 * PI);
      }
      ink.fill();
    }

    function frame(now) {
      walk.back.advance(performance.now() + 4); // ahead of what is shown
      if (playing && last !== null) second += min(now - last, 100) / 1000;
      last = playing ? now : null;
      if (second >= WHOLE && playing) fall(walk.place);
      const seen = at(second);
      if (seen.back) walk.back.advance(performance.now() + (walk.back.states.length > seen.k ? 0 : 8));
      draw(seen);
      Playground.say(water.told, seen.told);
      bar.show({ playing, at: second / WHOLE, told: `${second.toFixed(1)} s`, aloud: `${second.toFixed(1)} s. ${seen.told}` });
      return playing || !walk.back.complete;
    }

    const wake = loop(root, frame);
    root.playground = { get second() { return second; }, get playing() { return playing; }, get walk() { return walk; } };
    wake();
  }

  document.addEventListener("DOMContentLoaded", () => {
    const root = document.getElementById("drop");
    if (root) start(root);
  });
})();
