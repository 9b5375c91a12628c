/* The mathematics of the duel (playground_duel.md): two networks that play a game, one that learns a regression.

   It mirrors the Python library, name by name, and tests/site/test_duel_math.py holds every number to it:
   datasets/toy2d.py, networks/mlp.py, objectives/{adversarial,gradient_penalties,diffusion}.py, training/{gan,ema,loop}.py,
   samplers/ddim_family.py, metrics/modes.py. Matrices are Float64Arrays, row after row: "(n, d)" has n·d numbers. */
"use strict";

const Duel = (() => {
  const TIME_OCTAVES = 6, BATCH = 64, NOISE = 2, OCTAVES = 5, EVALUATIONS = 25, AVERAGE = 0.995, RADIUS = 3;
  const WIDTH_GAN = 64, WIDTH_DIFFUSION = 87;  // the denoiser has as many weights as generator and discriminator, within 5 %

  // ---- Randomness: a small generator (sfc32) for each purpose, so that one contender's draws never move the other's.

  /** Uniform numbers in [0, 1) and normal ones, the same for the same seed and stream. */
  function random(seed, stream = 0) {
    let a = seed | 0, b = stream | 0, c = 0x9e3779b9, count = 1;
    const uniform = () => {
      const sum = (a + b + count++) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + sum) | 0;
      return (sum >>> 0) / 4294967296;
    };
    for (let i = 0; i < 20; i++) uniform();
    const normal = (out) => {  // Box and Muller
      for (let i = 0; i < out.length; i += 2) {
        const r = Math.sqrt(-2 * Math.log(1 - uniform())), angle = 2 * Math.PI * uniform();
        out[i] = r * Math.cos(angle);
        if (i + 1 < out.length) out[i + 1] = r * Math.sin(angle);
      }
      return out;
    };
    return { uniform, normal };
  }

  // ---- Data: K equal Gaussians in the plane, {means (K, 2), std}. A curve is a dense row of them.

  const mixture = (points, std) => ({ means: Float64Array.from(points.flat()), std });

  function ring(modes = 8, radius = 1, std = 0.01) {
    const angle = (k) => (2 * Math.PI * k) / modes;
    return mixture(Array.from({ length: modes }, (_, k) => [radius * Math.cos(angle(k)), radius * Math.sin(angle(k))]), std);
  }

  function grid(side = 5, spacing = 2, std = 0.05) {
    const line = (k) => spacing * (k - (side - 1) / 2);
    return mixture(Array.from({ length: side * side }, (_, k) => [line(Math.floor(k / side)), line(k % side)]), std);
  }

  function twoMoons(std = 0.08) {
    const count = Math.ceil(Math.PI / std) + 1, angle = (k) => (Math.PI * k) / (count - 1);
    const upper = Array.from({ length: count }, (_, k) => [Math.cos(angle(k)) - 0.5, Math.sin(angle(k)) - 0.25]);
    return mixture([...upper, ...upper.map(([x, y]) => [-x, -y])], std);
  }

  /** A spiral r = angle of `turns` turns, outer radius 2, its Gaussians even along its length. */
  function swissRoll(std = 0.05, turns = 1.5) {
    const last = Math.PI + 2 * Math.PI * turns, size = 20001;
    const curve = Array.from({ length: size }, (_, k) => {
      const angle = Math.PI + (2 * Math.PI * turns * k) / (size - 1);
      return [(2 * angle / last) * Math.cos(angle), (2 * angle / last) * Math.sin(angle)];
    });
    const length = [0];
    for (let k = 1; k < size; k++) {
      length.push(length[k - 1] + Math.hypot(curve[k][0] - curve[k - 1][0], curve[k][1] - curve[k - 1][1]));
    }
    const count = Math.ceil(length[size - 1] / std) + 1;
    let after = 1;
    return mixture(Array.from({ length: count }, (_, k) => {
      const wanted = (length[size - 1] * k) / (count - 1);
      while (after < size - 1 && length[after] < wanted) after++;
      const share = (wanted - length[after - 1]) / (length[after] - length[after - 1]);
      return [0, 1].map((d) => curve[after - 1][d] + share * (curve[after][d] - curve[after - 1][d]));
    }), std);
  }

  /** The mixture centred and scaled so that its coordinates have variance 1 on average; says how: (x − centre)·scale. */
  function unitSpread({ means, std }) {
    const count = means.length / 2, centre = [0, 0];
    for (let i = 0; i < means.length; i++) centre[i % 2] += means[i] / count;
    let variance = std * std;
    for (let i = 0; i < means.length; i++) variance += (means[i] - centre[i % 2]) ** 2 / (2 * count);
    const scale = 1 / Math.sqrt(variance);
    return { means: means.map((x, i) => (x - centre[i % 2]) * scale), std: std * scale, centre, scale };
  }

  /** Draws points into out (n, 2). */
  function sample({ means, std }, out, rng) {
    rng.normal(out);
    for (let i = 0; i < out.length; i += 2) {
      const k = 2 * Math.floor((rng.uniform() * means.length) / 2);
      out[i] = means[k] + std * out[i];
      out[i + 1] = means[k + 1] + std * out[i + 1];
    }
    return out;
  }

  // ---- Perceptrons

  /** c (m, n) += a (m, k) · b (k, n). With the steps aRow = 1, aCol = m the matrix a is stored transposed, (k, m). */
  function addProduct(c, a, b, m, k, n, aRow = k, aCol = 1) {
    for (let i = 0; i < m; i++) {
      const row = i * n;
      let p = 0;
      for (; p + 3 < k; p += 4) {  // four rows of b at once: a quarter of the reads and writes of c
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
          out[at + d * (1 + k)] = Math.sin(base * 2 ** k * value);
          out[at + d * (1 + octaves + k)] = Math.cos(base * 2 ** k * value);
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
      this.layers = this.sizes.slice(1).map((out, l) => {  // views of theta and grad, in the order of Python's parameters()
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
        for (const part of [W, b]) for (let k = 0; k < part.length; k++) part[k] = (2 * rng.uniform() - 1) / Math.sqrt(i);
      }
      return this;
    }

    reserve(n) {
      if (n <= this.rows) return;
      const arrays = (sizes) => sizes.map((size) => new Float64Array(n * size));
      const inner = this.sizes.slice(1);
      this.rows = n;
      this.h = arrays(this.sizes.slice(0, -1));      // hₗ
      this.hDot = arrays(this.sizes.slice(0, -1));   // ḣₗ
      this.up = arrays(this.sizes.slice(0, -1));     // what reaches hₗ
      this.slopeH = arrays(this.sizes.slice(0, -1)); // ∂D/∂hₗ
      this.z = arrays(inner);
      this.s = arrays(inner);
      this.zDot = arrays(inner);
      this.delta = arrays(inner);                    // what reaches zₗ
      this.slopeZ = arrays(inner);                   // ∂D/∂zₗ
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
          s[k] = 1 / (1 + Math.exp(-z[k]));
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
      fourierFeatures(t, n, 1, TIME_OCTAVES, Math.PI / 2, this.h[0], this.sizes[0], this.inDim * (1 + 2 * this.octaves));
    }
  }

  // ---- The game

  const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));

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

  // ---- Diffusion: v on the cosine schedule, walked back by DDIM

  const S = 0.008, A = Math.PI / 2 / (1 + S);
  const alpha = (t) => Math.sin(A * (1 - t)) / Math.sin(A);
  const sigma = (t) => Math.sqrt(Math.sin(A * (2 * S + t)) * Math.sin(A * t)) / Math.sin(A);

  /** Times in [smallest, 1] that share one random shift, so that a batch covers all noise levels evenly. */
  function sampleTimes(t, u, smallest = 1e-4) {
    for (let i = 0; i < t.length; i++) t[i] = smallest + (1 - smallest) * ((u + i / t.length) % 1);
    return t;
  }

  /** E(v̂(x_t, t) − v)² with x_t = α·x₀ + σ·ε and v = α·ε − σ·x₀; net.grad is its gradient. */
  function diffusionTurn(net, x0, t, eps, n) {
    const xt = new Float64Array(2 * n), dy = new Float64Array(2 * n);
    for (let k = 0; k < 2 * n; k++) xt[k] = alpha(t[k >> 1]) * x0[k] + sigma(t[k >> 1]) * eps[k];
    const answer = net.forward(xt, n, t);
    let loss = 0;
    for (let k = 0; k < 2 * n; k++) {
      const error = answer[k] - (alpha(t[k >> 1]) * eps[k] - sigma(t[k >> 1]) * x0[k]);
      loss += (error * error) / (2 * n);
      dy[k] = error / n;
    }
    net.grad.fill(0);
    net.backward(dy, n);
    return loss;
  }

  /** The same loss of the perfect denoiser, which knows the mixture: what of v nobody can tell from x_t. */
  function exactLoss({ means, std }, x0, t, eps, n) {
    const weights = new Float64Array(means.length / 2);
    let loss = 0;
    for (let i = 0; i < n; i++) {
      const a = alpha(t[i]), b = sigma(t[i]), variance = a * a * std * std + b * b;
      const xt = [0, 1].map((d) => a * x0[2 * i + d] + b * eps[2 * i + d]), mean = [0, 0];
      const log = (k) => -((xt[0] - a * means[2 * k]) ** 2 + (xt[1] - a * means[2 * k + 1]) ** 2) / (2 * variance);
      let top = -Infinity, sum = 0;
      for (let k = 0; k < weights.length; k++) top = Math.max(top, weights[k] = log(k));
      for (let k = 0; k < weights.length; k++) sum += weights[k] = Math.exp(weights[k] - top);
      for (let d = 0; d < 2; d++) {  // E(μₖ | x_t), then x̂₀ of it, then v̂ = (α·x_t − x̂₀)/σ
        for (let k = 0; k < weights.length; k++) mean[d] += (weights[k] / sum) * means[2 * k + d];
        const x0Hat = mean[d] + ((a * std * std) / variance) * (xt[d] - a * mean[d]);
        loss += ((a * xt[d] - x0Hat) / b - (a * eps[2 * i + d] - b * x0[2 * i + d])) ** 2 / (2 * n);
      }
    }
    return loss;
  }

  /** One step of DDIM, η = 0, from t to s on x (n, 2), in place: from v follow x₀ and ε, and x_s = α_s·x₀ + σ_s·ε. */
  function ddim(net, x, n, t, s) {
    const v = net.forward(x, n, new Float64Array(n).fill(t)), a = alpha(t), b = sigma(t), d = a * a + b * b;
    for (let k = 0; k < 2 * n; k++) {
      const x0 = (a * x[k] - b * v[k]) / d, eps = (a * v[k] + b * x[k]) / d;
      x[k] = alpha(s) * x0 + sigma(s) * eps;
    }
    return x;
  }

  // ---- Training

  /** Adam; torch's AdamW without weight decay. */
  class Adam {
    constructor(network, beta1 = 0.9, beta2 = 0.999) {
      const empty = () => new Float64Array(network.count);
      Object.assign(this, { network, beta1, beta2, m: empty(), v: empty(), steps: 0 });
    }

    step(lr) {
      const { m, v, beta1, beta2, network: { theta, grad } } = this, first = 1 - beta1 ** ++this.steps;
      const root = Math.sqrt(1 - beta2 ** this.steps);
      for (let k = 0; k < theta.length; k++) {
        m[k] = beta1 * m[k] + (1 - beta1) * grad[k];
        v[k] = beta2 * v[k] + (1 - beta2) * grad[k] * grad[k];
        theta[k] -= ((lr / first) * m[k]) / (Math.sqrt(v[k]) / root + 1e-8);
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
      const { source, model } = this, share = 1 - Math.min(this.decay, (2 + this.updates) / (11 + this.updates));
      this.updates++;
      for (let k = 0; k < model.count; k++) model.theta[k] += share * (source.theta[k] - model.theta[k]);
    }
  }

  const learningRateFactor = (step, steps) => 0.5 * (1 + Math.cos((Math.PI * step) / steps));

  /** Both contenders on one data set. `step` and `look` yield often, so that a page can draw between. */
  class Match {
    constructor({ data, octaves = OCTAVES, game = "non-saturating", gamma = 0, lrGAN = 8e-3, lrDiffusion = 1.6e-2, steps = 800, seed = 0 }) {
      Object.assign(this, { data, octaves, game, gamma, lrGAN, lrDiffusion, steps, seed, done: 0, last: null });
      const nets = () => [
        new MLP(NOISE, 2, WIDTH_GAN, 2, octaves), new MLP(2, 1, WIDTH_GAN, 2, octaves), new TimeMLP(2, WIDTH_DIFFUSION, 2, octaves),
      ];
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
      const gan = { real: sample(data, points(), ofG), z: ofG.normal(points()), zNext: ofG.normal(points()) };
      const x0 = sample(data, points(), ofNet), eps = ofNet.normal(points());
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
      const gan = ema.G.model.forward(rng.normal(points()), n).slice(), real = sample(data, points(), rng);
      const diffusion = rng.normal(points());
      for (let at = 0; at < n; at += part) {  // a few at a time: each step is short enough for a frame
        const some = diffusion.subarray(2 * at, 2 * Math.min(n, at + part));
        for (let k = EVALUATIONS; k > 0; k--) {
          yield;
          ddim(ema.net.model, some, some.length / 2, k / EVALUATIONS, (k - 1) / EVALUATIONS);
        }
      }
      const samples = { data: real, gan, diffusion }, scores = {};
      for (const name in samples) scores[name] = modeCoverage(samples[name], data);
      return { step: this.done, samples, scores };
    }
  }

  /** Modes with a sample within three standard deviations, the share of such samples, and KL(samples ‖ even), in nats. */
  function modeCoverage(x, { means, std }) {
    const modes = means.length / 2, hits = new Float64Array(modes), near = new Uint8Array(modes), n = x.length / 2;
    let good = 0, reverseKL = 0;
    for (let i = 0; i < x.length; i += 2) {
      let least = Infinity, nearest = 0;
      for (let k = 0; k < modes; k++) {
        const distance = (x[i] - means[2 * k]) ** 2 + (x[i + 1] - means[2 * k + 1]) ** 2;
        if (distance < least) [least, nearest] = [distance, k];
      }
      hits[nearest]++;
      if (least <= (RADIUS * std) ** 2) good += near[nearest] = 1;
    }
    for (const count of hits) if (count) reverseKL += (count / n) * Math.log((modes * count) / n);
    let covered = 0, seen = 0;
    for (const count of hits) covered += near[seen++];
    return { covered, modes, highQuality: good / n, reverseKL };
  }

  return {
    BATCH, OCTAVES, EVALUATIONS, random, ring, grid, twoMoons, swissRoll, unitSpread, sample, MLP, TimeMLP, discriminatorTurn,
    generatorTurn, alpha, sigma, sampleTimes, diffusionTurn, exactLoss, ddim, Adam, EMA, learningRateFactor, Match, modeCoverage,
  };
})();
