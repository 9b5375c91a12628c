"""The claims of chapter 12, hybrids."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "12_hybrids"
STUDY = "python -m diffusion_teach.studies scoreboard.measure"

CLAIMS = (
    Claim(
        id="four-gaussian-steps-miss",
        chapter=CHAPTER,
        sentence="on a ring of eight, with the exact mean of x₀, four ancestral steps bring at most 5 % of the points "
        "within three deviations of a mode, fewer than lie there on a circle that knows of no modes (33 "
        "to 44 %), and four of the flow's at most as many; eight bring 37 to 50 %, and sixty-four at least 99 %.",
        bounds={
            "four": at_most(0.05),
            "eight": between(0.37, 0.50),
            "sixty_four": at_least(0.99),
            "by_flow": at_most(0.05),
            "circle": between(0.33, 0.44),
        },
        source="xiao2022tackling",
        facts=(12,),
    ),
    Claim(
        id="a-long-step-back-is-no-gaussian",
        chapter=CHAPTER,
        sentence="for data at ±1 with a deviation of 0.1, on VP(0.1, 20) at equal times, the last step back of four "
        "lies 1.27 to 1.30 nats from the best Gaussian, the only step there is 1.60 to 1.63, and all of "
        "sixteen steps together 0.09 to 0.12; with a deviation of 0.3 the last of four lies 0.37 to 0.39 from "
        "it.",
        bounds={
            "last_of_four": between(1.27, 1.30),
            "only": between(1.60, 1.63),
            "sixteen": between(0.09, 0.12),
            "wider_data": between(0.37, 0.39),
        },
        source="xiao2022tackling",
        facts=(12,),
    ),
    Claim(
        id="a-step-with-noise-of-its-own",
        chapter=CHAPTER,
        sentence="on the same data four steps of a denoising diffusion GAN bring at least 75 % of the points within "
        "three deviations of a hump, a mean of four trainings; four best Gaussians 44 to 51 %, a uniform law "
        "that knows of no humps 42 to 51 %; of each training 20 to 85 % of the points lie on the right. In "
        "the last step pairs lie on one side of 0 as often as true ones, less at most 4.5 % of all.",
        bounds={
            "ddgan": at_least(0.75),
            "gaussians": between(0.44, 0.51),
            "blind": between(0.42, 0.51),
            "same_side": between(-0.045, 0.005),
            "right_side": between(0.20, 0.85),
        },
        source="xiao2022tackling",
        facts=(12,),
    ),
    Claim(
        id="one-step-for-sixteen",
        chapter=CHAPTER,
        sentence="taught by sixteen exact steps of the flow, two in one four times over, a network leads noise in one "
        "step to within 0.20 to 0.30 of where the flow leads, a root mean square; its teacher to within 0.08; "
        "one exact step is off by 0.97 to 1.03, and so is who answers 0.",
        bounds={
            "one_step": between(0.20, 0.30),
            "teacher": at_most(0.08),
            "untaught": between(0.97, 1.03),
            "knows_nothing": between(0.97, 1.03),
        },
        source="salimans2022progressive",
        facts=(12,),
    ),
    Claim(
        id="truth-enters-at-the-boundary",
        chapter=CHAPTER,
        sentence="a consistency model is off by 0.22 to 0.38 in one step; without its boundary its loss is at most a "
        "tenth, its answers to all noise spread by at most 0.06, and it is off by 0.9 to 1.12, as who answers "
        "0 is.",
        bounds={
            "consistent": between(0.22, 0.38),
            "loose_loss": at_most(0.1),
            "loose_spread": at_most(0.06),
            "loose": between(0.9, 1.12),
        },
        source="song2023consistency",
        facts=(12,),
    ),
    Claim(
        id="matching-needs-ones-own-score",
        chapter=CHAPTER,
        sentence="a generator of one step that follows the data's score less its own comes within two and a half "
        "deviations of a mode with at least 80 % of its points, where one Gaussian of the data's shape has 45 "
        "to 56 %; its shares of three unequal modes are right within 0.08, its spread within a tenth. One "
        "that follows the data's score alone ends with less than 0.03 of the spread.",
        bounds={
            "inside": at_least(0.80),
            "one_gaussian": between(0.45, 0.56),
            "shares": between(-0.08, 0.08),
            "spread": between(0.9, 1.1),
            "alone": at_most(0.03),
        },
        source="yin2024onestep",
        facts=(12,),
    ),
    Claim(
        id="one-follows-the-way",
        chapter=CHAPTER,
        sentence="from the same noise, the mean square distance of the consistency model's digits from where its "
        "teacher's flow leads is 5 to 16 % of that between two of the flow's ends; of the adversarial student's 26 "
        "to 55 %, of the mean picture 44 to 56 %. The classifier sees the flow's digit in at least 62 % of the first, "
        "in 30 to 82 % of the second, in at most 30 % of the last.",
        bounds={
            "consistency": between(0.05, 0.16),
            "adversarial": between(0.26, 0.55),
            "mean_picture": between(0.44, 0.56),
            "same_consistency": at_least(0.62),
            "same_adversarial": between(0.30, 0.82),
            "same_mean": at_most(0.30),
        },
        source="song2023consistency",
        facts=(12,),
    ),
    Claim(
        id="judges-part-over-one-call",
        chapter=CHAPTER,
        sentence="of digits in one call the adversarial student's are 0.5 to 0.9 times as far from real ones as the "
        "shipped RpGAN's by the classifier, and 1.4 to 2.3 times by the encoder; its coverage is 1.02 to 1.15 "
        "times the RpGAN's by both.",
        bounds={
            "by_classifier": between(0.5, 0.9),
            "by_encoder": between(1.4, 2.3),
            "coverage": between(1.02, 1.15),
        },
        source="sauer2024adversarial",
        facts=(12,),
        stored=STUDY,
    ),
    Claim(
        id="ten-calls-still-lead",
        chapter=CHAPTER,
        sentence="of the generators of digits that draw in one call or two the nearest to real ones is, by each judge, "
        "at least 1.3 times as far from them as the diffusion model in ten.",
        bounds={"distance": at_least(1.3)},
        facts=(12,),
        stored=STUDY,
    ),
    Claim(
        id="four-steps-that-have-played",
        chapter=CHAPTER,
        sentence="in four calls the digits of a denoising GAN lie nearer to real ones than those of the means that its "
        "generator began with, which lie at least 3.4 times as far off, by both judges; the diffusion model's by SDE "
        "2M lie 0.75 to 1.4 times as far off as the GAN's.",
        bounds={"before": at_least(3.4), "diffusion": between(0.75, 1.4)},
        source="xiao2022tackling",
        facts=(12,),
        stored="python -m diffusion_teach.studies denoising_gan.measure",
    ),
)
