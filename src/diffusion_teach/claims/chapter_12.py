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
        "within three deviations of a mode, fewer than lie there on a circle that knows of no modes; eight bring "
        "37 to 50 %, and sixty-four at least 98.5 %.",
        bounds={
            "four": at_most(0.05),
            "eight": between(0.37, 0.50),
            "sixty_four": at_least(0.985),
            "circle": between(0.3, 0.45),
        },
        source="xiao2022tackling",
        facts=(12,),
    ),
    Claim(
        id="a-long-step-back-is-no-gaussian",
        chapter=CHAPTER,
        sentence="for data at ±1 with a deviation of 0.1, on VP(0.1, 20) at equal times, the last step back of four "
        "lies 1.27 to 1.30 nats from the best Gaussian, the only step there is 1.60 to 1.63, and all of sixteen "
        "steps together 0.09 to 0.12; with a deviation of 0.3 the last of four lies 0.37 to 0.39 from it.",
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
        sentence="TODO",
        bounds={
            "ddgan": at_least(0.7),
            "gaussians": at_most(0.6),
            "blind": between(0.42, 0.5),
            "right_side": between(0.3, 0.7),
        },
        source="xiao2022tackling",
        facts=(12,),
    ),
    Claim(
        id="two-steps-in-one",
        chapter=CHAPTER,
        sentence="TODO",
        bounds={
            "teacher": at_most(0.1),
            "one_step": at_most(0.4),
            "untaught": between(0.9, 1.1),
            "knows_nothing": between(0.9, 1.1),
        },
        source="salimans2022progressive",
        facts=(12,),
    ),
    Claim(
        id="truth-enters-at-the-boundary",
        chapter=CHAPTER,
        sentence="TODO",
        bounds={
            "consistent": at_most(0.45),
            "loose": between(0.9, 1.3),
            "loose_loss": at_most(0.3),
            "loose_spread": at_most(0.3),
            "on_a_hump": at_least(0.4),
            "in_two_steps": at_least(0.4),
        },
        source="song2023consistency",
        facts=(12,),
    ),
    Claim(
        id="matching-needs-ones-own-score",
        chapter=CHAPTER,
        sentence="TODO",
        bounds={
            "modes": at_least(7),
            "near": at_least(0.3),
            "circle": between(0.3, 0.45),
            "spread": between(0.6, 1.1),
            "alone": at_most(0.1),
        },
        source="yin2024onestep",
        facts=(12,),
    ),
    Claim(
        id="one-follows-the-way",
        chapter=CHAPTER,
        sentence="TODO",
        bounds={"consistency": at_most(0.6), "adversarial": at_least(0.6)},
        source="song2023consistency",
        facts=(12,),
    ),
)
