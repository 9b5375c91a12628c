"""The claims of chapter 13b, open weights."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "13b_open_weights"

CLAIMS = (
    Claim(
        id="eight-bits-are-enough",
        chapter=CHAPTER,
        sentence="of the squared difference of two digits of a kind, weights of 16 bits move the released model's "
        "digits by at most .0005 and weights of 8 bits by at most .01; weights of 4 bits, rounded plainly, "
        "by at least .8.",
        bounds={"sixteen": at_most(5e-4), "eight": at_most(0.01), "four": at_least(0.8)},
        facts=(10,),
    ),
    Claim(
        id="a-style-with-few-weights",
        chapter=CHAPTER,
        sentence="trained for 80 steps on a hundred mosaics, changes of rank 4, with at most a twentieth of the "
        "weights, make the released model draw mosaics: with at most .25 of its unevenness, at least .8 of "
        "them legible, and at least .9 times as far from those shown as other real ones are; of the same "
        "network with fresh weights at most .3 are legible.",
        bounds={
            "share_of_weights": at_most(0.05),
            "unevenness": at_most(0.25),
            "legible": at_least(0.8),
            "from_scratch": at_most(0.3),
            "no_copies": at_least(0.9),
        },
        source="hu2022lora",
        facts=(10,),
    ),
    Claim(
        id="random-numbers-leave-a-trace",
        chapter=CHAPTER,
        sentence="before any training, a control network that begins at zero draws the released model's digits to "
        "within a millionth; with random numbers instead they differ by .002 to .2 of what two digits do, "
        "and at least .8 are legible.",
        bounds={"random": between(0.002, 0.2), "zeros": at_most(1e-6), "legible": at_least(0.8)},
        source="zhang2023adding",
        facts=(10,),
    ),
    Claim(
        id="a-drawing-is-followed",
        chapter=CHAPTER,
        sentence="after 110 steps a released network that is shown the outline of an unseen digit draws one that "
        "correlates with it by at least .48, at first by .34 to .5, and with another digit by at most .32; "
        "at least .7 are legible.",
        bounds={
            "before": between(0.34, 0.5),
            "after": at_least(0.48),
            "of_another": at_most(0.32),
            "legible": at_least(0.7),
        },
        source="zhang2023adding",
        facts=(10,),
    ),
    Claim(
        id="a-word-says-what-the-model-can",
        chapter=CHAPTER,
        sentence="64 numbers, learned from ten sevens, make the released model draw sevens in at least .6 of the "
        "cases, where without them at most .3 are; learned from the same ten as mosaics, they leave .5 to "
        "1.5 times the unevenness.",
        bounds={"sevens": at_least(0.6), "no_word": at_most(0.3), "unevenness": between(0.5, 1.5)},
        source="gal2023image",
        facts=(10,),
    ),
)
