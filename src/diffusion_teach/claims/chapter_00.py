"""The claims of chapter 0, ink."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "00_ink"

CLAIMS = (
    Claim(
        id="walkers-follow-the-heat-equation",
        chapter=CHAPTER,
        sentence="four hundred thousand dots that walk at random, step by step, stand in the cells of the glass as the "
        "solved heat equation says: the misfit of a cell, its mean over four times, is within 12 % of what counting "
        "by chance gives.",
        bounds={"misfit": between(0.88, 1.12)},
        source="einstein1905uber",
        facts=(5,),
    ),
    Claim(
        id="unmixing-explodes",
        chapter=CHAPTER,
        sentence="run backwards, the heat equation turns the counting noise of a million dots into errors of 10^19.5 "
        "to 10^21.5 times the drop's own size; even a perfect count, rounded by the computer, misses it by ten "
        "thousand times its size or more.",
        bounds={"log10_counted": between(19.5, 21.5), "log10_perfect": at_least(4)},
        source="rissanen2023generative",
        facts=(5,),
    ),
    Claim(
        id="score-brings-the-ink-back",
        chapter=CHAPTER,
        sentence="of dots spread evenly in the glass and walked back along the score of the solved ink, 95.9 to 97.4 % "
        "end on its thread (of the drop itself 97 % lie there), no further from a fresh drop than 1.6 times what "
        "two drops differ by; without the score at most 14 % end there, and of a drop that still shows the curl "
        "a little more staggering takes a tenth of all dots, or more, off the thread.",
        bounds={
            "with_score": between(0.959, 0.974),
            "without_score": at_most(0.14),
            "lost_by_walking_on": at_least(0.1),
            "distance_over_floor": at_most(1.6),
        },
        source="anderson1982reverse",
        facts=(5,),
    ),
    Claim(
        id="pixels-do-not-mix",
        chapter=CHAPTER,
        sentence="the mean of two thousand noised copies of a digit, divided by α, is the digit but for what chance "
        "leaves of two thousand noises, to within 11 % of that; a blurred digit differs from it by 42.5 to 43.5 % "
        "of its size.",
        bounds={"noised": between(0.89, 1.11), "blurred": between(0.425, 0.435)},
        facts=(5,),
    ),
    Claim(
        id="digits-are-wide-and-narrow",
        chapter=CHAPTER,
        sentence="of the 784 principal directions of the digits, between 37 and 39 have a variance above that of the "
        "noise, 1, and between 630 and 645 one below a tenth of it.",
        bounds={"wider": between(37, 39), "narrow": between(630, 645)},
        facts=(5,),
    ),
    Claim(
        id="noising-follows-fokker-planck",
        chapter=CHAPTER,
        sentence="two hundred thousand numbers, noised in a thousand small steps, fall into bins as the solved "
        "Fokker–Planck equation says: the misfit of a bin, its mean over four moments, is between 0.5 and 1.6 times "
        "what chance gives.",
        bounds={"misfit": between(0.5, 1.6)},
        source="song2021score",
        facts=(5,),
    ),
    Claim(
        id="noising-may-lose-entropy",
        chapter=CHAPTER,
        sentence="under the noising process the KL divergence to N(0, 1) and the information about x₀ fall from each "
        "time to the next for three kinds of data; entropy rises for one kind, rises to 1.97 nats and falls again for "
        "the second, and for N(0, 2²) falls from 2.112 nats; all three end between 1.4185 and 1.4195.",
        bounds={
            "kl_falls": at_least(0),
            "information_falls": at_least(0),
            "entropy_before": between(2.1115, 2.1125),
            "all_ends": between(1.4185, 1.4195),
            "narrow_rises": at_least(0),
            "distant_peak": between(1.97, 1.975),
        },
        facts=(5,),
    ),
    Claim(
        id="ink-only-gains-entropy",
        chapter=CHAPTER,
        sentence="under the heat equation the entropy of the ink rises from each time to the next, up to that of "
        "evenly grey water, within 0.0001 nats.",
        bounds={"smallest_rise": at_least(0), "missing_at_the_end": between(-1e-4, 1e-4)},
        facts=(5,),
    ),
    Claim(
        id="the-score-sets-the-pace",
        chapter=CHAPTER,
        sentence="the KL divergence falls at the rate ½g²·E(score + x)², to a hundred-thousandth of it, at every time "
        "and for all three kinds of data.",
        bounds={"relative_error": at_most(1e-5)},
        facts=(5,),
    ),
    Claim(
        id="noise-becomes-data",
        chapter=CHAPTER,
        sentence="walked back along the exact score of two bumps, noise becomes those bumps: ten thousand numbers, "
        "which as noise miss the bins of the data by 2,000 times what chance gives or more, come to miss them by 2.3 "
        "times that at most.",
        bounds={"noise": at_least(2000), "samples": at_most(2.3)},
        source="anderson1982reverse",
        facts=(5,),
    ),
    Claim(
        id="exact-score-gives-back-its-data",
        chapter=CHAPTER,
        sentence="walked back along the exact score of forty digits, noise becomes those forty: two hundred steps "
        "before the end 64 walkers lie where these digits lie, faded, under just the noise of that step (at a "
        "distance of σ·√784 from the nearest, on average to 1.5 %), and 23 different digits or more are among them.",
        bounds={"noise_left": between(0.985, 1.015), "kinds": at_least(23)},
        facts=(5,),
    ),
)
