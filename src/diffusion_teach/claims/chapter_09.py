"""The claims of chapter 9, fast sampling."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "09_fast_sampling"
STUDY = "python -m diffusion_teach.studies sampling.measure"

CLAIMS = (
    Claim(
        id="noise-that-nothing-takes-off",
        chapter=CHAPTER,
        sentence="on a ring with the exact ε, 20 ancestral steps of variance β bring 23 to 33 % of the points near a "
        "mode where the last step draws, 24 to 35 % where the last goes from step 1 to 0, and 77 to 85 % "
        "where the last of equal steps does not draw; quadratic steps bring 88 to 95 %.",
        bounds={
            "to_the_end": between(0.23, 0.33),
            "from_step_1": between(0.24, 0.35),
            "mended": between(0.77, 0.85),
            "quadratic": between(0.88, 0.95),
        },
        source="song2021denoising",
        printed="a Fréchet distance of 133.37 in 20 steps of variance β, and 6.84 of DDIM",
    ),
    Claim(
        id="one-noise-one-mode",
        chapter=CHAPTER,
        sentence="begun from the same noise, DDIM in 20 steps and in 1,000 end at the same mode at least 19 times of "
        "20; ancestral sampling in 20 steps hits that mode in 9 to 16 % of the cases, one of eight by luck.",
        bounds={"ddim": at_least(0.95), "ancestral": between(0.09, 0.16)},
        source="song2021denoising",
    ),
    Claim(
        id="eta-hardly-matters-here",
        chapter=CHAPTER,
        sentence="on the ring, with the exact ε and 20 steps, the shares near a mode of η = 0 and η = 1 differ by at "
        "most 6 points; the printed distances for CIFAR-10 differ by a factor of 2.7.",
        bounds={"less_at_20": between(-0.06, 0.06)},
        source="song2021denoising",
        printed="6.84 for η = 0 and 18.36 for η = 1, in 20 steps",
    ),
    Claim(
        id="better-than-real-is-too-narrow",
        chapter=CHAPTER,
        sentence="with 100 steps both have more near a mode than real points have, at least 98.9 %, and modes that "
        "are too narrow: a deviation of 0.036 to 0.0415 for η = 0 and of 0.0325 to 0.0375 for η = 1, "
        "where 0.05 is true.",
        bounds={
            "good": at_least(0.989),
            "ddim_width": between(0.036, 0.0415),
            "ancestral_width": between(0.0325, 0.0375),
        },
    ),
    Claim(
        id="orders-of-convergence",
        chapter=CHAPTER,
        sentence="against the exact flow of a Gaussian, with steps even in log-SNR from t = 0.999 to 0.001 on three "
        "schedules, the error falls with an order of 0.9 to 1.1 for DDIM, of 1.9 to 2.1 for Heun and of 1.9 "
        "to 2.1 for DPM-Solver++ (2M).",
        bounds={"ddim": between(0.9, 1.1), "heun": between(1.9, 2.1), "two_m": between(1.9, 2.1)},
        source="karras2022elucidating",
        facts=(13,),
    ),
    Claim(
        id="third-order-on-a-mixture",
        chapter=CHAPTER,
        sentence="on a mixture of three Gaussians a parabola through three answers has an order of 2.7 to 3.2 where "
        "the answers are x̂₀ and of 2.65 to 3.1 where they are ε̂; on one Gaussian it looks like 3.5 to "
        "4.5, and begun midway it has 1.7 to 2.5.",
        bounds={
            "of_x0": between(2.7, 3.2),
            "of_eps": between(2.65, 3.1),
            "on_a_gaussian": between(3.5, 4.5),
            "begun_midway": between(1.7, 2.5),
        },
        source="lu2022dpmpp",
    ),
    Claim(
        id="half-a-bend-costs-an-order",
        chapter=CHAPTER,
        sentence="with half of the parabola's bend, as a widely used library has it, the order that shows from 40 to "
        "320 steps is 2.0 to 2.45.",
        bounds={"half": between(2.0, 2.45)},
    ),
    Claim(
        id="twenty-four-evaluations",
        chapter=CHAPTER,
        sentence="at 24 evaluations on that mixture DDIM ends 2.7 to 9 times as far from the flow as 2M does, and "
        "Heun 2.6 to 8 times; the third order ends at least 1.2 times as far as 2M at 6 evaluations, and at "
        "most a fifth as far at 96.",
        bounds={
            "ddim_over_2m": between(2.7, 9),
            "heun_over_2m": between(2.6, 8),
            "third_over_2m_at_6": at_least(1.2),
            "third_over_2m_at_96": at_most(0.2),
        },
        source="lu2022dpm",
    ),
    Claim(
        id="no-grid-is-best-for-all",
        chapter=CHAPTER,
        sentence="with ten steps of DDIM, steps even in log-SNR end 1.3 to 1.9 times as far from the flow as "
        "logistic ones on three wide Gaussians, and 0.35 to 0.6 times as far on a ring of narrow ones.",
        bounds={"wide": between(1.3, 1.9), "narrow": between(0.35, 0.6)},
        facts=(13,),
    ),
    Claim(
        id="times-made-to-measure",
        chapter=CHAPTER,
        sentence="six evaluations of 2M at times made to measure end, on fresh noise, 0.3 to 0.5 times as far from "
        "the flow as the best of five grids, and 0.65 to 1.4 times as far as on the noise they were made "
        "with; borrowed for a ring they end at least 1.1 times as far as times made for the ring, whose logarithm to "
        "the base 2 is .14.",
        bounds={
            "of_the_best": between(0.3, 0.5),
            "fresh_over_seen": between(0.65, 1.4),
            "log2_borrowed_over_own": at_least(0.14),
        },
    ),
    Claim(
        id="noise-needs-more-steps",
        chapter=CHAPTER,
        sentence="on a Gaussian, with the exact ε, 20 steps without noise lose 10.5 to 14.6 % of the spread, and with "
        "noise 1.35 to 2.1 times as much.",
        bounds={"missing_flow": between(0.105, 0.146), "missing_ratio": between(1.35, 2.1)},
    ),
    Claim(
        id="noise-forgets-mistakes",
        chapter=CHAPTER,
        sentence="where ε̂ is too long by 2 % at all times, a walk without noise keeps 0.89 to 0.915 of the spread "
        "and one with all of it 0.965 to 0.995; five strengths of noise, and ε̂ too short by as much, "
        "follow the formula within 1 %.",
        bounds={"flow": between(0.89, 0.915), "ancestral": between(0.965, 0.995), "over_formula": between(0.99, 1.01)},
        source="karras2022elucidating",
    ),
    Claim(
        id="churn-is-no-cure-at-the-end",
        chapter=CHAPTER,
        sentence="with a small network on the ring and 40 steps of Heun a churn of 0.2 changes the share near a mode "
        "by −6 to 5 points; with the exact ε all churns leave 98 % there, and in 10 steps a churn of 0.4 loses 3 to "
        "12 points.",
        bounds={"learned": between(-0.06, 0.05), "exact": at_least(0.98), "exact_few": between(0.03, 0.12)},
        source="karras2022elucidating",
    ),
    Claim(
        id="this-network-goes-wrong-late",
        chapter=CHAPTER,
        sentence="where the exact ε takes over at σ/α = 0.4 from the small network, 97 % of the points are near a "
        "mode; where the network takes over from the exact ε, within 17 points as many as with the network alone.",
        bounds={"exact_end": at_least(0.97), "learned_end": between(-0.17, 0.17)},
        facts=(13,),
    ),
    Claim(
        id="a-network-s-flow-is-a-flow",
        chapter=CHAPTER,
        sentence="with the shipped digits' network, 12 evaluations of 2M end 0.27 to 0.85 times as far from the "
        "picture of 100 as DDIM's do, and doubling DDIM's evaluations brings it to 0.38 to 0.61 times its "
        "distance, in the geometric mean of digits.",
        bounds={"two_m_over_ddim": between(0.27, 0.85), "ddim_halves": between(0.38, 0.61)},
    ),
    Claim(
        id="noise-and-memory-lead",
        chapter=CHAPTER,
        sentence="of seven samplers of the shipped digits' network, the 2M that draws noise makes the digits nearest "
        "to real ones by both judges with 9 and 15 evaluations, by a tenth or more; with 5 the third order ends at "
        "most 0.8 times as far.",
        bounds={"next_over_it": at_least(1.1), "third_order_over_it_at_5": at_most(0.8)},
        source="lu2022dpmpp",
        facts=(13,),
        stored=STUDY,
    ),
    Claim(
        id="a-flow-ends-where-it-ends",
        chapter=CHAPTER,
        sentence="by the classifier, digits by 2M stay between 1.8 and 2.15 floors from real ones from 9 evaluations "
        "to 49; with 49 three other solvers without noise are as far or farther, and three with noise within 1.5.",
        bounds={"two_m": between(1.8, 2.15), "quiet": at_least(1.8), "noisy": at_most(1.5)},
        facts=(13,),
        stored=STUDY,
    ),
)
