/**
 * The mathematics of the digits: what library.js has, the checkpoint's schedule and times, its denoiser, inpainting.
 *
 * Images are a Float64Array of B·784 numbers in [−1, 1], one after the other: (B, 1, 28, 28). The network answers
 * later, so a walk is an asynchronous generator. tests/site holds it to the Python library, whose names it has.
 */
const Digits = (() => {
  "use strict";
  const { ddim, mix, schedule, timeOf } = Library;
  const { exp, expm1, floor, log, log1p, max, min, sqrt } = Math;
  const SIDE = 28, PIXELS = SIDE * SIDE, NONE = 10; // NONE: the label that stands for no label
  const MIDDLE = -2, BELOW = 1.3, ABOVE = 2.2; // of the logistic times

  // schedules/tables.py -----------------------------------------------------------------------------------------------

  /** DDPM's schedule, a table of `steps` betas that rise linearly; between them log α is interpolated. */
  function linear(steps = 1000) {
    const [first, last] = [0.1 / steps, 20 / steps], table = new Float64Array(steps + 1);
    const beta = (k) => first + ((last - first) * k) / (steps - 1);
    for (let k = 0; k < steps; k++) table[k + 1] = table[k] + 0.5 * log1p(-beta(k));
    const logAlpha = (t) => {
      const below = min(floor(t * steps), steps - 1);
      return table[below] + (t * steps - below) * (table[below + 1] - table[below]);
    };
    return schedule("linear", logAlpha, (t) => 0.5 * log(-expm1(2 * logAlpha(t))));
  }

  // samplers/time_grids.py --------------------------------------------------------------------------------------------

  /** steps + 1 falling times from 1 to 0, close together where a digit's shape is decided, around λ = −2. */
  function logisticGrid(of, steps) {
    const off = of.logSnr(1) - MIDDLE, noisiest = 1 / (1 + exp(-off / (off < 0 ? BELOW : ABOVE)));
    const times = Float64Array.from({ length: steps + 1 }, (_, k) => {
      const share = noisiest + ((1 - noisiest) * k) / steps, even = log(share / (1 - share));
      return timeOf(of, MIDDLE + (even < 0 ? BELOW : ABOVE) * even);
    });
    [times[0], times[steps]] = [1, 0];
    return times;
  }

  const SAMPLERS = {
    "sde-dpm-solver": ddim(1, { order: 2 }), "dpm-solver": ddim(0, { order: 2 }), ancestral: ddim(1), ddim: ddim(0),
  };

  // denoisers/ --------------------------------------------------------------------------------------------------------

  /**
   * x̂₀ and ε̂ of images x by a network that answers v = α·ε − σ·x₀: answer(x, t, labels), one for each row, is a
   * promise of it. With guidance w the network is asked twice a row, by one call, and ε̂ is
   * (1 + w)·ε̂(label) − w·ε̂(no label); so is x̂₀.
   */
  function Learned(answer, of) {
    const solve = (x, v, t) => ({ x0: mix(of.alpha(t), x, -of.sigma(t), v), eps: mix(of.sigma(t), x, of.alpha(t), v) });
    const denoiser = async (x, t, labels, w = 0) => {
      if (w === 0) return solve(x, await answer(x, t, labels), t);
      const both = new Float64Array(2 * x.length);
      both.set(x);
      both.set(x, x.length);
      const v = await answer(both, t, [...labels, ...labels.map(() => NONE)]);
      const towards = solve(x, v.subarray(0, x.length), t), away = solve(x, v.subarray(x.length), t);
      return { x0: mix(1 + w, towards.x0, -w, away.x0), eps: mix(1 + w, towards.eps, -w, away.eps) };
    };
    return Object.assign(denoiser, { schedule: of });
  }

  // samplers/walk.py, samplers/inpainting.py --------------------------------------------------------------------------

  /**
   * From noise to digits: yields {t, x, x0, eps} at each of the times, at the end without ε.
   *
   * ask: {labels, w, sampler}; noise(like) draws N(0, 1). Where `known` has a 1 the digits are those of `y`: they are
   * put in anew at each noise level, with noise of that level, and a step is walked `repeats` times, as inpaint() does.
   * A solver then forgets the step before, since what is put in is not where it went.
   */
  async function* walk(denoiser, { labels, w = 0, sampler }, times, like, noise, paint = null) {
    const { alpha, sigma } = denoiser.schedule, step = SAMPLERS[sampler];
    const putIn = (x, s) => {
      if (!paint) return x;
      const level = mix(alpha(s), paint.y, sigma(s), noise(like));
      return x.map((value, i) => (paint.known[i] ? level[i] : value));
    };
    let z = noise(like), x = putIn(mix(sigma(times[0]), z, 0, z), times[0]), state = null;
    for (let k = 0; k + 1 < times.length; k++) {
      const [t, s] = times.subarray(k, k + 2);
      for (let again = 0; again < (paint && s > 0 ? paint.repeats : 1); again++) {
        if (again) { // back up, by the noise of the step
          const share = alpha(t) / alpha(s);
          z = noise(like);
          x = putIn(mix(share, x, sqrt(max(sigma(t) ** 2 - (share * sigma(s)) ** 2, 0)), z), t);
        }
        const seen = await denoiser(x, t, labels, w);
        yield { t, x, ...seen };
        [x, state] = step(Object.assign(() => seen, { schedule: denoiser.schedule }), x, t, s, state, noise);
        if (paint) state = null;
        x = putIn(x, s);
      }
    }
    yield { t: 0, x, x0: x };
  }

  /** Noise for some rows, each from a seed of its own: a digit is the same alone and beside others. */
  function noiseOf(seeds) {
    const random = seeds.map((seed) => Library.random(seed));
    return (like) => {
      const z = new Float64Array(like.length);
      random.forEach((draws, row) => draws.normal(z.subarray(row * PIXELS, (row + 1) * PIXELS)));
      return z;
    };
  }

  /** The length of the score −ε̂/σ of one image. */
  const scoreNorm = (eps, sigma) => sqrt(eps.reduce((sum, e) => sum + e * e, 0)) / sigma;

  // A page that is drawn on -------------------------------------------------------------------------------------------

  const LEVELS = 15; // of grey, between paper and ink

  /** What a reader has drawn: y (784,), and known (784,), 1 where it counts. As text: letters, and their runs. */
  function pad() {
    const y = new Float64Array(PIXELS).fill(-1), known = new Uint8Array(PIXELS);
    const put = (i, value) => ([y[i], known[i]] = [(2 * Math.round(((value + 1) / 2) * LEVELS)) / LEVELS - 1, 1]);
    const clear = (of = known) => of.forEach((_, i) => ([y[i], known[i]] = [-1, 0]));
    /** Set a pen on (column, row): "ink" with soft edges, "paper", or "free", which forgets. */
    function stamp(tool, column, row, radius = 1.25) {
      for (let i = 0; i < PIXELS; i++) {
        const far = Math.hypot((i % SIDE) + 0.5 - column, floor(i / SIDE) + 0.5 - row);
        if (far > radius + (tool === "free" ? 1.25 : 1)) continue;
        if (tool === "free") [y[i], known[i]] = [-1, 0];
        else if (tool === "paper") put(i, -1);
        else put(i, max(y[i], 2 * min(max(radius + 0.5 - far, 0), 1) - 1));
      }
    }
    function encode() {
      const letters = Array.from(y, (value, i) =>
        known[i] ? String.fromCharCode(65 + Math.round(((value + 1) / 2) * LEVELS)) : "_").join("");
      const runs = letters.replace(/([A-P_])\1+/g, (run, letter) => letter + run.length);
      return known.some((is) => is) ? runs : "";
    }
    function decode(text) {
      clear();
      let i = 0;
      for (const [, letter, run] of String(text).matchAll(/([A-P_])(\d{0,3})/g)) {
        for (let left = run === "" ? 1 : Number(run); left > 0 && i < PIXELS; left--, i++) {
          if (letter !== "_") put(i, (2 * (letter.charCodeAt(0) - 65)) / LEVELS - 1);
        }
      }
    }
    const take = (image) => image.forEach((value, i) => put(i, min(max(value, -1), 1)));
    return { y, known, stamp, clear, encode, decode, take, get empty() { return !known.some((is) => is); } };
  }

  return {
    ...Library, SIDE, PIXELS, NONE, linear, logisticGrid, SAMPLERS, Learned, walk, noiseOf, scoreNorm, pad,
  };
})();
