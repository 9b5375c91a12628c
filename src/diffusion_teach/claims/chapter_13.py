"""The claims of chapter 13, latent diffusion."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "13_latent_diffusion"
TERMS = "python -m diffusion_teach.studies canvas_codes.terms"
BILL = "python -m diffusion_teach.studies canvas_codes.bill"
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
        sentence="of the pictures that it decodes from noise of its prior at least 94 % have ink from top to bottom, "
        "of canvases at most 1 %.",
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
        sentence="latents of canvases, scaled, have a variance of 0.93 to 1.07, their pixels one of 0.17 to 0.28; and "
        "at half time the trained model's ẑ₀ is 8.5 to 12 times as wrong for latents of half the size, and 11 to 15 "
        "times for twice the size, as for the same noisy latents brought to the size that it knows.",
        bounds={
            "variance": between(0.93, 1.07),
            "of_pixels": between(0.17, 0.28),
            "smaller": between(8.5, 12),
            "larger": between(11, 15),
        },
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
        sentence="stored: at equal cost of the network and equal steps, without guidance the latent model obeys by 2 "
        "to 9 points more often than that of folded pixels, single digits and pairs, at 0.4 to 0.65 times its Fréchet "
        "distance, by both judges; with w = 2 by −3 to 8 points, at 0.9 to 1.4 times. Of the latent's distance the "
        "code alone makes at most a tenth.",
        bounds={
            "obeys": between(0.02, 0.09),
            "obeys_guided": between(-0.03, 0.08),
            "distance": between(0.4, 0.65),
            "distance_guided": between(0.9, 1.4),
            "code": at_most(0.1),
        },
        source="rombach2022high",
        facts=(10,),
        stored=OBEDIENCE,
    ),
    Claim(
        id="the-autoencoder-is-on-the-bill",
        chapter=CHAPTER,
        sentence="stored: with the autoencoder's training counted in, training in the latent takes 1 to 1.2 times the "
        "multiplications of folded pixels, and a step or a sample in folded pixels 0.95 to 1.1 times those in "
        "the latent, the decoder counted in; in pixels as they are 19 to 22 times, and at least 10 times the memory.",
        bounds={
            "whole": between(1.0, 1.2),
            "folded": between(0.95, 1.1),
            "pixels": between(19, 22),
            "memory": at_least(10),
        },
        source="rombach2022high",
        facts=(10,),
        stored=BILL,
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
        "% of the pairs, the upper one is still read right in at least 70 %, and its pixels differ from what "
        "they were by at most 3 % of what two pairs' do.",
        bounds={"lower": at_least(0.7), "upper": at_least(0.7), "moved": at_most(0.03)},
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
