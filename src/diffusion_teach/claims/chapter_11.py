"""The claims of chapter 11, GAN versus diffusion in the plane."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "11_gan_vs_diffusion"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="one-seed-proves-nothing",
        chapter=CHAPTER,
        sentence="with raw coordinates, the best GAN on the ring has at least five times as many good samples as the "
        "worst of ten diffusion models, and the best diffusion model on the grid covers no fewer modes than the worst "
        "of ten GANs.",
        bounds={"log10_quality_ratio": at_least(0.7), "mode_lead": at_least(0)},
        facts=(4, 11),
    ),
    Claim(
        id="what-real-data-score",
        chapter=CHAPTER,
        sentence="real points of ring and grid score what theory says: a share of high quality within 0.004 of "
        "1 − exp(−9/2), and a reverse KL between 0.2 and 2 times (K − 1)/2N.",
        bounds={"high_quality_gap": between(-0.004, 0.004), "reverse_kl_ratio": between(0.2, 2)},
        source="srivastava2017veegan",
        facts=(4,),
    ),
    Claim(
        id="discriminator-finds-the-ratio",
        chapter=CHAPTER,
        sentence="a discriminator trained on samples alone is p/(p + q), with a mean error of at most 0.03.",
        bounds={"mean_error": at_most(0.03)},
        source="goodfellow2014generative",
        facts=(11,),
    ),
    Claim(
        id="penalties-calm-the-game",
        chapter=CHAPTER,
        sentence="in the smallest game, 600 steps of descent end no nearer to the solution than nine tenths of where "
        "they began; with R1 + R2 they end within a hundredth.",
        bounds={"without": at_least(0.9), "with_penalties": at_most(0.01)},
        source="mescheder2018which",
        facts=(11,),
    ),
    Claim(
        id="the-search-was-wide-enough",
        chapter=CHAPTER,
        sentence="with Fourier features, on both data sets, the chosen learning rates of diffusion and of both GANs "
        "with R1 + R2 lie inside the range that was tried, a factor of two from either end at least.",
        bounds={"larger_rates": at_least(2), "smaller_rates": at_least(2)},
        source="lucic2018gans",
        facts=(4,),
    ),
    Claim(
        id="diffusion-covers-every-mode",
        chapter=CHAPTER,
        sentence="with Fourier features, the diffusion model covers every mode of ring and grid with each of ten "
        "seeds, and on average at least 70 % of its samples are of high quality.",
        bounds={"modes_missed": between(0, 0), "mean_quality": at_least(0.7)},
        source="lin2018pacgan",
        facts=(4, 11),
    ),
    Claim(
        id="plain-gan-drops-modes",
        chapter=CHAPTER,
        sentence="with Fourier features, the worst of ten plain GANs covers at most 5 of the ring's 8 modes, and the "
        "worst of ten on the grid at most 15 of 25.",
        bounds={"fewest_ring_modes": at_most(5), "fewest_grid_modes": at_most(15)},
        source="lin2018pacgan",
        facts=(4, 11),
    ),
    Claim(
        id="penalties-mend-coverage",
        chapter=CHAPTER,
        sentence="with Fourier features, R1 + R2 bring the modes back in both games: the GAN and the RpGAN that have "
        "them cover on average at least 7.5 of 8 and at least 20 of 25.",
        bounds={"ring_modes": at_least(7.5), "grid_modes": at_least(20)},
        source="mescheder2018which",
        facts=(4, 11),
    ),
    Claim(
        id="diffusion-is-sharper-on-the-grid",
        chapter=CHAPTER,
        sentence="with Fourier features on the grid, the diffusion model's share of samples of high quality is on "
        "average at least twice that of the GAN and of the RpGAN with R1 + R2.",
        bounds={"log10_quality_ratio": at_least(0.302)},
        facts=(4, 11),
    ),
    Claim(
        id="the-worst-of-forty-seeds",
        chapter=CHAPTER,
        sentence="of forty stored seeds of the GAN and of the RpGAN with R1 + R2, each as tuned here, all cover every "
        "mode of the ring and at least 15 of the grid's 25; of ten of each picked at random, the worst RpGAN has the "
        "higher reverse KL more often than not on both, and on the grid RpGAN has it on average.",
        bounds={
            "ring_fewest": between(8, 8),
            "grid_fewest": at_least(15),
            "grid_mean_kl_ratio": at_least(1),
            "relativistic_worse": at_least(0.6),
        },
        source="huang2024gan",
        facts=(11,),
    ),
    Claim(
        id="a-search-flatters-its-winner",
        chapter=CHAPTER,
        sentence="the RpGAN's chosen trial on the grid covered with the search's five seeds at least 5 % more of the "
        "modes than with forty others.",
        bounds={"lost": at_least(0.05)},
        source="lucic2018gans",
        facts=(4,),
    ),
    Claim(
        id="raw-coordinates-turn-it-round",
        chapter=CHAPTER,
        sentence="with raw coordinates on the ring, the plain GAN covers on average at least 6 of 8 modes, and has at "
        "least twice as many good samples as the diffusion model.",
        bounds={"gan_modes": at_least(6), "log10_quality_ratio": at_least(0.31)},
        facts=(4, 11),
    ),
    Claim(
        id="features-make-the-denoiser",
        chapter=CHAPTER,
        sentence="without Fourier features, at most 5 % of the diffusion model's samples are of high quality; with "
        "them, at least 70 %, on both data sets.",
        bounds={"raw_quality": at_most(0.05), "fourier_quality": at_least(0.7)},
        facts=(11,),
    ),
    Claim(
        id="how-often-a-run-is-usable",
        chapter=CHAPTER,
        sentence="of the stored search's runs with Fourier features, at four of diffusion's six learning rates all are "
        "usable, on both data sets, and of the plain GAN's none; of the GAN's and the RpGAN's with R1 + R2 at most 5 % "
        "are usable, at least 75 % cover every mode of the ring and at most 40 % every mode of the grid.",
        bounds={
            "diffusion_rates": between(4, 4),
            "gan_usable": between(0, 0),
            "penalised_usable": at_most(0.05),
            "penalised_covering_ring": at_least(0.75),
            "penalised_covering_grid": at_most(0.4),
        },
        facts=(4, 11),
    ),
    Claim(
        id="raw-coordinates-make-other-runs-usable",
        chapter=CHAPTER,
        sentence="of the stored search's runs with raw coordinates, at least 90 % of the GAN's and of the RpGAN's "
        "with R1 + R2 are usable on the ring and none of diffusion's; on the grid no run of anybody covers every mode.",
        bounds={
            "penalised_usable_ring": at_least(0.9),
            "diffusion_usable_ring": between(0, 0),
            "covering_grid": between(0, 0),
        },
        facts=(4, 11),
    ),
    Claim(
        id="losses-tell-different-things",
        chapter=CHAPTER,
        sentence="on the ring with Fourier features, the discriminator's loss of the plain GAN ends below 0.8 with at "
        "least 1.5 modes missing on average; with R1 + R2 the GAN's ends within 0.1 of log 4 and the RpGAN's of log 2; "
        "the diffusion model's loss falls by at least a tenth, and from step 500 on it covers every mode with each of "
        "ten seeds.",
        bounds={
            "gan_loss": at_most(0.8),
            "gan_missed": at_least(1.5),
            "penalised_gap": between(-0.1, 0.1),
            "relativistic_gap": between(-0.1, 0.1),
            "regression_fall": at_most(0.9),
            "regression_missed": between(0, 0),
        },
        facts=(11,),
    ),
    Claim(
        id="one-call-against-many",
        chapter=CHAPTER,
        sentence="for a sample the diffusion model calls its network 25 times, the GAN once, and takes 47 to 49 times "
        "as many multiplications.",
        bounds={
            "gan_calls": between(1, 1),
            "diffusion_calls": between(25, 25),
            "multiplications_ratio": between(47, 49),
        },
        source="song2021denoising",
        facts=(4, 12),
    ),
    Claim(
        id="a-better-gan-of-digits",
        chapter=CHAPTER,
        sentence="1,000 digits of the plain GAN lie at least 15 times the floor from real ones by the classifier and 3 "
        "times by the encoder; by both, those of the GAN with relativistic loss and R1 + R2 lie at most 5 times, and "
        "of diffusion in ten steps at most 3 times.",
        bounds={
            "plain": at_least(15),
            "plain_by_the_encoder": at_least(3),
            "relativistic": at_most(5),
            "diffusion": at_most(3),
        },
        source="huang2024gan",
        facts=(4, 11),
    ),
    Claim(
        id="diffusion-reaches-more-digits",
        chapter=CHAPTER,
        sentence="by neither judge diffusion covers 2 in a hundred of the real digits fewer than the better GAN does, "
        "or 6 fewer than real digits do; the plain GAN covers at most 85 in a hundred by the classifier.",
        bounds={"lead": at_least(-0.02), "plain_gan": at_most(0.85), "diffusion_below_real": at_most(0.06)},
        source="naeem2020reliable",
        facts=(4, 11),
    ),
    Claim(
        id="one-call-is-cheaper",
        chapter=CHAPTER,
        sentence="a digit in ten steps of diffusion takes 370 to 385 times as many multiplications as one from the "
        "GAN.",
        bounds={"multiplications_ratio": between(370, 385)},
        facts=(11, 12),
    ),
    Claim(
        id="a-minute-favours-the-gan",
        chapter=CHAPTER,
        sentence="with 0.84 million weights, 192,000 images and a small search each, the stored digits of the GAN and "
        "of the RpGAN with R1 + R2 lie at most 0.85 times as far from real ones as diffusion's in 15 steps, by "
        "both judges; the plain GAN's and the VAE's lie at least 3 times as far, and diffusion's at most a fifth as "
        "far as real digits blurred 3 × 3, 6 to 9 times its floor by the classifier and 2 to 3 by the encoder.",
        bounds={
            "penalised": at_most(0.85),
            "others": at_least(3),
            "diffusion_to_control": at_most(0.2),
            "diffusion_by_the_classifier": between(6, 9),
            "diffusion_by_the_encoder": between(2, 3),
        },
        source="lucic2018gans",
        facts=(4, 11),
    ),
    Claim(
        id="real-stacks-have-a-floor",
        chapter=CHAPTER,
        sentence="among 26,000 real stacks all thousand numbers occur, with a KL divergence of 0.018 to 0.030 nats "
        "from equal shares; among 1,000 only 560 to 690 do, within 60 of what theory expects.",
        bounds={
            "modes_missed": between(0, 0),
            "kl": between(0.018, 0.030),
            "modes_of_a_thousand": between(560, 690),
            "off_theory": between(-60, 60),
        },
        source="srivastava2017veegan",
        facts=(4,),
    ),
    Claim(
        id="modes-of-stacked-digits",
        chapter=CHAPTER,
        sentence="of the thousand numbers, 26,000 samples of the plain GAN show at most 50, of the relativistic GAN "
        "with R1 + R2 at least 900, and of diffusion at least 990, at less than half of that GAN's divergence.",
        bounds={
            "plain": at_most(50),
            "relativistic": at_least(900),
            "diffusion": at_least(990),
            "divergence_ratio": at_most(0.5),
        },
        source="huang2024gan",
        printed="relativistic with R1 + R2: 1000 modes, KL 0.0781",
        facts=(4, 11),
    ),
    Claim(
        id="a-count-sees-no-quality",
        chapter=CHAPTER,
        sentence="real stacks of 7 × 7 pixels show all thousand numbers, with a divergence below 0.28, that of PacGAN "
        "as quoted by Huang et al.",
        bounds={"modes_missed": between(0, 0), "kl": at_most(0.28)},
        source="huang2024gan",
        printed="PacGAN: 992 modes, KL 0.28",
        facts=(4,),
    ),
    Claim(
        id="counts-are-not-stale",
        chapter=CHAPTER,
        sentence="1,000 stacks of each row, drawn anew, show as many numbers as its stored histogram predicts, "
        "within 80.",
        bounds={"fewest": at_least(-80), "most": at_most(80)},
        facts=(4,),
    ),
)
