"""The claims of chapter 3, the paper of 2015."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "03_nonequilibrium"
PAPER = "sohldickstein2015deep"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="heartbeat-needs-many-steps",
        chapter=CHAPTER,
        sentence="the best factorised way back reaches −14.439 bits a heartbeat in one step, as independent bits do, "
        "−2.371 in a hundred; with a forward step at the end −3.280 in a hundred and −2.391 in two thousand, and "
        "−2.368 with the paper's own coins.",
        bounds={
            "one_step": between(-14.4386, -14.4385),
            "hundred_steps": between(-2.3715, -2.3714),
            "forward_100_steps": between(-3.2799, -3.2797),
            "forward_2000_steps": between(-2.3915, -2.3914),
            "paper_2000_steps": between(-2.3684, -2.3683),
        },
        source=PAPER,
        facts=(1, 5),
        printed="−2.414 bits; truth −2.322",
    ),
    Claim(
        id="heartbeat-learned-bound",
        chapter=CHAPTER,
        sentence="a small network's bound K on heartbeats at T = 100 lies between −2.45 and −2.371 bits, "
        "which is the best that factorised steps can do.",
        bounds={"bits": between(-2.45, -2.371)},
        source=PAPER,
        facts=(1,),
        printed="−2.414 bits; truth −2.322",
    ),
    Claim(
        id="heartbeats-from-coins",
        chapter=CHAPTER,
        sentence="walked back from fair coins, at least 97 % of the sequences are heartbeats, and the log-likelihood, "
        "counted, is above −2.37 bits: above the best bound.",
        bounds={"heartbeats": at_least(0.97), "counted_bits": between(-2.37, -2.321)},
        source=PAPER,
        facts=(5,),
    ),
    Claim(
        id="swiss-roll-bound",
        chapter=CHAPTER,
        sentence="on a swiss roll of thickness .01 the bound rises by at least a quarter of a bit from 5 to 10, 20, 40 "
        "and 320 steps, and at T = 320 K − L_null is at least 4 bits and not above the data's own 5.11.",
        bounds={"least_rise": at_least(0.25), "last": between(4.0, 5.11)},
        source=PAPER,
        facts=(1,),
        printed="6.45 bits, for the paper's own roll",
    ),
    Claim(
        id="inpainting-keeps-the-known",
        chapter=CHAPTER,
        sentence="completing the lower half of a digit leaves its upper half as it was, to the last bit, and a "
        "classifier then reads the right label at least 3 points more often than before, and at most 6 points less "
        "often where the known half is put in clean than where it is noised.",
        bounds={"changed": at_most(0.0), "points": at_least(3), "clean_over_noised": at_least(-6)},
        source=PAPER,
        facts=(1,),
    ),
    Claim(
        id="completions-differ",
        chapter=CHAPTER,
        sentence="completions of one upper half differ from each other at least a quarter as much as the lower halves "
        "of different digits do.",
        bounds={"relative_distance": at_least(0.25)},
        source=PAPER,
    ),
    Claim(
        id="replacement-is-not-exact",
        chapter=CHAPTER,
        sentence="of the shift that a known value demands of its partner, putting it in delivers between 0.76 and 0.82 "
        "clean, between 0.64 and 0.70 noised, and between 0.94 and 0.98 where each step is walked ten times; the "
        "variance is at least 1.3 times the right one when noised, and 0.65 to 0.82 of it with ten walks.",
        bounds={
            "clean": between(0.76, 0.82),
            "noised": between(0.64, 0.70),
            "ten_times": between(0.94, 0.98),
            "too_wide": at_least(1.3),
            "too_narrow": between(0.65, 0.82),
        },
        source="lugmayr2022repaint",
    ),
    Claim(
        id="parzen-perfect-model",
        chapter=CHAPTER,
        sentence="ten thousand real digits as samples score within an eighth of the 349 bits that the paper prints for "
        "a perfect model.",
        bounds={"bits": between(306, 392)},
        source=PAPER,
        facts=(4,),
        printed="349 ± 3.3 bits",
    ),
    Claim(
        id="parzen-prefers-centroids",
        chapter=CHAPTER,
        sentence="a thousand k-means centroids score at least 10 nats above ten thousand real digits.",
        bounds={"nats": at_least(10)},
        source="theis2016note",
        facts=(4,),
    ),
    Claim(
        id="parzen-depends-on-the-count",
        chapter=CHAPTER,
        sentence="real digits gain at least 100 nats when ten thousand of them are counted in place of a thousand.",
        bounds={"nats": at_least(100)},
        source="theis2016note",
    ),
    Claim(
        id="parzen-misranks",
        chapter=CHAPTER,
        sentence="with five hundred samples each, a diffusion model in ten steps scores above real digits.",
        bounds={"nats": at_least(0)},
        source="theis2016note",
        facts=(4,),
    ),
)
