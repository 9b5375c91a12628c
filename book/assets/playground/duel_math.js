/**
 * The mathematics of the duel: two networks that play a game, and one that learns a regression.
 *
 * It mirrors datasets/toy2d.py, networks/mlp.py, objectives/ and training/ of the Python library, name by name, and
 * tests/site holds every number to it. Matrices are Float64Arrays, row after row: "(n, d)" has n·d numbers.
 */
const Duel = (() => {
  "use strict";
  const { Cosine, Exact, GaussianMixture, alongCurve, ddim, quality, random } = Library;
  const { PI, abs, cos, exp, floor, log1p, max, min, sin, sqrt } = Math;
  const TIME_OCTAVES = 6, BATCH = 64, NOISE = 2, OCTAVES = 5, EVALUATIONS = 25, AVERAGE = 0.995;
  const WIDTH_GAN = 64, WIDTH_DIFFUSION = 87; // the denoiser has as many weights as the players together, within 5 %
  const schedule = Cosine(), { alpha, sigma } = schedule;

  // datasets/toy2d.py -------------------------------------------------------------------------------------------------

  /** Equal round Gaussians at points [[x, y], …]. A curve is a dense row of them. */
  function round(points, std) {
    const covariances = points.map(() => [[std * std, 0], [0, std * std]]);
    return Object.assign(new GaussianMixture(points.map(() => 1), points, covariances), { std });
  }

  function ring(modes = 8, radius = 1, std = 0.01) {
    const angles = Array.from({ length: modes }, (_, k) => (2 * PI * k) / modes);
    return round(angles.map((angle) => [radius * cos(angle), radius * sin(angle)]), std);
  }

  function grid(side = 5, spacing = 2, std = 0.05) {
    const line = (k) => spacing * (k - (side - 1) / 2);
    return round(Array.from({ length: side * side }, (_, k) => [line(floor(k / side)), line(k % side)]), std);
  }

  function twoMoons(std = 0.08) {
    const count = Math.ceil(PI / std) + 1, angles = Array.from({ length: count }, (_, k) => (PI * k) / (count - 1));
    const upper = angles.map((angle) => [cos(angle) - 0.5, sin(angle) - 0.25]);
    return round([...upper, ...upper.map(([x, y]) => [-x, -y])], std);
  }

  /** A spiral r = angle of `turns` turns, outer radius 2, its Gaussians even along its length. */
  function swissRoll(std = 0.05, turns = 1.5) {
    const angles = Array.from({ length: 20001 }, (_, k) => PI + (2 * PI * turns * k) / 20000), last = angles[20000];
    const curve = angles.map((angle) => [((2 * angle) / last) * cos(angle), ((2 * angle) / last) * sin(angle)]);
    return round(alongCurve(curve, std), std);
  }

  /** The mixture centred and scaled so that its coordinates have variance 1 on average; says how: (x − centre)·scale. */
  function unitSpread({ means, std, size }) {
    const mean = (of) => means.reduce((sum, at) => sum + of(at) / size, 0), centre = [mean(([x]) => x), mean(([, y]) => y)];
    const scale = 1 / sqrt(std * std + mean(([x, y]) => (x - centre[0]) ** 2 + (y - centre[1]) ** 2) / 2);
    const moved = means.map(([x, y]) => [(x - centre[0]) * scale, (y - centre[1]) * scale]);
    return Object.assign(round(moved, std * scale), { centre, scale });
  }

  // networks/mlp.py ---------------------------------------------------------------------------------------------------

  /** c (m, n) += a (m, k) · b (k, n). With the steps aRow = 1, aCol = m the matrix a is stored transposed, (k, m). */
  function addProduct(c, a, b, m, k, n, aRow = k, aCol = 1) {
    for (let i = 0; i < m; i++) {
      const row = i * n;
      let p = 0;
      for (; p + 3 < k; p += 4) { // four rows of b at once: a quarter of the reads and writes of c
        const at = i * aRow + p * aCol, b0 = p * n, b1 = b0 + n, b2 = b1 + n, b3 = b2 + n;
        const a0 = a[at], a1 = a[at + aCol], a2 = a[at + 2 * aCol], a3 = a[at + 3 * aCol];
        for (let j = 0; j < n; j++) c[row + j] += a0 * b[b0 + j] + a1 * b[b1 + j] + a2 * b[b2 + j] + a3 * b[b3 + j];
      }
      for (; p < k; p++) {
        const a0 = a[i * aRow + p * aCol], b0 = p * n;
        for (let j = 0; j < n; j++) c[row + j] += a0 * b[b0 + j];
      }
    }
  }

  /** (x, sin ωx, cos ωx) at ω = base·2ᵏ, k < octaves, of x (n, d), into rows of out from column `column` on. */
  function fourierFeatures(x, n, d, octaves, base, out, width, column) {
    for (let r = 0; r < n; r++) {
      for (let j = 0; j < d; j++) {
        const value = x[r * d + j], at = r * width + column + j;
        out[at] = value;
        for (let k = 0; k < octaves; k++) {
          out[at + d * (1 + k)] = sin(base * 2 ** k * value);
          out[at + d * (1 + octaves + k)] = cos(base * 2 ** k * value);
        }
      }
    }
  }

  /* h₀ = φ(x),  zₗ = hₗ Wₗ + bₗ,  hₗ₊₁ = silu(zₗ),  y = z_L.  With s = sigmoid(z) its slopes are
     silu′ = s·(1 + z·(1 − s)),  silu″ = s·(1 − s)·(2 + z·(1 − 2s)).

     A penalty on slopes needs a second derivative. Let D = y be one number a point, and gᵢ = ∇D(xᵢ). Of
         P = Σᵢ ½·cᵢ‖gᵢ‖²   the slope in a weight is   ∂P = Σᵢ cᵢ gᵢ·∂gᵢ = ∂ Σᵢ ∇D(xᵢ)·ẋᵢ   with ẋᵢ = cᵢ gᵢ held fixed,
     and ∇D(x)·ẋ is the rate Ḋ at which D changes when x moves along ẋ. So no Hessian is needed: go forward along ẋ,
         ḣ₀ = φ′(x)·ẋ,   żₗ = ḣₗ Wₗ,   ḣₗ₊₁ = silu′(zₗ)·żₗ,   Ḋ = ż_L,
     then backward from Ḋ. Backward, what reaches ḣₗ and żₗ are D's own slopes, known from computing g:
         ∂Ḋ/∂ḣₗ = ∂D/∂hₗ,   ∂Ḋ/∂żₗ = ∂D/∂zₗ.
     What reaches hₗ and zₗ starts at 0 in the last layer (with a loss of D itself added: at its own slope dy) and follows
         ∂Ḋ/∂zₗ = ∂Ḋ/∂hₗ₊₁·silu′(zₗ) + ∂D/∂hₗ₊₁·silu″(zₗ)·żₗ,   ∂Ḋ/∂hₗ = ∂Ḋ/∂zₗ Wₗᵀ,
     and the weights get  ∂Ḋ/∂Wₗ = hₗᵀ ∂Ḋ/∂zₗ + ḣₗᵀ ∂D/∂zₗ,  ∂Ḋ/∂bₗ = Σ ∂Ḋ/∂zₗ. */
  class MLP {
    constructor(inDim, outDim, width = 64, depth = 2, octaves = 0, extra = 0) {
      Object.assign(this, { inDim, outDim, octaves, rows: 0 });
      this.sizes = [inDim * (1 + 2 * octaves) + extra, ...Array(depth).fill(width), outDim];
      this.count = this.sizes.slice(1).reduce((sum, out, l) => sum + (this.sizes[l] + 1) * out, 0);
      this.theta = new Float64Array(this.count);
      this.grad = new Float64Array(this.count);
      let at = 0;
      this.layers = this.sizes.slice(1).map((out, l) => { // views of theta and grad, in the order of Python's parameters()
        const size = this.sizes[l] * out, from = at;
        at += size + out;
        const views = (all) => [all.subarray(from, from + size), all.subarray(from + size, at)];
        const [W, b] = views(this.theta), [dW, db] = views(this.grad);
        return { W, b, dW, db, i: this.sizes[l], o: out, transposed: new Float64Array(size) };
      });
    }

    /** Weights as torch.nn.Linear begins: uniform in ±1/√i. */
    reset(rng) {
      for (const { W, b, i } of this.layers) {
        for (const part of [W, b]) for (let k = 0; k < part.length; k++) part[k] = (2 * rng.uniform() - 1) / sqrt(i);
      }
      return this;
    }

    reserve(n) {
      if (n <= this.rows) return;
      const arrays = (sizes) => sizes.map((size) => new Float64Array(n * size));
      this.rows = n;
      // hₗ, ḣₗ, what reaches hₗ, ∂D/∂hₗ; and zₗ, its sigmoid, żₗ, what reaches zₗ, ∂D/∂zₗ
      for (const name of ["h", "hDot", "up", "slopeH"]) this[name] = arrays(this.sizes.slice(0, -1));
      for (const name of ["z", "s", "zDot", "delta", "slopeZ"]) this[name] = arrays(this.sizes.slice(1));
      this.dx = new Float64Array(n * this.inDim);
    }

    features(x, n) {
      fourierFeatures(x, n, this.inDim, this.octaves, 1, this.h[0], this.sizes[0], 0);
    }

    /** x (n, inDim) → y (n, outDim), a view that the next call overwrites. */
    forward(x, n, t) {
      this.reserve(n);
      this.features(x, n, t);
      this.layers.forEach(({ W, b, i, o }, l) => {
        const z = this.z[l], s = this.s[l];
        for (let r = 0; r < n; r++) z.set(b, r * o);
        addProduct(z, this.h[l], W, n, i, o);
        if (l === this.layers.length - 1) return;
        const h = this.h[l + 1];
        for (let k = 0; k < n * o; k++) {
          s[k] = 1 / (1 + exp(-z[k]));
          h[k] = z[k] * s[k];
        }
      });
      return this.z[this.layers.length - 1].subarray(0, n * this.outDim);
    }

    /** Back from dy (n, outDim) to the weights' gradient, added to `grad`; with `rates` that of Ḋ too, see above. */
    backward(dy, n, rates = false) {
      this.pull(dy, n, this.delta, this.up, true, rates);
    }

    /** Back from dy (n, outDim) to dx (n, inDim); the weights get nothing. For dy = 1 it keeps D's slopes for `rates`. */
    inputGradients(dy, n) {
      this.pull(dy, n, this.slopeZ, this.slopeH, false, false);
      const { inDim: d, octaves, dx } = this, up = this.slopeH[0], h = this.h[0], width = this.sizes[0];
      for (let r = 0; r < n; r++) {
        for (let j = 0; j < d; j++) {
          const at = r * width + j;
          let sum = up[at];
          for (let k = 0; k < octaves; k++) {
            const sin = at + d * (1 + k), cos = at + d * (1 + octaves + k);
            sum += 2 ** k * (h[cos] * up[sin] - h[sin] * up[cos]);
          }
          dx[r * d + j] = sum;
        }
      }
      return dx.subarray(0, n * d);
    }

    pull(dy, n, delta, up, weights, rates) {
      for (let l = this.layers.length - 1; l >= 0; l--) {
        const { W, dW, db, i, o, transposed } = this.layers[l], at = delta[l];
        if (l === this.layers.length - 1) at.set(dy.subarray(0, n * o));
        else {
          const z = this.z[l], s = this.s[l], above = up[l + 1], zDot = this.zDot[l], slopeH = this.slopeH[l + 1];
          for (let k = 0; k < n * o; k++) {
            at[k] = above[k] * s[k] * (1 + z[k] * (1 - s[k]));
            if (rates) at[k] += slopeH[k] * zDot[k] * s[k] * (1 - s[k]) * (2 + z[k] * (1 - 2 * s[k]));
          }
        }
        if (weights) {
          addProduct(dW, this.h[l], at, i, n, o, 1, i);
          if (rates) addProduct(dW, this.hDot[l], this.slopeZ[l], i, n, o, 1, i);
          for (let r = 0; r < n; r++) for (let j = 0; j < o; j++) db[j] += at[r * o + j];
        }
        if (l === 0 && weights) return;
        for (let a = 0; a < i; a++) for (let j = 0; j < o; j++) transposed[j * i + a] = W[a * o + j];
        up[l].fill(0, 0, n * i);
        addProduct(up[l], at, transposed, n, o, i);
      }
    }

    /** Forward along xDot (n, inDim): ḣ and ż of every layer, for `backward(…, true)`. */
    push(xDot, n) {
      const { inDim: d, octaves } = this, h = this.h[0], hDot = this.hDot[0], width = this.sizes[0];
      for (let r = 0; r < n; r++) {
        for (let j = 0; j < d; j++) {
          const at = r * width + j, rate = xDot[r * d + j];
          hDot[at] = rate;
          for (let k = 0; k < octaves; k++) {
            const sin = at + d * (1 + k), cos = at + d * (1 + octaves + k);
            hDot[sin] = 2 ** k * h[cos] * rate;
            hDot[cos] = -(2 ** k) * h[sin] * rate;
          }
        }
      }
      for (let l = 0; l < this.layers.length - 1; l++) {
        const { W, i, o } = this.layers[l], z = this.z[l], s = this.s[l], zDot = this.zDot[l].fill(0, 0, n * o);
        addProduct(zDot, this.hDot[l], W, n, i, o);
        for (let k = 0; k < n * o; k++) this.hDot[l + 1][k] = zDot[k] * s[k] * (1 + z[k] * (1 - s[k]));
      }
    }
  }

  /** A perceptron of a noisy point and its time: features of x_t, then (t, sin, cos) of t at (π/2)·2ᵏ. */
  class TimeMLP extends MLP {
    constructor(dim = 2, width = 64, depth = 2, octaves = 0) {
      super(dim, dim, width, depth, octaves, 1 + 2 * TIME_OCTAVES);
    }

    features(x, n, t) {
      super.features(x, n);
      fourierFeatures(t, n, 1, TIME_OCTAVES, PI / 2, this.h[0], this.sizes[0], this.inDim * (1 + 2 * this.octaves));
    }
  }

  // objectives/ -------------------------------------------------------------------------------------------------------

  const softplus = (x) => max(x, 0) + log1p(exp(-abs(x)));
  const sigmoid = (x) => 1 / (1 + exp(-x));

  /** The discriminator's loss from logits (2n,), real ones first; its slopes in them go to dy. */
  function discriminatorLoss(game, logits, n, dy) {
    let loss = 0;
    for (let i = 0; i < n; i++) {
      const real = logits[i], fake = logits[n + i];
      if (game === "relativistic") {
        loss += softplus(fake - real) / n;
        dy[n + i] = sigmoid(fake - real) / n;
        dy[i] = -dy[n + i];
      } else {
        loss += (softplus(-real) + softplus(fake)) / n;
        dy[i] = -sigmoid(-real) / n;
        dy[n + i] = sigmoid(fake) / n;
      }
    }
    return loss;
  }

  /** The generator's loss, from logits (n,) each; its slopes in the generated ones go to dy (n,). */
  function generatorLoss(game, real, fake, n, dy) {
    let loss = 0;
    for (let i = 0; i < n; i++) {
      const lead = game === "relativistic" ? fake[i] - real[i] : fake[i];
      loss += softplus(-lead) / n;
      dy[i] = -sigmoid(-lead) / n;
    }
    return loss;
  }

  /** Loss and penalty r1·R₁ + r2·R₂ on points both (2n, 2), real ones first; D.grad is the gradient of their sum. */
  function discriminatorTurn(D, both, n, game, r1 = 0, r2 = 0) {
    const dy = new Float64Array(2 * n);
    const loss = discriminatorLoss(game, D.forward(both, 2 * n), n, dy), rates = r1 > 0 || r2 > 0;
    let penalty = 0;
    if (rates) {
      const xDot = D.inputGradients(new Float64Array(2 * n).fill(1), 2 * n);
      for (let k = 0; k < xDot.length; k++) {
        const weight = (k < 2 * n ? r1 : r2) / n;
        penalty += 0.5 * weight * xDot[k] * xDot[k];
        xDot[k] *= weight;
      }
      D.push(xDot, 2 * n);
    }
    D.grad.fill(0);
    D.backward(dy, 2 * n, rates);
    return { loss, penalty };
  }

  /** The generator's loss on noise z (n, NOISE) against real points (n, 2); G.grad is its gradient. */
  function generatorTurn(G, D, real, z, n, game) {
    const onReal = game === "relativistic" ? D.forward(real, n).slice() : null, dy = new Float64Array(n);
    const loss = generatorLoss(game, onReal, D.forward(G.forward(z, n), n), n, dy);
    G.grad.fill(0);
    G.backward(D.inputGradients(dy, n), n);
    return loss;
  }

  /** Times in [smallest, 1] that share one random shift, so that a batch covers all noise levels evenly. */
  function sampleTimes(t, u, smallest = 1e-4) {
    for (let i = 0; i < t.length; i++) t[i] = smallest + (1 - smallest) * ((u + i / t.length) % 1);
    return t;
  }

  /** x_t = α·x₀ + σ·ε and v = α·ε − σ·x₀ of points (n, 2) at their times (n,). */
  function noised(x0, t, eps) {
    const xt = new Float64Array(x0.length), v = new Float64Array(x0.length);
    for (let i = 0; i < t.length; i++) {
      const a = alpha(t[i]), b = sigma(t[i]);
      for (let k = 2 * i; k < 2 * i + 2; k++) [xt[k], v[k]] = [a * x0[k] + b * eps[k], a * eps[k] - b * x0[k]];
    }
    return { xt, v };
  }

  /** E(v̂(x_t, t) − v)²; net.grad is its gradient. */
  function diffusionTurn(net, x0, t, eps, n) {
    const { xt, v } = noised(x0, t, eps), answer = net.forward(xt, n, t);
    const error = v.map((wanted, k) => answer[k] - wanted);
    net.grad.fill(0);
    net.backward(error.map((value) => value / n), n);
    return error.reduce((sum, value) => sum + (value * value) / (2 * n), 0);
  }

  /** The same loss of the perfect denoiser, which knows the mixture: what of v nobody can tell from x_t. */
  function exactLoss(data, x0, t, eps, n) {
    const { xt, v } = noised(x0, t, eps), exact = Exact(data, schedule);
    let loss = 0;
    for (let i = 0; i < n; i++) {
      const best = exact(xt.subarray(2 * i, 2 * i + 2), t[i]), a = alpha(t[i]), b = sigma(t[i]);
      for (const d of [0, 1]) loss += (a * best.eps[d] - b * best.x0[d] - v[2 * i + d]) ** 2 / (2 * n);
    }
    return loss;
  }

  /** A denoiser, for samplers: x̂₀ and ε̂ that follow from a network's v̂. */
  function Learned(net) {
    const denoiser = (x, t) => {
      const v = net.forward(x, x.length / 2, new Float64Array(x.length / 2).fill(t)), a = alpha(t), b = sigma(t);
      const norm = a * a + b * b;
      return { x0: x.map((x_, k) => (a * x_ - b * v[k]) / norm), eps: x.map((x_, k) => (a * v[k] + b * x_) / norm) };
    };
    return Object.assign(denoiser, { schedule });
  }

  // training/ ---------------------------------------------------------------------------------------------------------

  /** Adam; torch's AdamW without weight decay. */
  class Adam {
    constructor(network, beta1 = 0.9, beta2 = 0.999) {
      const empty = () => new Float64Array(network.count);
      Object.assign(this, { network, beta1, beta2, m: empty(), v: empty(), steps: 0 });
    }

    step(lr) {
      const { m, v, beta1, beta2, network: { theta, grad } } = this, first = 1 - beta1 ** ++this.steps;
      const root = sqrt(1 - beta2 ** this.steps);
      for (let k = 0; k < theta.length; k++) {
        m[k] = beta1 * m[k] + (1 - beta1) * grad[k];
        v[k] = beta2 * v[k] + (1 - beta2) * grad[k] * grad[k];
        theta[k] -= ((lr / first) * m[k]) / (sqrt(v[k]) / root + 1e-8);
      }
    }
  }

  /** The moving average of a network's weights, θ̄ ← d·θ̄ + (1 − d)·θ, with d held to (1 + n)/(10 + n) at first. */
  class EMA {
    constructor(source, model, decay = AVERAGE) {
      Object.assign(this, { source, model, decay, updates: 0 });
      model.theta.set(source.theta);
    }

    update() {
      const { source, model } = this, share = 1 - min(this.decay, (2 + this.updates) / (11 + this.updates));
      this.updates++;
      for (let k = 0; k < model.count; k++) model.theta[k] += share * (source.theta[k] - model.theta[k]);
    }
  }

  const learningRateFactor = (step, steps) => 0.5 * (1 + cos((PI * step) / steps));

  /** Both contenders on one data set. `step` and `look` yield often, so that a page can draw between. */
  class Match {
    constructor(settings) {
      const usual = { octaves: OCTAVES, game: "non-saturating", gamma: 0, lrGAN: 8e-3, lrDiffusion: 1.6e-2, steps: 800, seed: 0 };
      Object.assign(this, usual, settings, { done: 0, last: null });
      const { seed, octaves } = this, player = (dims) => new MLP(...dims, WIDTH_GAN, 2, octaves);
      const nets = () => [player([NOISE, 2]), player([2, 1]), new TimeMLP(2, WIDTH_DIFFUSION, 2, octaves)];
      const [G, D, net] = nets().map((network, k) => network.reset(random(seed, 1 + k)));
      const [averageG, , averageNet] = nets();
      Object.assign(this, { G, D, net, ofG: random(seed, 4), ofNet: random(seed, 5) });
      this.adam = { G: new Adam(G, 0, 0.99), D: new Adam(D, 0, 0.99), net: new Adam(net) };
      this.ema = { G: new EMA(G, averageG), net: new EMA(net, averageNet) };
      this.parameters = { gan: G.count + D.count, diffusion: net.count };
    }

    /** What chance decides in a step: both contenders' data, noise and times. */
    draw() {
      const points = () => new Float64Array(2 * BATCH), { data, ofG, ofNet } = this;
      const gan = { real: data.sample(BATCH, ofG), z: ofG.normal(points()), zNext: ofG.normal(points()) };
      const x0 = data.sample(BATCH, ofNet), eps = ofNet.normal(points());
      return { ...gan, x0, eps, t: sampleTimes(new Float64Array(BATCH), ofNet.uniform()) };
    }

    /** One step of training: the discriminator, the generator, the denoiser, one after the other. */
    *step({ real, z, zNext, x0, eps, t } = this.draw()) {
      const { G, D, net, game, gamma, adam, ema } = this, factor = learningRateFactor(this.done, this.steps);
      const both = new Float64Array(4 * BATCH);
      both.set(real);
      both.set(G.forward(z, BATCH), 2 * BATCH);
      const { loss, penalty } = discriminatorTurn(D, both, BATCH, game, gamma, gamma);
      adam.D.step(factor * this.lrGAN);
      yield;
      const generator = generatorTurn(G, D, real, zNext, BATCH, game);
      adam.G.step(factor * this.lrGAN);
      ema.G.update();
      yield;
      const diffusion = diffusionTurn(net, x0, t, eps, BATCH);
      adam.net.step(factor * this.lrDiffusion);
      ema.net.update();
      this.done++;
      this.last = { discriminator: loss, penalty, generator, diffusion };
    }

    /** n samples of each from the averaged weights, always of the same noise, and of the data; and what they score. */
    *look(n, part = 250) {
      const rng = random(this.seed, 6), points = () => new Float64Array(2 * n), { ema, data } = this;
      const gan = ema.G.model.forward(rng.normal(points()), n).slice(), real = data.sample(n, rng);
      const diffusion = rng.normal(points()), denoiser = Learned(ema.net.model), step = ddim();
      for (let at = 0; at < n; at += part) { // a few at a time: each step is short enough for a frame
        const some = diffusion.subarray(2 * at, 2 * min(n, at + part));
        for (let k = EVALUATIONS; k > 0; k--) {
          yield;
          some.set(step(denoiser, some, k / EVALUATIONS, (k - 1) / EVALUATIONS)[0]);
        }
      }
      const samples = { data: real, gan, diffusion }, scores = {};
      for (const name in samples) scores[name] = quality(samples[name], data);
      return { step: this.done, samples, scores };
    }
  }

  return {
    ...Library, BATCH, OCTAVES, EVALUATIONS, ring, grid, twoMoons, swissRoll, round, unitSpread, MLP, TimeMLP,
    discriminatorTurn, generatorTurn, schedule, sampleTimes, diffusionTurn, exactLoss, Learned, Adam, EMA,
    learningRateFactor, Match,
  };
})();
