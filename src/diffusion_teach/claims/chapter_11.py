"""The claims of chapter 11, GAN versus diffusion in the plane."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "11_gan_vs_diffusion"
MODULE = "python -m diffusion_teach.studies"
SEARCH = f"{MODULE} duel2d.search"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="one-seed-proves-nothing",
        chapter=CHAPTER,
        sentence="with raw coordinates on the ring, the best of ten GANs has at least five times as many good samples "
        "as the worst of ten diffusion models, and the worst GAN at least ten times the reverse KL of the best "
        "diffusion model.",
        bounds={"log10_quality_ratio": at_least(0.7), "log10_unevenness": at_least(1)},
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
        sentence="with Fourier features, on both data sets, every chosen learning rate and every chosen γ lies inside "
        "what was tried, a factor of two from either end at least.",
        bounds={"factor_from_the_edge": at_least(2)},
        source="lucic2018gans",
        facts=(4,),
        stored=SEARCH,
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
        sentence="with Fourier features, the worst of ten plain GANs covers at most 6 of the ring's 8 modes, and the "
        "worst of ten on the grid at most 15 of 25.",
        bounds={"fewest_ring_modes": at_most(6), "fewest_grid_modes": at_most(15)},
        source="lin2018pacgan",
        facts=(4, 11),
    ),
    Claim(
        id="penalties-mend-coverage",
        chapter=CHAPTER,
        sentence="with Fourier features, R1 + R2 bring the modes back in both games: the GAN and the RpGAN that have "
        "them cover on average at least 7.5 of 8 and at least 21 of 25.",
        bounds={"ring_modes": at_least(7.5), "grid_modes": at_least(21)},
        source="mescheder2018which",
        facts=(4, 11),
    ),
    Claim(
        id="diffusion-is-sharper-on-the-grid",
        chapter=CHAPTER,
        sentence="with Fourier features on the grid, the diffusion model's share of samples of high quality is on "
        "average at least four times that of the GAN and of the RpGAN with R1 + R2.",
        bounds={"log10_quality_ratio": at_least(0.602)},
        facts=(4, 11),
    ),
    Claim(
        id="the-loss-matters-where-penalties-are-weak",
        chapter=CHAPTER,
        sentence="of forty stored seeds of each at equal settings, with the weakest penalties RpGAN's mean reverse KL "
        "is at most 0.7 times the GAN's and the worst of ten RpGANs is the worse one in at most 15 of 100 draws, on "
        "both data sets; on the grid, with γ from 0.05 to 1.25, the means differ by at most 20 %, and at 0.05 RpGAN's "
        "worst is the worse one in at least 70.",
        bounds={
            "weakest": at_most(0.7),
            "stronger": between(0.8, 1.2),
            "worst_at_weakest": at_most(0.15),
            "worst_at_a_twentieth": at_least(0.7),
        },
        source="huang2024gan",
        facts=(11,),
        stored=f"{MODULE} duel2d.seeds",
    ),
    Claim(
        id="penalties-leave-no-seed-far-behind",
        chapter=CHAPTER,
        sentence="with γ of 0.05 or 0.25, each of forty stored seeds of the GAN and of the RpGAN covers at least 7 of "
        "the ring's 8 modes and 19 of the grid's 25.",
        bounds={"ring_fewest": at_least(7), "grid_fewest": at_least(19)},
        source="huang2024gan",
        facts=(11,),
        stored=f"{MODULE} duel2d.seeds",
    ),
    Claim(
        id="a-search-flatters-its-winner",
        chapter=CHAPTER,
        sentence="the plain GAN's chosen trial on the grid covered with the search's five seeds a share of the modes "
        "that is larger by at least 0.1 than with ten others.",
        bounds={"lost": at_least(0.1)},
        source="lucic2018gans",
        facts=(4,),
        stored=f"{MODULE} duel2d.longer",
    ),
    Claim(
        id="more-steps-sharpen-the-penalised",
        chapter=CHAPTER,
        sentence="on the grid, with eight times as many steps, the stored GAN and RpGAN with R1 + R2 have at least "
        "three times as large a share of good samples, and each of ten seeds covers all 25 modes; the plain GAN covers "
        "on average at most 17, and diffusion, of which at least 80 % are good, has at most 2.5 times their share, and "
        "at least a third more reverse KL than RpGAN.",
        bounds={
            "growth": at_least(3),
            "modes_missed": between(0, 0),
            "plain": at_most(17),
            "diffusion": at_least(0.8),
            "evenness": at_most(0.75),
            "lead": between(1, 2.5),
        },
        facts=(4, 11),
        stored=f"{MODULE} duel2d.longer",
    ),
    Claim(
        id="raw-coordinates-turn-it-round",
        chapter=CHAPTER,
        sentence="with raw coordinates on the ring, the plain GAN covers on average at least 6 of 8 modes, and has at "
        "least three times as many good samples as the diffusion model, and fewer than a blind circle.",
        bounds={"gan_modes": at_least(6), "log10_quality_ratio": at_least(0.477), "gan_to_blind": between(0.4, 0.95)},
        facts=(4, 11),
    ),
    Claim(
        id="features-make-the-denoiser",
        chapter=CHAPTER,
        sentence="without Fourier features, at most 2.5 % of the diffusion model's samples are of high quality; with "
        "them, at least 70 %, on both data sets.",
        bounds={"raw_quality": at_most(0.025), "fourier_quality": at_least(0.7)},
        facts=(11,),
    ),
    Claim(
        id="how-often-a-run-is-usable",
        chapter=CHAPTER,
        sentence="of the stored search's runs with Fourier features, all of diffusion's are usable over a factor of at "
        "least 8 in its learning rate, on both data sets, and of the plain GAN's none; of the GAN's and the RpGAN's "
        "with R1 + R2 at most 5 % are usable, 60 to 80 % cover every mode of the ring and at most 20 % every mode of "
        "the grid.",
        bounds={
            "diffusion_range": at_least(8),
            "gan_usable": between(0, 0),
            "penalised_usable": at_most(0.05),
            "penalised_covering_ring": between(0.6, 0.8),
            "penalised_covering_grid": at_most(0.2),
        },
        facts=(4, 11),
        stored=SEARCH,
    ),
    Claim(
        id="raw-coordinates-make-other-runs-usable",
        chapter=CHAPTER,
        sentence="of the stored search's runs with raw coordinates, at least 60 % of the GAN's and of the RpGAN's "
        "with R1 + R2 are usable on the ring and none of diffusion's; on the grid no run of anybody covers every mode.",
        bounds={
            "penalised_usable_ring": at_least(0.6),
            "diffusion_usable_ring": between(0, 0),
            "covering_grid": between(0, 0),
        },
        facts=(4, 11),
        stored=SEARCH,
    ),
    Claim(
        id="losses-tell-different-things",
        chapter=CHAPTER,
        sentence="on the ring with Fourier features, the discriminator's loss of the plain GAN ends below 0.4 with at "
        "least 4 modes missing on average; with R1 + R2 the GAN's ends within 0.15 of log 4 and the RpGAN's within "
        "0.05 of log 2; the diffusion model's loss falls by at least 15 %, and from step 500 on it covers every mode "
        "with each of ten seeds.",
        bounds={
            "gan_loss": at_most(0.4),
            "gan_missed": at_least(4),
            "penalised_gap": between(-0.15, 0.15),
            "relativistic_gap": between(-0.05, 0.05),
            "regression_fall": at_most(0.85),
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
        sentence="1,000 digits of the plain GAN lie at least 20 times the floor from real ones by the classifier and "
        "3.4 times by the encoder; by both, those of the GAN with relativistic loss and R1 + R2 lie at most 3.3 times, "
        "and of diffusion in ten steps at most 1.5 times.",
        bounds={
            "plain": at_least(20),
            "plain_by_the_encoder": at_least(3.4),
            "relativistic": at_most(3.3),
            "diffusion": at_most(1.5),
        },
        source="huang2024gan",
        facts=(4, 11),
    ),
    Claim(
        id="diffusion-reaches-more-digits",
        chapter=CHAPTER,
        sentence="by the mean of both judges diffusion covers at least 3 in a hundred of the real digits more than the "
        "better GAN does, and by neither 4 fewer than real digits do; the plain GAN covers at most 87 in a hundred by "
        "the classifier.",
        bounds={"lead": at_least(0.03), "plain_gan": at_most(0.87), "diffusion_below_real": at_most(0.04)},
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
        stored=f"{MODULE} equal_terms.measure",
    ),
    Claim(
        id="real-stacks-have-a-floor",
        chapter=CHAPTER,
        sentence="among 26,000 real stacks all thousand numbers occur, with a KL divergence of 0.018 to 0.030 nats "
        "from equal shares; among 1,000 only 575 to 690 do, within 60 of what theory expects.",
        bounds={
            "modes_missed": between(0, 0),
            "kl": between(0.018, 0.030),
            "modes_of_a_thousand": between(575, 690),
            "off_theory": between(-60, 60),
        },
        source="srivastava2017veegan",
        facts=(4,),
    ),
    Claim(
        id="modes-of-stacked-digits",
        chapter=CHAPTER,
        sentence="of the thousand numbers, 26,000 stored samples of the plain GAN show 850 to 970, of both GANs with "
        "R1 + R2 at least 975, and of diffusion at least 995; in divergence from equal shares the plain GAN has at "
        "least twice the penalised one's, and diffusion at most 0.4 times the relativistic one's.",
        bounds={
            "plain": between(850, 970),
            "penalised": at_least(975),
            "diffusion": at_least(995),
            "plain_to_penalised": at_least(2),
            "diffusion_to_relativistic": at_most(0.4),
        },
        source="huang2024gan",
        printed="relativistic with R1 + R2: 1000 modes, KL 0.0781",
        facts=(4, 11),
        stored=f"{MODULE} stacked_digits.count",
    ),
    Claim(
        id="one-rival-two-momenta",
        chapter=CHAPTER,
        sentence="at one and the same rate, 2,500 stacks of the plain GAN in the stored search show at least 20 times "
        "as many numbers with β₁ = 0.5 as with 0.75.",
        bounds={"calm_to_jerky": at_least(20)},
        source="lucic2018gans",
        facts=(4,),
        stored=f"{MODULE} stacked_digits.search",
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
        stored=f"{MODULE} stacked_digits.count",
    ),
    Claim(
        id="counts-are-not-stale",
        chapter=CHAPTER,
        sentence="1,000 stacks of each row, drawn anew, show as many numbers as its stored histogram predicts, "
        "within 55.",
        bounds={"fewest": at_least(-55), "most": at_most(55)},
        facts=(4,),
    ),
)
