"""The claims of chapter 2, the GAN."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "02_gan"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="squared-error-draws-the-mean",
        chapter=CHAPTER,
        sentence="a generator trained by a squared error on noise and digits that are paired at random draws the mean "
        "digit: its pictures lie at most 0.35 times as far from it as real digits do.",
        bounds={"distance_ratio": at_most(0.35)},
        facts=(4,),
    ),
    Claim(
        id="judge-knows-the-ratio",
        chapter=CHAPTER,
        sentence="discriminators trained on samples alone are p/(p + q), and one half where q = p, with a mean error "
        "of at most 0.035.",
        bounds={"mean_error": at_most(0.035)},
        source="goodfellow2014generative",
        facts=(11,),
    ),
    Claim(
        id="value-is-a-divergence",
        chapter=CHAPTER,
        sentence="their value on new points is −log 4 + 2 JSD(p, q), and −log 4 where q = p, within 0.015 nats.",
        bounds={"gap": between(-0.015, 0.015)},
        source="goodfellow2014generative",
        facts=(11,),
    ),
    Claim(
        id="algorithm-1-finds-the-data",
        chapter=CHAPTER,
        sentence="after 600 turns of algorithm 1 generated points are at most 0.35 times as far from the data as at "
        "first, and over the last hundred turns the value is −log 4 within 0.005 nats.",
        bounds={"way_left": at_most(0.35), "value_gap": between(-0.005, 0.005)},
        source="goodfellow2014generative",
        facts=(11,),
    ),
    Claim(
        id="two-losses-two-divergences",
        chapter=CHAPTER,
        sentence="against a perfect discriminator the saturating loss pushes down 2 JSD and the non-saturating one "
        "down KL(q, p) − 2 JSD, to within 2 %.",
        bounds={"relative_misfit": at_most(0.02)},
        facts=(11,),
    ),
    Claim(
        id="saturating-loss-stands-still",
        chapter=CHAPTER,
        sentence="from eight standard deviations away, 200 steps of the saturating loss move the generator by at most "
        "0.01; the non-saturating loss brings it to within 0.0002 of the data.",
        bounds={"moved_by_saturating": at_most(0.01), "left_by_non_saturating": at_most(0.0002)},
        source="goodfellow2014generative",
        facts=(11,),
    ),
    Claim(
        id="eigenvalues-foretell-the-spiral",
        chapter=CHAPTER,
        sentence="in the smallest game, spinning out, circling and coming to rest are what the eigenvalues say: those "
        "fitted to runs of a GAN that starts 0.001 from its solution are off by at most 1e-5.",
        bounds={"gap": at_most(1e-5)},
        source="mescheder2018which",
        facts=(11,),
    ),
    Claim(
        id="critic-measures-the-way",
        chapter=CHAPTER,
        sentence="for two points at distances d from 0.5 to 4 a critic with gradient penalty has the value "
        "d (1 + d/2λ) within 1 %, and pushes with the slope 1 + d/2λ within 8 %.",
        bounds={"value_over_exact": between(0.99, 1.01), "slope_over_exact": between(0.92, 1.08)},
        source="gulrajani2017improved",
        facts=(11,),
    ),
    Claim(
        id="discriminator-sees-a-plateau",
        chapter=CHAPTER,
        sentence="a discriminator of the same two points measures a Jensen–Shannon divergence within 0.001 of log 2 at "
        "every distance; the push of log(1 − D) is at most 0.001, that of −log D at least 3, and at least twice as "
        "strong at distance 0.5 as at distance 4.",
        bounds={
            "divergence": between(0.6921, 0.6942),
            "push_of_log_one_minus_d": at_most(0.001),
            "push_of_minus_log_d": at_least(3),
            "log2_nearest_over_farthest": at_least(1),
        },
        source="arjovsky2017wasserstein",
        facts=(11,),
    ),
    Claim(
        id="one-iteration-a-step",
        chapter=CHAPTER,
        sentence="one power iteration a step keeps σ within 1 % of the singular value decomposition for every weight "
        "matrix of eight critics, from step 100 of their training on.",
        bounds={"sigma_off": at_most(0.01)},
        source="miyato2018spectral",
        facts=(11,),
    ),
    Claim(
        id="one-line-decides-collapse",
        chapter=CHAPTER,
        sentence="with raw coordinates a plain GAN covers on average at least 7.4 of the ring's 8 modes, but 1.5 to "
        "5 % of its samples are good, where a circle that knows nothing of modes has 7.6 %; with Fourier features it "
        "covers at most 5 of 8, and at most 15 of the grid's 25.",
        bounds={
            "ring_modes_raw": at_least(7.4),
            "ring_good_raw": between(0.015, 0.05),
            "ring_modes_fourier": at_most(5),
            "grid_modes_fourier": at_most(15),
        },
        source="lin2018pacgan",
        facts=(4, 11),
        printed="1 of 8 modes, 99.3 % good, and 3.3 of 25, 0.5 % (Srivastava et al.); 6.3 ± 0.5, 98.2 %, and 17.3 ± "
        "0.8, 94.8 % (Lin et al.)",
    ),
    Claim(
        id="penalties-bring-modes-back",
        chapter=CHAPTER,
        sentence="R1 + R2, added to the Fourier GAN and nothing else changed, cover on average at least 6.8 of 8 and "
        "20 of 25 modes, on the grid at least 6 more than the GAN without them, and so with the relativistic loss; "
        "their good share, mean of both losses, is 1.8 to 4 times a blind circle's and 2 to 7 times a blind square's.",
        bounds={
            "ring_modes": at_least(6.8),
            "grid_modes": at_least(20),
            "grid_lead": at_least(6),
            "ring_good_over_blind": between(1.8, 4),
            "grid_good_over_blind": between(2, 7),
        },
        source="mescheder2018which",
        facts=(4, 11),
    ),
    Claim(
        id="a-judge-of-another-kind-is-not-enough",
        chapter=CHAPTER,
        sentence="in this setting neither packs of two nor the relativistic loss, alone, covers more than 70 % of the "
        "modes on average.",
        bounds={"share_of_modes": at_most(0.7)},
        source="lin2018pacgan",
        facts=(4, 11),
        printed="packs of 2, networks without features: 7.9 ± 0.1 of 8 and 23.8 ± 0.7 of 25",
    ),
    Claim(
        id="a-game-draws-digits",
        chapter=CHAPTER,
        sentence="after 300 turns of 32 digits the Fréchet distance of a GAN is by both judges at most 0.35 times "
        "that of the squared error.",
        bounds={"live_over_squared_error": at_most(0.35)},
        source="goodfellow2014generative",
        facts=(4,),
    ),
    Claim(
        id="longer-training-tells",
        chapter=CHAPTER,
        sentence="trained for 20,000 turns, the relativistic GAN with R1 + R2 has by both judges at most a quarter "
        "of the distance that it has after 300 turns of 32, at most 0.65 times what the plain GAN of 2014 has, and at "
        "most 0.25 times what blurred digits have.",
        bounds={
            "log10_live_over_longer": at_least(0.602),
            "log10_plain_over_longer": at_least(0.187),
            "longer_over_control": at_most(0.25),
        },
        source="huang2024gan",
        facts=(4, 11),
    ),
)
