"""The claims of chapter 4, score matching."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "04_score_matching"

CLAIMS = (
    Claim(
        id="fit-without-z",
        chapter=CHAPTER,
        sentence="from 400,000 points score matching finds the parameters 1 and −0.25 of exp(θ₁x² + θ₂x⁴) within 0.025 "
        "and 0.006, and never computes Z.",
        bounds={"theta1": between(0.975, 1.025), "theta2": between(-0.256, -0.244)},
        source="hyvarinen2007some",
        facts=(9,),
    ),
    Claim(
        id="four-objectives-one-score",
        chapter=CHAPTER,
        sentence="explicit, implicit, sliced and denoising score matching each recover the score of the mixture "
        "blurred by σ = 0.3 with a relative squared error of at most 4 %, and neither shorter than it by more than 3 % "
        "nor longer by more than 1 %.",
        bounds={"relative_error": at_most(0.04), "length": between(0.97, 1.01)},
        source="vincent2011connection",
        facts=(9,),
    ),
    Claim(
        id="ridge-and-not-bumps",
        chapter=CHAPTER,
        sentence="a good part of what the explicit objective errs by is the ridge's: with a ridge of 10⁻⁴ its "
        "relative squared error lies between 2.0 and 2.4 %, with 10⁻⁷ it is at most 1.2 %.",
        bounds={"weak_ridge": at_most(0.012), "strong_ridge": between(0.02, 0.024)},
    ),
    Claim(
        id="one-gradient",
        chapter=CHAPTER,
        sentence="for the exact score stretched by a factor, the implicit, sliced and denoising objectives are least "
        "at 1, within 0.015, and fall from 0 to 1 as far as the explicit one, within 2.5 %; denoising lies 11.1 = "
        "d/(2σ²) above implicit, within 0.1.",
        bounds={"least": between(0.985, 1.015), "fall": between(0.975, 1.025), "constant": between(11.01, 11.21)},
        source="vincent2011connection",
        facts=(9,),
    ),
    Claim(
        id="price-of-slicing",
        chapter=CHAPTER,
        sentence="in 50 dimensions, on Gaussian data with a linear model, one random direction a point makes the "
        "squared error of the implicit fit 1.85 to 2.06 times as large, four make it 1.19 to 1.29 times.",
        bounds={"one_direction": between(1.85, 2.06), "four_directions": between(1.19, 1.29)},
        source="song2019sliced",
        facts=(9,),
    ),
    Claim(
        id="tweedie-denoises",
        chapter=CHAPTER,
        sentence="of all multiples of the exact score, σ² times it, within 2 %, lands closest to the clean points.",
        bounds={"best_multiple": between(0.98, 1.02)},
        source="efron2011tweedie",
        facts=(9,),
    ),
    Claim(
        id="price-of-denoising",
        chapter=CHAPTER,
        sentence="on the same points, the denoising objective's error is at least 35 times the implicit one's at "
        "σ = 0.01, and at most 0.25 times at σ = 0.6; from σ = 0.02 to 0.01 it grows 3.7 to 4.2 times.",
        bounds={"smallest_level": at_least(35), "largest_level": at_most(0.25), "halving": between(3.7, 4.2)},
        facts=(9,),
    ),
    Claim(
        id="loss-reaches-its-floor",
        chapter=CHAPTER,
        sentence="after training, the loss on unseen points exceeds the exact denoiser's by at most 0.8 %.",
        bounds={"excess": at_most(0.008)},
        facts=(9, 11),
    ),
    Claim(
        id="learned-score-fields",
        chapter=CHAPTER,
        sentence="one batched network learns the scores of a mixture, two moons and a swiss roll; at σ = 0.3, 0.5 and "
        "1 its relative squared error is at most 2 %.",
        bounds={"relative_error": at_most(0.02)},
        source="vincent2011connection",
        facts=(9,),
    ),
    Claim(
        id="slopes-make-points",
        chapter=CHAPTER,
        sentence="of the points that the learned score makes from noise, 4 to 10 % lie where 5 % of the data do, at "
        "the lowest densities.",
        bounds={"stray": between(0.04, 0.1)},
        facts=(9,),
    ),
    Claim(
        id="blind-to-weights",
        chapter=CHAPTER,
        sentence="with two modes ten standard deviations apart, swapping weights .2 and .8 moves the KL divergence by "
        "0.832 nats and the Fisher divergence by 1.0 to 1.1 · 10⁻⁵; blurred by σ = 5, the latter by 0.0102 to 0.0103.",
        bounds={
            "fisher": between(1.0e-5, 1.1e-5),
            "kl": between(0.8315, 0.8325),
            "blurred": between(0.0102, 0.0103),
        },
        source="song2019generative",
        facts=(9,),
    ),
    Claim(
        id="noise-levels-restore-weights",
        chapter=CHAPTER,
        sentence="walking through all noise levels with the exact score gives the small mode its weight of .2, "
        "within .006.",
        bounds={"small_mode": between(0.194, 0.206)},
        source="song2019generative",
        facts=(2, 9),
    ),
)
