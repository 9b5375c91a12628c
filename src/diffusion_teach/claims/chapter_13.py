"""The claims of chapter 13, latent diffusion."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "13_latent_diffusion"
TERMS = "python -m diffusion_teach.studies canvas_codes.terms"
OBEDIENCE = "python -m diffusion_teach.studies canvas_codes.obedience"

CLAIMS = (
    Claim(
        id="canvases-are-read-back",
        chapter=CHAPTER,
        sentence="of fresh canvases of one digit the reader names at least 91 % right, and each measure reads its "
        "field in at least 95 %; all together are right in at least 88 %, and a neighbour's sentence is taken for "
        "obeyed in at most 5 %.",
        bounds={
            "digit": at_least(0.91),
            "measures": at_least(0.95),
            "whole": at_least(0.88),
            "of_another": at_most(0.05),
        },
    ),
    Claim(
        id="folding-costs-what-a-latent-costs",
        chapter=CHAPTER,
        sentence="at equal width pixels of 64 × 64 in blocks of 4 × 4 cost 1 to 1.07 times the multiplications of a "
        "latent of 16 × 16 × 4, and pixels as they are 19.5 to 21.5 times.",
        bounds={"folded": between(1.0, 1.07), "whole": between(19.5, 21.5)},
        source="rombach2022high",
        facts=(10,),
    ),
    Claim(
        id="the-code-loses-little",
        chapter=CHAPTER,
        sentence="the autoencoder of canvases has a squared error of 0.0005 to 0.0008 a pixel, and of what is read "
        "right 5 points at most are lost by it.",
        bounds={"squared_error": between(0.0005, 0.0008), "lost": between(-0.05, 0.05)},
        source="rombach2022high",
    ),
    Claim(
        id="the-code-is-no-generator",
        chapter=CHAPTER,
        sentence="of what it decodes from noise of its prior at least 94 % is ink from edge to edge, of canvases at "
        "most 1 %.",
        bounds={"fills_the_frame": at_least(0.94), "real_ones": at_most(0.01)},
        source="rombach2022high",
        facts=(4,),
    ),
    Claim(
        id="strokes-need-no-critic",
        chapter=CHAPTER,
        sentence="stored: of three autoencoders with four channels, a perceptual term, a patch discriminator or both, "
        "none has a smaller squared error or less blur than the plain one after the same short training; with "
        "both a step costs 1.1 to 4 times the multiplications.",
        bounds={"error": at_least(1.0), "blur": at_least(1.0), "step": between(1.1, 4.0)},
        source="rombach2022high",
        stored=TERMS,
    ),
    Claim(
        id="the-scale-belongs-to-the-schedule",
        chapter=CHAPTER,
        sentence="latents of canvases have a variance of 0.93 to 1.07, and at half time the trained model's ẑ₀ is 18 "
        "to 26 times as wrong for latents of half the size, and 5 to 8 times for twice the size.",
        bounds={"variance": between(0.93, 1.07), "smaller": between(18, 26), "larger": between(5, 8)},
        source="rombach2022high",
    ),
    Claim(
        id="sentences-are-obeyed",
        chapter=CHAPTER,
        sentence="of canvases drawn for whole sentences, with w = 2, at least 78 % show all that is said, at least 8 "
        "points more than without guidance; with no sentence given at most 6 % would.",
        bounds={
            "guided": at_least(0.78),
            "guidance_gains": at_least(0.08),
            "no_sentence": at_most(0.06),
        },
        source="rombach2022high",
        facts=(10,),
    ),
    Claim(
        id="unseen-combinations-too",
        chapter=CHAPTER,
        sentence="stored: of sentences whose combination no training showed at least 75 % are obeyed, at w = 2, single "
        "digits and pairs, and at most 15 points fewer than of those that it showed.",
        bounds={"held_out": at_least(0.75), "behind": between(-0.15, 0.15)},
        stored=OBEDIENCE,
    ),
    Claim(
        id="latent-and-pixels-at-equal-cost",
        chapter=CHAPTER,
        sentence="stored: at equal cost of the network and equal steps the shares of sentences that the latent model "
        "and the model of folded pixels obey differ by at most 10 points, and their Fréchet distances by a "
        "factor of 0.65 to 1.2, not always in favour of the same.",
        bounds={"obeys": between(-0.1, 0.1), "distance": between(0.65, 1.2)},
        source="rombach2022high",
        facts=(10,),
        stored=OBEDIENCE,
    ),
    Claim(
        id="strength-trades-the-picture-for-the-sentence",
        chapter=CHAPTER,
        sentence="of thin digits that are asked to be thick at least 40 points more are so at a strength of 0.8 than "
        "at 0.2, and they lie at least twice as far from what they were.",
        bounds={"gained": at_least(0.4), "farther": at_least(2.0)},
        source="meng2022sdedit",
    ),
    Claim(
        id="the-other-half-is-written",
        chapter=CHAPTER,
        sentence="with the upper half of the latent kept, the lower digit is the one that was asked for in at least 70 "
        "% of the pairs, and the upper one is still read right in at least 70 %.",
        bounds={"lower": at_least(0.7), "upper": at_least(0.7)},
        source="sohldickstein2015deep",
    ),
    Claim(
        id="a-blend-of-latents-is-a-double-exposure",
        chapter=CHAPTER,
        sentence="half way between two latents at least 97 % of the ink lies on one of the two digits, and the picture "
        "goes with the average of the two by a correlation of 0.76 to 0.86, with another average by at most "
        "0.2.",
        bounds={
            "on_either": at_least(0.97),
            "with_the_average": between(0.76, 0.86),
            "with_another": at_most(0.2),
        },
    ),
)
