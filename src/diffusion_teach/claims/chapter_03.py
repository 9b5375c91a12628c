"""The claims of chapter 3, the paper of 2015."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "03_nonequilibrium"
PAPER = "sohldickstein2015deep"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="heartbeat-needs-many-steps",
        chapter=CHAPTER,
        sentence="the best factorised way back reaches −2.371 bits a heartbeat in a hundred steps, and misses between "
        "2.00 and 2.05 times as much of the truth in fifty. With a forward step at the end it reaches −3.280 in a "
        "hundred and −2.391 in two thousand, and it takes between 1,300 and 1,350 to be as good as those fifty. With "
        "the paper's own coins two thousand reach −2.368.",
        bounds={
            "hundred_steps": between(-2.3715, -2.3714),
            "halving": between(2, 2.05),
            "forward_100_steps": between(-3.2799, -3.2797),
            "forward_2000_steps": between(-2.3915, -2.3914),
            "fifty_between": at_least(0),
            "paper_2000_steps": between(-2.3684, -2.3683),
        },
        source=PAPER,
        facts=(1, 5),
        printed="−2.414 bits; truth −2.322",
    ),
    Claim(
        id="heartbeat-learned-bound",
        chapter=CHAPTER,
        sentence="a small network's bound K on heartbeats at T = 100 lies between −2.425 and −2.395 bits, below the "
        "−2.371 of the best factorised steps, which drawn heartbeats confirm to within .05 bits.",
        bounds={"bits": between(-2.425, -2.395), "luck": between(-0.05, 0.05)},
        source=PAPER,
        facts=(1,),
        printed="−2.414 bits; truth −2.322",
    ),
    Claim(
        id="heartbeats-from-coins",
        chapter=CHAPTER,
        sentence="walked back from fair coins, at least 99.7 % of the sequences are heartbeats, and the "
        "log-likelihood, counted, is at least −2.33 bits, above the best bound of −2.371.",
        bounds={"heartbeats": at_least(0.997), "counted_bits": at_least(-2.33)},
        source=PAPER,
        facts=(5,),
    ),
    Claim(
        id="swiss-roll-bound",
        chapter=CHAPTER,
        sentence="on a swiss roll of thickness .01 K − L_null is between .87 and 1.09 bits in 5 steps, rises by at "
        "least .35 from there to 10, 20, 40 and 320, and is then between 4.15 and 4.95, below the most that the data "
        "allow, between 5.07 and 5.15.",
        bounds={
            "first": between(0.87, 1.09),
            "least_rise": at_least(0.35),
            "last": between(4.15, 4.95),
            "ceiling": between(5.07, 5.15),
        },
        source=PAPER,
        facts=(1,),
        printed="6.45 bits, for the paper's own roll",
    ),
    Claim(
        id="inpainting-keeps-the-known",
        chapter=CHAPTER,
        sentence="of digits whose upper half is kept and whose lower half is completed, a classifier reads the right "
        "label at least 15 points more often than of the upper half alone where the known half is put in clean, and "
        "there at least 8 points more often than where it is put in noised.",
        bounds={"points": at_least(15), "clean_over_noised": at_least(8)},
        source=PAPER,
        facts=(1,),
    ),
    Claim(
        id="completions-differ",
        chapter=CHAPTER,
        sentence="completions of one upper half differ from each other between half and nine tenths as much as the "
        "lower halves of different digits do.",
        bounds={"relative_distance": between(0.5, 0.9)},
        source=PAPER,
    ),
    Claim(
        id="replacement-is-not-exact",
        chapter=CHAPTER,
        sentence="of the shift that a known value demands of its partner, putting it in delivers between .78 and .80 "
        "clean, between .66 and .682 noised, and between .95 and .97 where each step is walked ten times; the "
        "variance is between 1.37 and 1.46, 1.38 and 1.51, and .71 and .755 of the right one.",
        bounds={
            "clean": between(0.78, 0.8),
            "noised": between(0.66, 0.682),
            "ten_times": between(0.95, 0.97),
            "clean_variance": between(1.37, 1.46),
            "noised_variance": between(1.38, 1.51),
            "ten_times_variance": between(0.71, 0.755),
        },
        source="lugmayr2022repaint",
    ),
    Claim(
        id="parzen-perfect-model",
        chapter=CHAPTER,
        sentence="ten thousand real digits as samples score between 305 and 393 bits, within an eighth of the 349 that "
        "the paper prints for a perfect model.",
        bounds={"bits": between(305, 393)},
        source=PAPER,
        facts=(4,),
        printed="349 ± 3.3 bits",
    ),
    Claim(
        id="parzen-prefers-centroids",
        chapter=CHAPTER,
        sentence="a thousand k-means centroids, of which at most 20 are digits with a cluster of their own, score at "
        "least 15 nats above ten thousand real digits.",
        bounds={"nats": at_least(15), "digits": at_most(20)},
        source="theis2016note",
        facts=(4,),
    ),
    Claim(
        id="parzen-depends-on-the-count",
        chapter=CHAPTER,
        sentence="real digits gain between 100 and 140 nats when ten thousand of them are counted in place of a "
        "thousand.",
        bounds={"nats": between(100, 140)},
        source="theis2016note",
    ),
    Claim(
        id="parzen-misranks",
        chapter=CHAPTER,
        sentence="with five hundred samples each, a diffusion model in three steps scores at least 15 nats above real "
        "digits and at least 10 above itself in fifteen steps, though its Fréchet distance by the encoder is then at "
        "least five times as large.",
        bounds={"over_real": at_least(15), "over_itself": at_least(10), "frechet_ratio": at_least(5)},
        source="theis2016note",
        facts=(4,),
    ),
)
