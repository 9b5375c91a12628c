"""The claims of chapter 12, hybrids."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "12_hybrids"

CLAIMS = (
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
        id="four-gaussian-steps-miss",
        chapter=CHAPTER,
        sentence="on a ring of eight, with the exact mean of x₀, four ancestral steps bring at most 5 % of the points "
        "within three deviations of a mode, eight bring 37 to 50 %, and sixty-four at least 98.5 %.",
        bounds={"four": at_most(0.05), "eight": between(0.37, 0.50), "sixty_four": at_least(0.985)},
        facts=(12,),
    ),
    Claim(
        id="matching-needs-the-score-of-the-samples",
        chapter=CHAPTER,
        sentence="with exact scores, a generator of one step that follows the data's score less its own samples' "
        "reaches at least 7 of 8 modes of a ring and spreads as the data do, within a tenth; one that "
        "follows the data's score alone ends at a point, with less than 5 % of the spread.",
        bounds={"modes": at_least(7), "spread": between(0.9, 1.1), "alone": at_most(0.05)},
        source="yin2024improved",
        facts=(12,),
    ),
)
