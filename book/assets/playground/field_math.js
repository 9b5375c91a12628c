/**
 * The mathematics of the field: what library.js has, and its samplers, schedules' ladders and plans.
 *
 * tests/site holds it to the Python library, whose names it has.
 */
const Field = (() => {
  "use strict";
  const { GaussianMixture, Exact, SCHEDULES, alongCurve, ddim, mix, timeGrid, timeOf } = Library;
  const { PI, cos, exp, log, max, min, round, sin, sqrt } = Math;

  /** The times of a geometric ladder of noise: σ/α falls by one factor from level to level; and a 0 at the end. */
  function ladder(schedule, levels, smallest = 0.1, largest = null) {
    const top = log(largest === null ? exp(-0.5 * schedule.logSnr(1)) : largest);
    const fall = levels > 1 ? (top - log(smallest)) / (levels - 1) : 0;
    const times = Float64Array.from({ length: levels + 1 }, (_, k) => timeOf(schedule, -2 * (top - k * fall)));
    if (largest === null) times[0] = 1;
    times[levels] = 0;
    return times;
  }

  /**
   * q on a grid of width × height points, from (x, y) on with the gap h, y falling: (height · width), row by row.
   *
   * Along a row a Gaussian's values have ratios that shrink by one factor: two products a point, and no exponential.
   */
  function densityGrid(mixture, alpha, sigma, { x, y, h, width, height }, out = new Float64Array(width * height)) {
    const level = mixture.level(alpha, sigma);
    out.fill(0);
    for (let i = 0; i < level.length; i += level.length / mixture.size) {
      const [mx, my, c, s, p, q, peak] = level.subarray(i, i + 7);
      const xx = c * c * p + s * s * q, xy = c * s * (p - q), yy = s * s * p + c * c * q;
      const rest = yy - (xy * xy) / xx, shrink = exp(-xx * h * h);
      for (let row = 0; row < height; row++) {
        const dy = y - row * h - my;
        if (rest * dy * dy > 50) continue; // less than e^−25 of the top
        const first = min(max(round((mx - (xy * dy) / xx - x) / h), 0), width - 1), dx = x + first * h - mx;
        const value = exp(peak - 0.5 * (xx * dx * dx + 2 * xy * dx * dy + yy * dy * dy));
        for (const way of [1, -1]) {
          let now = value, ratio = exp(-0.5 * (xx * (2 * way * dx * h + h * h) + 2 * way * xy * h * dy));
          let column = first;
          if (way < 0) (now *= ratio), (ratio *= shrink), column--;
          for (; column >= 0 && column < width && now > 1e-12; column += way) {
            out[row * width + column] += now;
            now *= ratio;
            ratio *= shrink;
          }
        }
      }
    }
    return out;
  }

  /** A mode as one sets it: its centre, weight, two standard deviations and the angle of the first, in degrees. */
  function mode(x, y, weight, long, short = long, angle = 0, label = 1) {
    return { x, y, weight, long, short, angle, label };
  }

  function mixtureOf(modes) {
    const covariances = modes.map(({ long, short, angle }) => {
      const [c, s, p, q] = [cos((angle * PI) / 180), sin((angle * PI) / 180), long ** 2, short ** 2];
      return [[c * c * p + s * s * q, c * s * (p - q)], [c * s * (p - q), s * s * p + c * c * q]];
    });
    return new GaussianMixture(modes.map((m) => m.weight), modes.map((m) => [m.x, m.y]), covariances);
  }

  /** A drawn line as a row of equal Gaussians along it, one standard deviation apart. */
  const alongLine = (points, std, label = 1) => alongCurve(points, std).map(([x, y]) => mode(x, y, 1, std, std, 0, label));

  /** ε = (1 + w)·ε_towards − w·ε_away, and the same of x₀ (Ho and Salimans 2022, eq. 6): w = 0 is no guidance. */
  function Guided(towards, away, w) {
    if (w === 0) return towards;
    const denoiser = (x, t) => {
      const one = towards(x, t), other = away(x, t);
      return { x0: mix(1 + w, one.x0, -w, other.x0), eps: mix(1 + w, one.eps, -w, other.eps) };
    };
    return Object.assign(denoiser, { schedule: towards.schedule, evaluations: 2, isPosteriorMean: false });
  }

  /** The well-known mistake: DDPM's step draws its noise, σ² = β, in the last step too, which should return x̂₀. */
  function noiseInTheLastStep(step) {
    return (denoiser, x, t, s, state, noise) => {
      const [end, seen] = step(denoiser, x, t, s, state, noise);
      if (denoiser.schedule.sigma(s) > 0) return [end, seen];
      const beta = denoiser.schedule.sigma(t) ** 2;
      return [mix(1, end, sqrt(beta), noise(x)), seen];
    };
  }

  /** Euler or Heun on dx̄/dσ̄ = ε̂, with x̄ = x/α and σ̄ = σ/α; Euler to σ = 0 and from α = 0. */
  function solver(order) {
    return (denoiser, x, t, s) => {
      const { x0, eps } = denoiser(x, t), { alpha, sigma } = denoiser.schedule;
      const end = mix(alpha(s), x0, sigma(s), eps);
      if (order === 1 || sigma(s) === 0 || alpha(t) === 0) return [end, null];
      const half = (sigma(s) - (alpha(s) * sigma(t)) / alpha(t)) / 2; // α_s·(σ̄_s − σ̄_t)/2
      return [mix(1, end, half, mix(1, denoiser(end, s).eps, -1, eps)), null];
    };
  }

  /** x ← x + h·score + √(2h)·z, `steps` times. */
  function langevin(score, x, h, steps, noise) {
    for (let step = 0; step < steps; step++) x = mix(1, mix(1, x, h, score(x)), sqrt(2 * h), noise(x));
    return x;
  }

  /** Langevin steps with h = ratio·σ² at each level, x/α handed on as it is; the step to σ = 0 ends with x̂₀. */
  function annealed({ corrections = 5, ratio = 0.1 } = {}) {
    return (denoiser, x, t, s, state, noise) => {
      const { alpha, sigma } = denoiser.schedule;
      const score = (points) => mix(-1 / sigma(t), denoiser(points, t).eps, 0, points);
      const end = langevin(score, x, ratio * sigma(t) ** 2, corrections, noise);
      if (sigma(s) === 0) return [mix(alpha(s), denoiser(end, t).x0, 0, end), null];
      return [mix(alpha(s) / alpha(t), end, 0, end), null];
    };
  }

  /** As many Langevin steps on the density of the data itself, without any noise level. */
  function plainLangevin(distribution, { corrections = 5, h }) {
    const score = (points) => distribution.score(points);
    return (denoiser, x, t, s, state, noise) => [langevin(score, x, h, corrections, noise), null];
  }

  /** The forward process, exactly: x_s = (α_s/α_t)·x_t + √(σ_s² − (α_s/α_t)²·σ_t²)·z from t to a later time s. */
  function forward(denoiser, x, t, s, state, noise) {
    const { alpha, sigma } = denoiser.schedule, kept = alpha(s) / alpha(t);
    const drawn = sqrt(max(sigma(s) ** 2 - kept ** 2 * sigma(t) ** 2, 0));
    return [mix(kept, x, drawn, noise(x)), null];
  }

  const SAMPLERS = {
    ancestral: () => ddim(1),
    ddim: ({ eta }) => ddim(eta),
    euler: () => solver(1),
    heun: () => solver(2),
    "dpm-solver": () => ddim(0, { order: 2 }),
    ddpm: () => ddim(1, { variance: "forward" }),
    "ddpm-last-noise": () => noiseInTheLastStep(ddim(1, { variance: "forward" })),
    annealed: () => annealed(),
    langevin: (choice, distribution) => plainLangevin(distribution, { h: stepSize(distribution) }),
  };

  /** h of plain Langevin dynamics: a tenth of the smallest variance, as annealed takes a tenth of each level's σ². */
  const stepSize = (distribution) => 0.1 * min(...distribution.spread.map(([, least]) => least));

  /**
   * Everything that a choice {schedule, sampler, steps, eta, label, w} says of the walk back from noise.
   *
   * modes: the data; label 0 is all of them, 1 or 2 those of a class, which guidance w pushes towards.
   */
  function plan(choice, modes) {
    const schedule = SCHEDULES[choice.schedule], all = mixtureOf(modes);
    const ours = modes.filter((m) => m.label === choice.label), some = ours.length > 0;
    const distribution = some ? mixtureOf(ours) : all;
    const dynamics = choice.sampler === "langevin" || choice.sampler === "annealed"; // these ask for a score
    const towards = Exact(distribution, schedule);
    const denoiser = some && !dynamics ? Guided(towards, Exact(all, schedule), choice.w) : towards;
    const infinite = schedule.alpha(1) === 0;
    const times =
      choice.sampler === "annealed"
        ? ladder(schedule, choice.steps, SMALLEST, infinite ? LARGEST : null)
        : timeGrid(choice.steps);
    const heun = max(2 * choice.steps - 1 - (infinite ? 1 : 0), 1); // Euler's step at the end, and from α = 0
    const calls = { heun, annealed: 5 * choice.steps + 1, langevin: 5 * choice.steps }[choice.sampler] || choice.steps;
    const evaluations = denoiser.evaluations * calls;
    return { distribution, denoiser, step: SAMPLERS[choice.sampler](choice, distribution), times, evaluations };
  }
  const SMALLEST = 0.05, LARGEST = 50; // σ/α at the ends of annealed Langevin's ladder

  /** The states of a walk, computed in chunks of the points so that a frame need not wait for all of them. */
  class Trajectory {
    /** x (B, 2) at times[0]; noises[c] draws for chunk c of `chunk` points. */
    constructor(denoiser, step, x, times, noises, chunk = x.length / 2) {
      Object.assign(this, { denoiser, step, times, noises, width: 2 * chunk, states: [x], done: 0 });
      this.memory = noises.map(() => null);
    }

    get complete() {
      return this.states.length === this.times.length;
    }

    /** Go on until all is done, or until `now()` passes the deadline. */
    advance(deadline = Infinity, now = () => performance.now()) {
      while (!this.complete && now() < deadline) {
        if (this.done === 0) this.next = new Float64Array(this.states[0].length);
        const k = this.states.length - 1, c = this.done++, from = c * this.width;
        const x = this.states[k].subarray(from, from + this.width), [t, s] = this.times.subarray(k, k + 2);
        const [end, state] = this.step(this.denoiser, x, t, s, this.memory[c], this.noises[c]);
        this.next.set(end, from);
        this.memory[c] = state;
        if (this.done * this.width < this.next.length) continue;
        this.states.push(this.next);
        this.done = 0;
      }
      return this;
    }
  }

  /** Noise for a walk: draws of N(0, I) shaped like what they are given. */
  const gaussian = (random) => (like) => random.normal(new Float64Array(like.length));

  return {
    ...Library, ladder, densityGrid, mode, mixtureOf, alongLine, Guided, noiseInTheLastStep, solver, langevin,
    annealed, plainLangevin, forward, SAMPLERS, stepSize, plan, Trajectory, gaussian,
  };
})();
