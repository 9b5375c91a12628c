"""The claims of chapter 4, score matching."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "04_score_matching"

CLAIMS = (
    Claim(
        id="fit-without-z",
        chapter=CHAPTER,
        sentence="score matching finds both parameters of exp(θ₁x² + θ₂x⁴) within 0.05 and 0.02, and never computes Z.",
        bounds={"theta1_error": at_most(0.05), "theta2_error": at_most(0.02)},
        source="hyvarinen2005estimation",
        facts=(9,),
    ),
    Claim(
        id="four-objectives-one-score",
        chapter=CHAPTER,
        sentence="explicit, implicit, sliced and denoising score matching each recover the score of the mixture "
        "blurred by σ = 0.3, with a relative squared error of at most 5 %.",
        bounds={"relative_error": at_most(0.05)},
        source="vincent2011connection",
        facts=(9,),
    ),
    Claim(
        id="one-gradient",
        chapter=CHAPTER,
        sentence="the gradients of the implicit, sliced and denoising objectives differ from the explicit one's by "
        "at most 20 % of its length.",
        bounds={"relative_difference": at_most(0.2)},
        source="vincent2011connection",
        facts=(9,),
    ),
    Claim(
        id="cost-of-the-trace",
        chapter=CHAPTER,
        sentence="in 50 dimensions the implicit objective takes 50 backward passes to state, "
        "the sliced one 1, the denoising one none.",
        bounds={
            "implicit_passes": between(50, 50),
            "sliced_passes": between(1, 1),
            "denoising_passes": between(0, 0),
        },
        source="song2019sliced",
        facts=(9,),
    ),
    Claim(
        id="price-of-denoising",
        chapter=CHAPTER,
        sentence="with the same points, the denoising objective's error is at least 5 times the implicit one's at "
        "σ = 0.01, and at most 0.6 times at σ = 0.6.",
        bounds={"smallest_level": at_least(5), "largest_level": at_most(0.6)},
        facts=(9,),
    ),
    Claim(
        id="loss-reaches-its-floor",
        chapter=CHAPTER,
        sentence="at the end of training the loss is within 5 % of the exact denoiser's.",
        bounds={"loss_over_floor": between(0.95, 1.05)},
        facts=(9, 11),
    ),
    Claim(
        id="learned-score-fields",
        chapter=CHAPTER,
        sentence="one batched network learns the scores of a mixture, two moons and a swiss roll; at σ = 0.3, 0.5 and "
        "1 its relative squared error is at most 4 %.",
        bounds={"relative_error": at_most(0.04)},
        source="vincent2011connection",
        facts=(9,),
    ),
    Claim(
        id="tweedie-denoises",
        chapter=CHAPTER,
        sentence="stepping along the exact score by σ² lands on the mean of the clean points, "
        "and no other multiple of the score denoises better.",
        bounds={"gap": at_most(1e-3), "best_multiple": between(0.95, 1.05)},
        facts=(9,),
    ),
    Claim(
        id="blind-to-weights",
        chapter=CHAPTER,
        sentence="with two modes ten standard deviations apart, swapping weights .2 and .8 moves the Fisher divergence "
        "by less than 0.0001, the KL divergence by more than 0.8 nats.",
        bounds={"fisher": at_most(1e-4), "kl": at_least(0.8)},
        source="song2019generative",
        facts=(9,),
    ),
    Claim(
        id="noise-levels-restore-weights",
        chapter=CHAPTER,
        sentence="walking through all noise levels with the exact score gives the small mode its weight of .2, "
        "within .04.",
        bounds={"small_mode": between(0.16, 0.24)},
        source="song2019generative",
        facts=(2, 9),
    ),
)
