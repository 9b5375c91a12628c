"""The claims of chapter 2, the GAN."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "02_gan"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="squared-error-draws-the-mean",
        chapter=CHAPTER,
        sentence="a generator trained by a squared error on noise and digits that are paired at random draws the mean "
        "digit: its pictures lie at most half as far from it as real digits do.",
        bounds={"distance_ratio": at_most(0.5)},
        facts=(4,),
    ),
    Claim(
        id="judge-knows-the-ratio",
        chapter=CHAPTER,
        sentence="discriminators trained on samples alone are p/(p + q), and one half where q = p, with a mean error "
        "of at most 0.04.",
        bounds={"mean_error": at_most(0.04)},
        source="goodfellow2014generative",
        facts=(11,),
    ),
    Claim(
        id="value-is-a-divergence",
        chapter=CHAPTER,
        sentence="their value on new points is −log 4 + 2 JSD(p, q), and −log 4 where q = p, within 0.02 nats.",
        bounds={"gap": between(-0.02, 0.02)},
        source="goodfellow2014generative",
        facts=(11,),
    ),
    Claim(
        id="two-losses-two-divergences",
        chapter=CHAPTER,
        sentence="against a perfect discriminator the saturating loss pushes down 2 JSD and the non-saturating one "
        "down KL(q, p) − 2 JSD, to within 5 %.",
        bounds={"relative_misfit": at_most(0.05)},
        facts=(11,),
    ),
    Claim(
        id="saturating-loss-stands-still",
        chapter=CHAPTER,
        sentence="from eight standard deviations away, 200 steps of the saturating loss move the generator by at most "
        "0.02; the non-saturating loss brings it to within 0.001 of the data.",
        bounds={"moved_by_saturating": at_most(0.02), "left_by_non_saturating": at_most(0.001)},
        source="goodfellow2014generative",
        facts=(11,),
    ),
    Claim(
        id="eigenvalues-foretell-the-spiral",
        chapter=CHAPTER,
        sentence="in the smallest game, spinning out, circling and coming to rest are what the eigenvalues say: those "
        "fitted to runs of the bilinear game are off by at most 1e-6 and those of the GAN near its solution by at most "
        "1e-4, and simultaneous steps grow by √(1 + η²) a turn within a relative 1e-9.",
        bounds={
            "bilinear_gap": at_most(1e-6),
            "gan_gap": at_most(1e-4),
            "growth_over_prediction": between(-1e-9, 1e-9),
        },
        source="mescheder2018which",
        facts=(11,),
    ),
    Claim(
        id="critic-measures-the-way",
        chapter=CHAPTER,
        sentence="for two points at distances d from 0.5 to 4 a critic with gradient penalty has the value "
        "d (1 + d/2λ) within 3 %, and pushes with the slope 1 + d/2λ within 15 %.",
        bounds={"value_over_exact": between(0.97, 1.03), "slope_over_exact": between(0.85, 1.15)},
        source="gulrajani2017improved",
        facts=(11,),
    ),
    Claim(
        id="discriminator-sees-a-plateau",
        chapter=CHAPTER,
        sentence="a discriminator of the same two points measures a Jensen–Shannon divergence within 0.005 of log 2 at "
        "every distance, and the push of log(1 − D) is at most 0.005.",
        bounds={"divergence": between(0.688, 0.694), "push": at_most(0.005)},
        source="arjovsky2017wasserstein",
        facts=(11,),
    ),
    Claim(
        id="one-iteration-a-step",
        chapter=CHAPTER,
        sentence="one power iteration a step keeps σ within 1 % of the singular value decomposition for every weight "
        "matrix of eight critics, and their value stays below 1.22 times the distance.",
        bounds={"sigma_over_exact": between(0.99, 1.01), "value_over_distance": at_most(1.22)},
        source="miyato2018spectral",
        facts=(11,),
    ),
    Claim(
        id="one-line-decides-collapse",
        chapter=CHAPTER,
        sentence="with raw coordinates a plain GAN covers on average at least 5.5 of the ring's 8 modes, with Fourier "
        "features at most 5, and the worst of ten seeds on the grid at most 12 of 25.",
        bounds={
            "ring_modes_raw": at_least(5.5),
            "ring_modes_fourier": at_most(5),
            "fewest_grid_modes_fourier": at_most(12),
        },
        source="lin2018pacgan",
        facts=(4, 11),
        printed="1 of 8 and 3.3 of 25 (Srivastava et al.); 6.3 ± 0.5 and 17.3 ± 0.8 (Lin et al.)",
    ),
    Claim(
        id="penalties-bring-modes-back",
        chapter=CHAPTER,
        sentence="R1 + R2, added to the Fourier GAN and nothing else changed, cover on average at least 6.5 of 8 and "
        "15 of 25 modes, on the grid at least 3 more than the GAN without them; and so with the relativistic loss.",
        bounds={"ring_modes": at_least(6.5), "grid_modes": at_least(15), "grid_lead": at_least(3)},
        source="mescheder2018which",
        facts=(4, 11),
    ),
    Claim(
        id="a-judge-of-another-kind-is-not-enough",
        chapter=CHAPTER,
        sentence="in this setting neither packs of two nor the relativistic loss, alone, covers more than 80 % of the "
        "modes on average.",
        bounds={"share_of_modes": at_most(0.8)},
        source="lin2018pacgan",
        facts=(4, 11),
        printed="packs of 2, networks without features: 7.9 ± 0.1 of 8 and 23.8 ± 0.7 of 25",
    ),
    Claim(
        id="a-game-draws-digits",
        chapter=CHAPTER,
        sentence="after 300 turns of 32 digits the Fréchet distance of a GAN is at most half of that of the squared "
        "error.",
        bounds={"live_over_squared_error": at_most(0.5)},
        source="goodfellow2014generative",
        facts=(4,),
    ),
    Claim(
        id="longer-training-tells",
        chapter=CHAPTER,
        sentence="trained for 20,000 turns, the relativistic GAN with R1 + R2 has by both judges at most a third of "
        "that distance, at most 0.7 of what the plain GAN of 2014 has, and at most 0.2 of what blurred digits have.",
        bounds={
            "log10_live_over_longer": at_least(0.477),
            "log10_plain_over_longer": at_least(0.155),
            "longer_over_control": at_most(0.2),
        },
        source="huang2024gan",
        facts=(4, 11),
    ),
)
