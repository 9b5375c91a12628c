/**
 * The mathematics of the field: mixtures, schedules and samplers as in the Python library, under its names.
 *
 * Points x of the plane are a Float64Array of 2·B numbers, row by row: (B, 2). A time t runs from data, 0, to noise, 1.
 * A schedule states log α and log σ, a denoiser answers x̂₀ and ε̂ with x_t = α·x̂₀ + σ·ε̂, and a sampler is a step
 * (denoiser, x_t, t, s, state, noise) → [x_s, state] from t to an earlier time s. tests/site holds it to the library.
 */
const Field = (() => {
  "use strict";
  const { PI, atan2, ceil, cos, exp, expm1, hypot, log, log1p, max, min, round, sin, sqrt } = Math;
  const TAU = 2 * PI;

  /** a·x + b·y. */
  function mix(a, x, b, y) {
    const out = new Float64Array(x.length);
    for (let i = 0; i < out.length; i++) out[i] = a * x[i] + b * y[i];
    return out;
  }

  // schedules.py ------------------------------------------------------------------------------------------------------

  const schedule = (name, logAlpha, logSigma, alpha, sigma) => ({
    name,
    logAlpha,
    logSigma,
    alpha: alpha || ((t) => exp(logAlpha(t))),
    sigma: sigma || ((t) => exp(logSigma(t))),
    /** λ(t) = log(α²/σ²), falling in t. */
    logSnr: (t) => 2 * (logAlpha(t) - logSigma(t)),
  });

  /** Variance preserving, α² + σ² = 1, log α = −β_min·t/2 − (β_max − β_min)·t²/4. */
  function VP(betaMin = 0.1, betaMax = 20) {
    const logAlpha = (t) => -t * (betaMin / 2 + ((betaMax - betaMin) * t) / 4);
    return schedule("vp", logAlpha, (t) => 0.5 * log(-expm1(2 * logAlpha(t))));
  }

  /** Variance exploding, α = 1, σ² = σ_min²·((σ_max/σ_min)^(2t) − 1). */
  function VE(sigmaMin = 0.01, sigmaMax = 50) {
    return schedule("ve", () => 0, (t) => log(sigmaMin) + 0.5 * log(expm1(2 * log(sigmaMax / sigmaMin) * t)));
  }

  /** The cosine schedule in continuous time; with a = π/2/(1 + s), α = sin(a(1 − t))/sin a. */
  function Cosine(s = 0.008) {
    const a = PI / 2 / (1 + s);
    const alpha = (t) => sin(a * (1 - t)) / sin(a);
    const variance = (t) => (sin(a * (2 * s + t)) * sin(a * t)) / sin(a) ** 2;
    return schedule("cosine", (t) => log(alpha(t)), (t) => 0.5 * log(variance(t)), alpha);
  }

  /** The straight path of flow matching, α = 1 − t, σ = t. */
  function FlowMatching() {
    return schedule("flow-matching", (t) => log1p(-t), log, (t) => 1 - t, (t) => t);
  }

  const SCHEDULES = { vp: VP(), ve: VE(), cosine: Cosine(), "flow-matching": FlowMatching() };

  /** The time t with λ(t) = logSnr, by bisection. */
  function timeOf(schedule, logSnr) {
    let [low, high] = [0, 1];
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2;
      if (schedule.logSnr(middle) > logSnr) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  }

  /** steps + 1 times falling evenly from 1 to 0. */
  const timeGrid = (steps) => Float64Array.from({ length: steps + 1 }, (_, k) => 1 - k / steps);

  /** The times of a geometric ladder of noise: σ/α falls by one factor from level to level; and a 0 at the end. */
  function ladder(schedule, levels, smallest = 0.1, largest = null) {
    const top = log(largest === null ? exp(-0.5 * schedule.logSnr(1)) : largest);
    const fall = levels > 1 ? (top - log(smallest)) / (levels - 1) : 0;
    const times = Float64Array.from({ length: levels + 1 }, (_, k) => timeOf(schedule, -2 * (top - k * fall)));
    if (largest === null) times[0] = 1;
    times[levels] = 0;
    return times;
  }

  // exact/distributions.py --------------------------------------------------------------------------------------------

  const CONSTANTS = 9; // of a component at a noise level: αμ, its first axis, 1/variances, log weight, gains

  /** Σₖ wₖ N(μₖ, Σₖ) in the plane: weights (K,), means (K, 2), covariances (K, 2, 2). */
  class GaussianMixture {
    constructor(weights, means, covariances) {
      const total = weights.reduce((sum, w) => sum + w, 0);
      this.weights = weights.map((w) => w / total);
      this.means = means;
      this.size = means.length;
      // Σ = U diag(spread) Uᵀ: in this basis α²Σ + σ²I stays diagonal at every noise level.
      this.axes = covariances.map(([[a, b], [, c]]) => {
        const angle = atan2(2 * b, a - c) / 2;
        return [cos(angle), sin(angle)];
      });
      this.spread = covariances.map(([[a, b], [, c]]) => {
        const root = hypot((a - c) / 2, b);
        return [(a + c) / 2 + root, max((a + c) / 2 - root, 0)];
      });
      this.share = new Float64Array(this.size);
    }

    /** What the loops below need of each component at a noise level, (K · 9). */
    level(alpha, sigma) {
      const level = new Float64Array(CONSTANTS * this.size);
      for (let k = 0; k < this.size; k++) {
        const [p, q] = this.spread[k].map((spread) => alpha ** 2 * spread + sigma ** 2);
        const logWeight = log(this.weights[k]) - 0.5 * (log(TAU * p) + log(TAU * q));
        const gains = [(alpha * this.spread[k][0]) / p, (alpha * this.spread[k][1]) / q];
        const [x, y] = this.means[k];
        level.set([alpha * x, alpha * y, ...this.axes[k], 1 / p, 1 / q, logWeight, ...gains], CONSTANTS * k);
      }
      return level;
    }

    /** log q of one point; leaves each component's share of it, the posterior p(k | x), in `share`. */
    weigh(level, x, y) {
      const { share, size } = this;
      let top = -Infinity;
      for (let k = 0, i = 0; k < size; k++, i += CONSTANTS) {
        const dx = x - level[i], dy = y - level[i + 1];
        const u = level[i + 2] * dx + level[i + 3] * dy, v = level[i + 2] * dy - level[i + 3] * dx;
        share[k] = level[i + 6] - 0.5 * (u * u * level[i + 4] + v * v * level[i + 5]);
        if (share[k] > top) top = share[k];
      }
      let total = 0;
      for (let k = 0; k < size; k++) {
        const below = share[k] - top;
        total += share[k] = below < -40 ? 0 : exp(below); // e^−40 is lost in rounding beside 1
      }
      for (let k = 0; k < size; k++) share[k] /= total;
      return top + log(total);
    }

    /** log q(x) of α·x₀ + σ·ε in nats: (B, 2) gives (B,). */
    logProb(x, alpha = 1, sigma = 0) {
      const level = this.level(alpha, sigma);
      return Float64Array.from({ length: x.length / 2 }, (_, n) => this.weigh(level, x[2 * n], x[2 * n + 1]));
    }

    /** ∇ₓ log q(x) of α·x₀ + σ·ε: (B, 2) gives (B, 2). */
    score(x, alpha = 1, sigma = 0) {
      return this.average(x, this.level(alpha, sigma), 4, -1, false);
    }

    /** E[x₀ | x_t]: (B, 2) gives (B, 2). At α = 0 it is E[x₀]. */
    posteriorMean(x, alpha, sigma) {
      return this.average(x, this.level(alpha, sigma), 7, 1, true);
    }

    /** Σₖ p(k | x)·(cₖ + sign·Uₖ diag(m) Uₖᵀ(x − αμₖ)), m the pair of constants at `at`, c = μ if `centred`, else 0. */
    average(x, level, at, sign, centred) {
      const { share, size, means } = this, out = new Float64Array(x.length);
      for (let n = 0; n < x.length; n += 2) {
        this.weigh(level, x[n], x[n + 1]);
        for (let k = 0, i = 0; k < size; k++, i += CONSTANTS) {
          if (share[k] === 0) continue;
          const dx = x[n] - level[i], dy = x[n + 1] - level[i + 1], c = level[i + 2], s = level[i + 3];
          const u = sign * level[i + at] * (c * dx + s * dy), v = sign * level[i + at + 1] * (c * dy - s * dx);
          out[n] += share[k] * (c * u - s * v + (centred ? means[k][0] : 0));
          out[n + 1] += share[k] * (s * u + c * v + (centred ? means[k][1] : 0));
        }
      }
      return out;
    }

    /** n draws of x₀, (n, 2). */
    sample(n, random) {
      const out = new Float64Array(2 * n);
      for (let i = 0; i < n; i++) {
        let k = 0;
        for (let left = random.uniform() - this.weights[0]; left > 0 && k < this.size - 1; left -= this.weights[k]) k++;
        const u = sqrt(this.spread[k][0]) * random.normal(), v = sqrt(this.spread[k][1]) * random.normal();
        const [c, s] = this.axes[k];
        out.set([this.means[k][0] + c * u - s * v, this.means[k][1] + s * u + c * v], 2 * i);
      }
      return out;
    }
  }

  /**
   * q on a grid of width × height points, from (x, y) on with the gap h, y falling: (height · width), row by row.
   *
   * Along a row a Gaussian's values have ratios that shrink by one factor: two products a point, and no exponential.
   */
  function densityGrid(mixture, alpha, sigma, { x, y, h, width, height }, out = new Float64Array(width * height)) {
    const level = mixture.level(alpha, sigma);
    out.fill(0);
    for (let i = 0; i < level.length; i += CONSTANTS) {
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

  // datasets/toy2d.py -------------------------------------------------------------------------------------------------

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

  /** A drawn line, points [[x, y], …], as a row of equal Gaussians along it, one standard deviation apart. */
  function alongCurve(points, std, label = 1) {
    const length = [0];
    for (let i = 1; i < points.length; i++) {
      length.push(length[i - 1] + hypot(points[i][0] - points[i - 1][0], points[i][1] - points[i - 1][1]));
    }
    const whole = length[length.length - 1], count = ceil(whole / std) + 1;
    let after = 1;
    return Array.from({ length: count }, (_, k) => {
      if (whole === 0) return mode(points[0][0], points[0][1], 1, std, std, 0, label);
      const wanted = (whole * k) / (count - 1);
      while (after < points.length - 1 && length[after] < wanted) after++;
      const share = (wanted - length[after - 1]) / (length[after] - length[after - 1] || 1);
      const [x, y] = [0, 1].map((j) => points[after - 1][j] + share * (points[after][j] - points[after - 1][j]));
      return mode(x, y, 1, std, std, 0, label);
    });
  }

  // denoisers/ --------------------------------------------------------------------------------------------------------

  /** E[x₀ | x_t] and E[ε | x_t] in closed form. */
  function Exact(distribution, schedule) {
    const denoiser = (x, t) => {
      const alpha = schedule.alpha(t), sigma = schedule.sigma(t);
      const x0 = distribution.posteriorMean(x, alpha, sigma);
      return { x0, eps: mix(1 / sigma, x, -alpha / sigma, x0) };
    };
    return Object.assign(denoiser, { distribution, schedule, evaluations: 1, isPosteriorMean: true });
  }

  /** ε = (1 + w)·ε_towards − w·ε_away, and the same of x₀ (Ho and Salimans 2022, eq. 6): w = 0 is no guidance. */
  function Guided(towards, away, w) {
    if (w === 0) return towards;
    const denoiser = (x, t) => {
      const one = towards(x, t), other = away(x, t);
      return { x0: mix(1 + w, one.x0, -w, other.x0), eps: mix(1 + w, one.eps, -w, other.eps) };
    };
    return Object.assign(denoiser, { schedule: towards.schedule, evaluations: 2, isPosteriorMean: false });
  }

  // samplers/ ---------------------------------------------------------------------------------------------------------

  /** Ancestral sampling at η = 1, DDIM at η = 0; `order` 2 at η = 0 is DPM-Solver++ (2M); see ddim_family.py. */
  function ddim(eta = 0, { variance = "posterior", order = 1 } = {}) {
    return (denoiser, x, t, s, state, noise) => {
      let { x0, eps } = denoiser(x, t);
      const { alpha, sigma, logSnr } = denoiser.schedule;
      if (sigma(s) === 0) return [mix(alpha(s), x0, 0, x0), null];
      const now = logSnr(t), next = logSnr(s), seen = order === 2 ? [x0, now] : null;
      if (state) {
        const ahead = (next - now) / (2 * (now - state[1])); // 0 after a step from α = 0, infinitely long
        x0 = mix(1 + ahead, x0, -ahead, state[0]);
        eps = mix(1 / sigma(t), x, -alpha(t) / sigma(t), x0);
      }
      const share = -expm1(now - next), kept = sigma(s) * sqrt(1 - eta ** 2 * share);
      const mean = mix(alpha(s), x0, kept, eps);
      if (eta === 0) return [mean, seen];
      const drawn = (variance === "forward" ? sigma(t) : eta * sigma(s)) * sqrt(share);
      return [mix(1, mean, drawn, noise(x)), seen];
    };
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

  /** Random numbers from a seed: `uniform` in [0, 1), a counter of 32 bits, stirred; `normal` by Box and Muller. */
  function generator(seed) {
    let count = Math.imul(seed + 1, 0x85ebca6b), spare = null;
    const uniform = () => {
      count = (count + 0x9e3779b9) | 0;
      let bits = Math.imul(count ^ (count >>> 16), 0x21f0aaad);
      bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
      return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32;
    };
    const normal = () => {
      if (spare !== null) {
        const value = spare;
        spare = null;
        return value;
      }
      const radius = sqrt(-2 * log(1 - uniform())), angle = TAU * uniform();
      spare = radius * sin(angle);
      return radius * cos(angle);
    };
    return { uniform, normal };
  }

  /** A draw of N(0, I) shaped like its argument. */
  function gaussian(random) {
    return (like) => {
      const z = new Float64Array(like.length);
      for (let i = 0; i < z.length; i++) z[i] = random.normal();
      return z;
    };
  }

  // metrics/modes.py --------------------------------------------------------------------------------------------------

  /**
   * How good samples (B, 2) are, each judged by the mode that is nearest in that mode's own standard deviations.
   *
   * good: the share within three of them, infinite ones being none; covered: the modes with a good sample; shares: of all
   * samples, by mode; spread: the standard deviation around the samples' own mean in each mode, 1 being the mode's.
   */
  function quality(x, mixture) {
    const { size, means, axes, spread } = mixture, sums = Array.from({ length: size }, () => [0, 0, 0, 0, 0]);
    let good = 0;
    for (let n = 0; n < x.length; n += 2) {
      let least = Infinity, nearest = 0, at = [0, 0];
      for (let k = 0; k < size; k++) {
        const dx = x[n] - means[k][0], dy = x[n + 1] - means[k][1], [c, s] = axes[k];
        const u = (c * dx + s * dy) / sqrt(spread[k][0]), v = (c * dy - s * dx) / sqrt(spread[k][1]);
        if (u * u + v * v < least) [least, nearest, at] = [u * u + v * v, k, [u, v]];
      }
      const sum = sums[nearest];
      const fine = least <= 9;
      good += fine;
      sum[0]++;
      sum[1] += fine;
      sum[2] += at[0];
      sum[3] += at[1];
      sum[4] += at[0] ** 2 + at[1] ** 2;
    }
    const count = x.length / 2;
    const around = sums.reduce((total, [n, , u, v, square]) => total + (n ? square - (u * u + v * v) / n : 0), 0);
    return {
      good: good / count,
      covered: sums.filter(([, fine]) => fine > 0).length,
      shares: sums.map(([n]) => n / count),
      spread: sqrt(around / (2 * count)),
    };
  }

  return {
    VP, VE, Cosine, FlowMatching, SCHEDULES, timeOf, timeGrid, ladder,
    GaussianMixture, densityGrid, mode, mixtureOf, alongCurve, Exact, Guided,
    ddim, noiseInTheLastStep, solver, langevin, annealed, plainLangevin, forward, SAMPLERS, stepSize, plan, Trajectory,
    generator, gaussian, quality,
  };
})();
