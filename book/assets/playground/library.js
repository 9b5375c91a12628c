/**
 * What the playgrounds take of the Python library, under its names: schedules, mixtures, the exact denoiser, DDIM.
 *
 * Points x of the plane are a Float64Array of 2·B numbers, row by row: (B, 2). A time t runs from data, 0, to noise, 1.
 * A schedule states log α and log σ, a denoiser answers x̂₀ and ε̂ with x_t = α·x̂₀ + σ·ε̂, and a sampler is a step
 * (denoiser, x_t, t, s, state, noise) → [x_s, state] from t to an earlier time s. tests/site holds it to the library.
 */
const Library = (() => {
  "use strict";
  const { PI, atan2, ceil, cos, exp, expm1, hypot, log, log1p, max, sin, sqrt } = Math;
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
      const x = random.normal(new Float64Array(2 * n));
      for (let i = 0; i < x.length; i += 2) {
        let k = 0;
        for (let left = random.uniform() - this.weights[0]; left > 0 && k < this.size - 1; left -= this.weights[k]) k++;
        const u = sqrt(this.spread[k][0]) * x[i], v = sqrt(this.spread[k][1]) * x[i + 1], [c, s] = this.axes[k];
        x[i] = this.means[k][0] + c * u - s * v;
        x[i + 1] = this.means[k][1] + s * u + c * v;
      }
      return x;
    }
  }

  // datasets/toy2d.py -------------------------------------------------------------------------------------------------

  /** Points [[x, y], …] along a line, given as points, too, that lie `gap` apart or a little less. */
  function alongCurve(points, gap) {
    const length = [0];
    for (let i = 1; i < points.length; i++) {
      length.push(length[i - 1] + hypot(points[i][0] - points[i - 1][0], points[i][1] - points[i - 1][1]));
    }
    const whole = length[length.length - 1], count = ceil(whole / gap) + 1;
    if (whole === 0) return [points[0]];
    let after = 1;
    return Array.from({ length: count }, (_, k) => {
      const wanted = (whole * k) / (count - 1);
      while (after < points.length - 1 && length[after] < wanted) after++;
      const share = (wanted - length[after - 1]) / (length[after] - length[after - 1] || 1);
      return [0, 1].map((j) => points[after - 1][j] + share * (points[after][j] - points[after - 1][j]));
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

  /**
   * Random numbers, the same for the same seed and stream (sfc32): what one stream draws never moves another.
   *
   * `uniform` gives one in [0, 1), `normal` fills an array with draws of N(0, 1), by Box and Muller.
   */
  function random(seed, stream = 0) {
    let a = seed | 0, b = stream | 0, c = 0x9e3779b9, count = 1;
    const uniform = () => {
      const sum = (a + b + count++) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + sum) | 0;
      return (sum >>> 0) / 2 ** 32;
    };
    for (let i = 0; i < 20; i++) uniform();
    const normal = (out) => {
      for (let i = 0; i < out.length; i += 2) {
        const radius = sqrt(-2 * log(1 - uniform())), angle = TAU * uniform();
        out[i] = radius * cos(angle);
        if (i + 1 < out.length) out[i + 1] = radius * sin(angle);
      }
      return out;
    };
    return { uniform, normal };
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
    mix, schedule, VP, VE, Cosine, FlowMatching, SCHEDULES, timeOf, timeGrid, GaussianMixture, alongCurve, Exact, ddim, random,
    quality,
  };
})();
