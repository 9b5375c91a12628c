"""The claims of chapter 0, ink."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "00_ink"

CLAIMS = (
    Claim(
        id="walkers-follow-the-heat-equation",
        chapter=CHAPTER,
        sentence="a hundred thousand dots that walk at random, step by step, stand in the cells of the glass as the "
        "solved heat equation says: at four times the misfit of a cell is within a quarter of what counting "
        "by chance gives.",
        bounds={"misfit": between(0.75, 1.25)},
        source="einstein1905uber",
        facts=(5,),
    ),
    Claim(
        id="unmixing-explodes",
        chapter=CHAPTER,
        sentence="run backwards, the heat equation turns the counting noise of a million dots into errors a billion "
        "billion times as large as the drop; even a perfect count, rounded by the computer, misses it by a "
        "thousand times its size or more.",
        bounds={"log10_counted": at_least(18), "log10_perfect": at_least(3)},
        source="rissanen2023generative",
        facts=(5,),
    ),
    Claim(
        id="score-brings-the-ink-back",
        chapter=CHAPTER,
        sentence="dots spread evenly in the glass and walked back along the score of the solved ink end on its thread, "
        "at least 90 % of them, and no further from a fresh drop than 3 times what two drops differ by; "
        "without the score at most 20 % end there, and dots that still show the curl leave it.",
        bounds={
            "with_score": at_least(0.9),
            "without_score": at_most(0.2),
            "lost_by_walking_on": at_least(0.07),
            "distance_over_floor": at_most(3),
        },
        source="anderson1982reverse",
        facts=(5,),
    ),
    Claim(
        id="pixels-do-not-mix",
        chapter=CHAPTER,
        sentence="the mean of two thousand noised copies of a digit, divided by α, is the digit, to within 5 % of its "
        "size; a blurred digit differs from it by at least 20 %.",
        bounds={"noised": at_most(0.05), "blurred": at_least(0.2)},
        facts=(5,),
    ),
    Claim(
        id="digits-are-wide-and-narrow",
        chapter=CHAPTER,
        sentence="of the 784 principal directions of the digits, between 20 and 60 have a variance above that of the "
        "noise, 1, and at least 500 one below a tenth of it.",
        bounds={"wider": between(20, 60), "narrow": at_least(500)},
        facts=(5,),
    ),
    Claim(
        id="noising-follows-fokker-planck",
        chapter=CHAPTER,
        sentence="a hundred thousand points, noised in a thousand small steps, fall into bins as the solved "
        "Fokker–Planck equation says: the misfit of a bin, over four moments, is within half of what chance "
        "gives; the solution differs from the exact density by at most 1 % of its peak.",
        bounds={"misfit": between(0.5, 1.5), "solver_error": at_most(0.01)},
        source="song2021score",
        facts=(5,),
    ),
    Claim(
        id="ink-only-gains-entropy",
        chapter=CHAPTER,
        sentence="under the heat equation the entropy of the ink rises from each time to the next, up to that of "
        "evenly grey water, within 0.001 nats.",
        bounds={"smallest_rise": at_least(0), "missing_at_the_end": between(0, 0.001)},
        facts=(5,),
    ),
    Claim(
        id="noising-may-lose-entropy",
        chapter=CHAPTER,
        sentence="under the noising process the KL divergence to N(0, 1) and the information about x₀ fall from each "
        "time to the next for three kinds of data; entropy rises for one kind, rises above 1.9 nats for the "
        "second, and for N(0, 2²) falls from 2.11 nats; all three end at 1.42.",
        bounds={
            "kl_falls": at_least(0),
            "information_falls": at_least(0),
            "entropy_before": between(2.11, 2.115),
            "all_ends": between(1.415, 1.42),
            "narrow_rises": at_least(0),
            "distant_peak": at_least(1.9),
        },
        facts=(5,),
    ),
    Claim(
        id="the-score-sets-the-pace",
        chapter=CHAPTER,
        sentence="the KL divergence falls at the rate ½g²·E(score + x)², to 0.1 %, at every time and for all three "
        "kinds of data.",
        bounds={"relative_error": at_most(1e-3)},
        facts=(5,),
    ),
    Claim(
        id="noise-becomes-data",
        chapter=CHAPTER,
        sentence="walked back along the exact score of two bumps, noise becomes those bumps: the Wasserstein distance "
        "of 5,000 numbers from as many data falls from at least 15 times to at most 5 times that of two "
        "samples of the data.",
        bounds={"noise_over_floor": at_least(15), "samples_over_floor": at_most(5)},
        source="anderson1982reverse",
        facts=(5,),
    ),
    Claim(
        id="exact-score-gives-back-its-data",
        chapter=CHAPTER,
        sentence="walked back along the exact score of forty digits, noise becomes digits of those forty, at least ten "
        "different ones, and no other: every sample is one of them to within half a step of grey.",
        bounds={"grey_steps": at_most(0.5), "kinds": between(10, 40)},
        facts=(5,),
    ),
)
