"""The claims of chapter 01, the VAE, its neighbours on the road, and how one measures a generator."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "01_vae"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="guessing-codes-fails",
        chapter=CHAPTER,
        sentence="ten thousand codes from the prior estimate log p(x) within 0.1 nats with one latent, "
        "and miss at least 10 nats with sixteen.",
        bounds={"easy_gap": at_most(0.1), "hard_gap": at_least(10)},
        source="kingma2014auto",
    ),
    Claim(
        id="the-gap-is-a-divergence",
        chapter=CHAPTER,
        sentence="in the linear-Gaussian model log p(x) − ELBO is KL(q ‖ posterior) to 1e-9 for a thousand different "
        "q, and zero at the posterior.",
        bounds={"smallest_gap": at_least(0), "difference": at_most(1e-9), "gap_at_posterior": at_most(1e-9)},
        source="kingma2014auto",
        facts=(4,),
    ),
    Claim(
        id="reparameterised-gradients-are-quiet",
        chapter=CHAPTER,
        sentence="in 50 dimensions the score-function gradient has at least 600 times the variance of the "
        "reparameterised one, with a baseline still 24 times; all follow their formulas within 10 %.",
        bounds={
            "off_the_formula": between(-0.1, 0.1),
            "ratio": at_least(600),
            "ratio_with_baseline": at_least(24),
        },
        source="kingma2014auto",
    ),
    Claim(
        id="vae-learns-in-seconds",
        chapter=CHAPTER,
        sentence="after 1,000 steps the test ELBO of binarised MNIST is above −108 nats, and the code costs at "
        "least 15.",
        bounds={"test_elbo": at_least(-108), "kl": at_least(15)},
        source="kingma2014auto",
        facts=(4,),
        printed="curves only; reported by others for a longer training: −86.76 nats",
    ),
    Claim(
        id="more-draws-tighter-bound",
        chapter=CHAPTER,
        sentence="for each of 1,000 test digits the bound rises from 1 draw to 5 and to 50, on average by "
        "at least 2 nats.",
        bounds={"least_step": at_least(-1e-3), "gain": at_least(2)},
        source="burda2016importance",
    ),
    Claim(
        id="collapse-is-predictable",
        chapter=CHAPTER,
        sentence="a trained linear VAE keeps exactly the units whose direction varies by more than β times the "
        "decoder's noise, for nine values of β.",
        bounds={"miscounted": between(0, 0)},
        source="lucas2019dont",
    ),
    Claim(
        id="beta-empties-the-code",
        chapter=CHAPTER,
        sentence="of 20 latents at least 16 are active at β = 1 and none at β = 64; between, the code shrinks to at "
        "most 14 nats at β = 4 and at most 3 at β = 16.",
        bounds={
            "units_at_1": at_least(16),
            "units_at_64": at_most(0),
            "nats_at_4": at_most(14),
            "nats_at_16": at_most(3),
        },
        source="higgins2017beta",
    ),
    Claim(
        id="grey-is-honest",
        chapter=CHAPTER,
        sentence="of the test pixels that the decoder calls ink with probability p a share within 0.05 of p is ink, "
        "and its pictures leave at least 1.3 times as many nats to the coins as grey digits do.",
        bounds={"off": at_most(0.05), "undecided": at_least(1.3)},
        facts=(4,),
    ),
    Claim(
        id="neighbours-explain-the-rest",
        chapter=CHAPTER,
        sentence="with the same codes at the same price, pixels that see their neighbours raise the bound by "
        "at least 7 nats; a second network that sees no pixels raises it by at most 3.",
        bounds={"gain": at_least(7), "gain_alone": at_most(3), "price_difference": at_most(1e-3)},
        source="gulrajani2017pixelvae",
        facts=(4,),
    ),
    Claim(
        id="flow-near-the-entropy",
        chapter=CHAPTER,
        sentence="a flow of eight couplings comes within 0.2 nats of the entropy of two moons.",
        bounds={"nats_missed": between(-0.02, 0.2)},
        source="dinh2017density",
        facts=(4,),
    ),
    Claim(
        id="pixels-beat-the-code",
        chapter=CHAPTER,
        sentence="an autoregressive model that sees six rows has an exact log-likelihood above −94 nats, at least 6 "
        "above the VAE's bound of 50 draws.",
        bounds={"lead_over_iwae": at_least(6), "log_likelihood": at_least(-94)},
        source="oord2016pixel",
        facts=(4,),
    ),
    Claim(
        id="real-digits-are-not-at-zero",
        chapter=CHAPTER,
        sentence="the Fréchet distance of real digits to real digits is never below 0.1, and falls at least fivefold "
        "from 250 samples to 4,000.",
        bounds={"least": at_least(0.1), "fall": at_least(5)},
        source="chong2020effectively",
    ),
    Claim(
        id="copies-pass-for-real",
        chapter=CHAPTER,
        sentence="copies of training digits score within 2.5 times the floor, and within 0.1 of real digits in "
        "precision and recall; their distance to the training set is zero.",
        bounds={
            "frechet_over_floor": at_most(2.5),
            "precision_lost": between(-0.1, 0.1),
            "recall_lost": between(-0.1, 0.1),
            "pixels_that_differ": at_most(0),
        },
    ),
    Claim(
        id="half-the-digits-keep-precision",
        chapter=CHAPTER,
        sentence="a generator of only five digits loses at most 0.1 of precision, and keeps at most four fifths of "
        "the recall.",
        bounds={"precision_lost": at_most(0.1), "recall_kept": at_most(0.8)},
        source="kynkaanniemi2019improved",
    ),
    Claim(
        id="precision-overlooks-blur",
        chapter=CHAPTER,
        sentence="blurred digits keep at least half of the precision of real ones, and at most 20 % of their recall.",
        bounds={"precision_kept": at_least(0.5), "recall_kept": at_most(0.2)},
        source="kynkaanniemi2019improved",
    ),
    Claim(
        id="strokes-are-nearer-than-dust",
        chapter=CHAPTER,
        sentence="with pixels that see their neighbours, the VAE's samples are at most at 85 % of the Fréchet "
        "distance that they have with a coin for each pixel, and reach no fewer of the real digits.",
        bounds={"ratio": at_most(0.85), "recall_gained": at_least(0)},
        source="heusel2017gans",
    ),
    Claim(
        id="frechet-is-blind-to-shape",
        chapter=CHAPTER,
        sentence="eight modes and a Gaussian of the same moments are within a Fréchet distance of 0.01, and precision "
        "tells them apart by at least 0.3.",
        bounds={"frechet_distance": at_most(0.01), "precision_lost": at_least(0.3)},
        source="jayasumana2024rethinking",
    ),
    Claim(
        id="noise-out-of-a-hundred",
        chapter=CHAPTER,
        sentence="a model that gives noise 99 times out of 100 loses at most 4.61 nats, and stays at least 1 above the "
        "VAE's bound of 50 draws.",
        bounds={"cost": at_most(4.61), "lead_over_iwae": at_least(1)},
        source="theis2016note",
    ),
)
