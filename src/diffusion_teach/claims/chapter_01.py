"""The claims of chapter 01, the VAE, its neighbours on the road, and how one measures a generator."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "01_vae"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="guessing-codes-fails",
        chapter=CHAPTER,
        sentence="ten thousand codes from the prior estimate log p(x) within 0.03 nats with one latent, "
        "and miss 35 to 52 nats with sixteen.",
        bounds={"easy_gap": between(-0.03, 0.03), "hard_gap": between(35, 52)},
        source="kingma2014auto",
    ),
    Claim(
        id="the-gap-is-a-divergence",
        chapter=CHAPTER,
        sentence="in the linear-Gaussian model log p(x) − ELBO is KL(q ‖ posterior) to 1e-9 for a thousand different "
        "q, and zero at the posterior; for at least nine in ten KL(posterior ‖ q) is more than a nat beside it.",
        bounds={"difference": at_most(1e-9), "gap_at_posterior": at_most(1e-9), "turned": at_least(0.9)},
        source="kingma2014auto",
        facts=(4,),
    ),
    Claim(
        id="reparameterised-gradients-are-quiet",
        chapter=CHAPTER,
        sentence="in 50 dimensions the score-function gradient has 695 to 709 times the variance of the "
        "reparameterised one, with a baseline still 26.2 to 27.8 times; all follow their formulas within 7 %.",
        bounds={
            "off_the_formula": at_most(0.07),
            "ratio": between(695, 709),
            "ratio_with_baseline": between(26.2, 27.8),
        },
        source="kingma2014auto",
    ),
    Claim(
        id="five-lines-learn",
        chapter=CHAPTER,
        sentence="two hundred rounds of the five lines bring −ELBO from 185 to 225 nats an image down to 120 to 133.",
        bounds={"first": between(185, 225), "last": between(120, 133)},
        source="kingma2014auto",
    ),
    Claim(
        id="vae-learns-in-seconds",
        chapter=CHAPTER,
        sentence="after 1,000 steps the test ELBO of binarised MNIST is between −105.6 and −103.7 nats, and the code "
        "costs 24 to 26.",
        bounds={"test_elbo": between(-105.6, -103.7), "kl": between(24, 26)},
        source="kingma2014auto",
        facts=(4,),
        printed="curves only; reported by others for a longer training: −86.76 nats",
    ),
    Claim(
        id="more-draws-tighter-bound",
        chapter=CHAPTER,
        sentence="over 1,000 test digits the bound rises by 2.25 to 2.55 nats from 1 draw to 5 and by 3.7 to 4.15 "
        "to 50; over 100 digits five thousand draws find 1 to 1.4 more than fifty.",
        bounds={
            "from_1_to_5": between(2.25, 2.55),
            "from_1_to_50": between(3.7, 4.15),
            "from_50_to_5000": between(1, 1.4),
        },
        source="burda2016importance",
    ),
    Claim(
        id="collapse-is-predictable",
        chapter=CHAPTER,
        sentence="a trained linear VAE has the squared weights max(0, λ − βσ²) within 0.001, and keeps exactly the "
        "units whose direction varies by more than βσ², for nine values of β.",
        bounds={"miscounted": between(0, 0), "off": at_most(1e-3)},
        source="lucas2019dont",
    ),
    Claim(
        id="beta-empties-the-code",
        chapter=CHAPTER,
        sentence="of 20 latents at least 18 are active at β = 1 and none at β = 64; between, the code shrinks to "
        "8.5 to 11.5 nats at β = 4 and to 0.6 to 1.5 at β = 16.",
        bounds={
            "units_at_1": at_least(18),
            "units_at_64": at_most(0),
            "nats_at_4": between(8.5, 11.5),
            "nats_at_16": between(0.6, 1.5),
        },
        source="higgins2017beta",
    ),
    Claim(
        id="grey-is-honest",
        chapter=CHAPTER,
        sentence="of the test pixels that the decoder calls ink with probability p a share within 0.015 of p is ink; "
        "decoded test digits leave 1.75 to 1.84 times as many nats to the coins as grey digits do, decoded random "
        "codes 2.06 to 2.18 times.",
        bounds={"off": at_most(0.015), "of_digits": between(1.75, 1.84), "of_random_codes": between(2.06, 2.18)},
        facts=(4,),
    ),
    Claim(
        id="neighbours-explain-the-rest",
        chapter=CHAPTER,
        sentence="with the same codes, pixels that see their neighbours raise the bound by 9.5 to 12 nats; a second "
        "network that sees no pixels raises it by 0.5 to 2.8.",
        bounds={"gain": between(9.5, 12), "gain_alone": between(0.5, 2.8)},
        source="gulrajani2017pixelvae",
        facts=(4,),
    ),
    Claim(
        id="a-second-level-pays",
        chapter=CHAPTER,
        sentence="at no more multiplications and as many steps, a second level of latents raises the bound by 0.1 to "
        "3.1 nats, and that of 50 draws by 0.3 to 2.8; its own code costs 0.5 to 5.5.",
        bounds={
            "relative_cost": at_most(1),
            "gain": between(0.1, 3.1),
            "gain_of_50_draws": between(0.3, 2.8),
            "top_nats": between(0.5, 5.5),
        },
        source="sonderby2016ladder",
        facts=(4,),
    ),
    Claim(
        id="a-second-level-is-heard",
        chapter=CHAPTER,
        sentence="after 4,000 steps, in each of ten trainings, a second level is worth 1.3 to 2.6 nats at equal cost, "
        "where one that is not heard is worth 0.1 to 0.8; the samples are at 0.6 to 0.7 times the Fréchet distance, "
        "unheard at 0.8 to 0.95.",
        bounds={
            "gain": between(1.3, 2.6),
            "gain_unheard": between(0.1, 0.8),
            "distance": between(0.6, 0.7),
            "distance_unheard": between(0.8, 0.95),
        },
        source="sonderby2016ladder",
        facts=(4,),
        printed="for longer trainings, Burda et al.: −85.33 nats with two levels, −86.76 with one",
        stored="python -m diffusion_teach.studies latent_levels.measure",
    ),
    Claim(
        id="flow-near-the-entropy",
        chapter=CHAPTER,
        sentence="a flow of eight couplings comes within 0.16 nats of the entropy of two moons.",
        bounds={"nats_missed": between(0, 0.16)},
        source="dinh2017density",
        facts=(4,),
    ),
    Claim(
        id="pixels-beat-the-code",
        chapter=CHAPTER,
        sentence="an autoregressive model that sees six rows has an exact log-likelihood between −92 and −89 nats, "
        "8 to 11.5 above the VAE's bound of 50 draws.",
        bounds={"lead_over_iwae": between(8, 11.5), "log_likelihood": between(-92, -89)},
        source="oord2016pixel",
        facts=(4,),
    ),
    Claim(
        id="real-digits-are-not-at-zero",
        chapter=CHAPTER,
        sentence="the Fréchet distance of real digits to real digits is 6.5 to 12.5 with 250 samples and still 0.85 to "
        "1.1 with 4,000: 0.75 to 1.45 times what theory says of samples alone.",
        bounds={"at_250": between(6.5, 12.5), "at_4000": between(0.85, 1.1), "over_theory": between(0.75, 1.45)},
        source="chong2020effectively",
    ),
    Claim(
        id="copies-pass-for-real",
        chapter=CHAPTER,
        sentence="copies of training digits score 0.7 to 1.6 times the floor, and within 0.06 of real digits in "
        "precision and recall; but real digits lie 50 to 56 pixels from the training set, and copies at zero.",
        bounds={
            "frechet_over_floor": between(0.7, 1.6),
            "precision_lost": between(-0.06, 0.06),
            "recall_lost": between(-0.06, 0.06),
            "nearer": between(50, 56),
        },
    ),
    Claim(
        id="half-the-digits-keep-precision",
        chapter=CHAPTER,
        sentence="a generator of only five digits is within 0.04 of the precision of real ones, and loses 0.28 to 0.47 "
        "of recall.",
        bounds={"precision_lost": between(-0.04, 0.04), "recall_lost": between(0.28, 0.47)},
        source="kynkaanniemi2019improved",
    ),
    Claim(
        id="precision-overlooks-blur",
        chapter=CHAPTER,
        sentence="blurred digits lose at most 0.2 of precision, where they lose at least 0.15 of density and 0.78 of "
        "recall.",
        bounds={"precision_lost": at_most(0.2), "density_lost": at_least(0.15), "recall_lost": at_least(0.78)},
        source="kynkaanniemi2019improved",
    ),
    Claim(
        id="learned-codes-draw-better",
        chapter=CHAPTER,
        sentence="with codes of two levels, the samples are at 0.45 to 0.92 times the Fréchet distance that they have "
        "with one, a coin for each pixel in both.",
        bounds={"ratio": between(0.45, 0.92)},
        source="heusel2017gans",
    ),
    Claim(
        id="strokes-are-nearer-than-dust",
        chapter=CHAPTER,
        sentence="with pixels that see their neighbours, the VAE's samples are at 0.54 to 0.85 times the Fréchet "
        "distance that they have with a coin for each pixel, and their precision is lower by at least 0.04.",
        bounds={"ratio": between(0.54, 0.85), "precision_gained": at_most(-0.04)},
        source="heusel2017gans",
    ),
    Claim(
        id="frechet-is-blind-to-shape",
        chapter=CHAPTER,
        sentence="eight modes and a Gaussian of the same moments are within a Fréchet distance of 0.0025, and "
        "precision tells them apart by at least 0.5.",
        bounds={"frechet_distance": at_most(0.0025), "precision_lost": at_least(0.5)},
        source="jayasumana2024rethinking",
    ),
    Claim(
        id="noise-out-of-a-hundred",
        chapter=CHAPTER,
        sentence="a model that gives noise 99 times out of 100 is still 3.5 to 7 nats above the VAE's bound of 50 "
        "draws.",
        bounds={"lead_over_iwae": between(3.5, 7)},
        source="theis2016note",
    ),
)
