"""The claims of chapter 5, noise-conditional score networks."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "05_ncsn"

CLAIMS = (
    Claim(
        id="langevin-step-bias",
        chapter=CHAPTER,
        sentence="on a Gaussian of variance τ², Langevin dynamics of step h settles at the variance τ²/(1 − h/(2τ²)),"
        " to within 1.5 %, for h from 0.1 τ² to 1.7 τ².",
        bounds={"variance_ratio": between(0.985, 1.015)},
        facts=(2,),
    ),
    Claim(
        id="plain-langevin-keeps-its-start",
        chapter=CHAPTER,
        sentence="with the exact score of the paper's mixture, a thousand Langevin steps give the mode of weight .2 "
        "a share between .46 and .52 from a uniform start, and at most .001 from a start near (2, 2).",
        bounds={"from_the_square": between(0.46, 0.52), "from_nearby": at_most(0.001)},
        source="song2019generative",
        facts=(2, 9),
        printed="figure 3: wrong relative weights",
    ),
    Claim(
        id="wrong-where-data-are-few",
        chapter=CHAPTER,
        sentence="a score network trained at one noise level errs by at most 0.8 % of the score's square where the "
        "data are; over the whole square its mean squared error is at least 400 times as large as there.",
        bounds={"at_data": at_most(0.008), "square_over_data": at_least(400)},
        source="song2019generative",
        facts=(9,),
    ),
    Claim(
        id="score-explodes-on-a-manifold",
        chapter=CHAPTER,
        sentence="for data on a circle the score has a root mean square of 1/σ, within 4 %, from σ = 0.02 to 0.15: it"
        " has no limit without noise.",
        bounds={"rms_times_sigma": between(0.96, 1.04)},
        source="song2019generative",
        facts=(2, 9),
    ),
    Claim(
        id="annealed-langevin-finds-the-weights",
        chapter=CHAPTER,
        sentence="annealed over ten noise levels from 20 to 1, the same thousand steps give the small mode a share "
        "between .18 and .245, from the uniform start and from the one near (2, 2).",
        bounds={"from_the_square": between(0.18, 0.245), "from_nearby": between(0.18, 0.245)},
        source="song2019generative",
        facts=(2, 9),
        printed="figure 3: the right relative weights",
    ),
    Claim(
        id="levels-large-and-many",
        chapter=CHAPTER,
        sentence="with 500 steps in all, two levels from 20 to 1 give the small mode between .35 and .49, ten levels"
        " from 2 to 1 between .38 and .49; ten from 20 to 1 between .18 and .29.",
        bounds={
            "two_levels": between(0.35, 0.49),
            "low_levels": between(0.38, 0.49),
            "ten_levels": between(0.18, 0.29),
        },
        source="song2020improved",
        facts=(2,),
    ),
    Claim(
        id="neighbouring-shells-overlap",
        chapter=CHAPTER,
        sentence="in 784 dimensions, with the ratio of technique 2 between .47 and .52 of a level's draws lie within "
        "three deviations of the next larger shell; with that of ten levels over a factor of 100 at most .0005.",
        bounds={"technique_2": between(0.47, 0.52), "ten_levels": at_most(0.0005)},
        source="song2020improved",
        facts=(2,),
    ),
    Claim(
        id="one-network-for-all-levels",
        chapter=CHAPTER,
        sentence="one small network learns the score with a relative squared error of at most 2.5 % at σ = 0.05, and "
        "1.5 % at 0.2, 0.8 and 3.2.",
        bounds={"smallest_level": at_most(0.025), "larger_levels": at_most(0.015)},
        source="song2019generative",
        facts=(2, 9),
    ),
    Claim(
        id="learned-scores-find-the-weights",
        chapter=CHAPTER,
        sentence="with the learned scores, annealed Langevin dynamics gives the small mode a share between .2 and .28, "
        "plain Langevin dynamics at σ = 0.1 between .38 and .7.",
        bounds={"annealed": between(0.2, 0.28), "plain": between(0.38, 0.7)},
        source="song2019generative",
        facts=(2, 9),
    ),
    Claim(
        id="denoising-takes-off-the-grain",
        chapter=CHAPTER,
        sentence="on modes that are thin across, the last denoising step brings the spread across from between 5.2 and "
        "5.5 times the truth to between .2 and .212 of it, and leaves the spread along between .985 and 1.06.",
        bounds={
            "across_before": between(5.2, 5.5),
            "across_after": between(0.2, 0.212),
            "along_after": between(0.985, 1.06),
        },
        source="jolicoeurmartineau2021adversarial",
        facts=(2,),
        printed="CIFAR-10, NCSN of 2020: distance 31.75 without, 10.87 with it (reported)",
    ),
    Claim(
        id="digits-lose-their-grain",
        chapter=CHAPTER,
        sentence="on digits, pixels that are blank in all but 30 of 60,000 training images come out with .95 to 1.11 "
        "times the noise that follows from proposition 3 of the 2020 paper; the denoising step leaves .09 to .12 of "
        "it.",
        bounds={"before": between(0.95, 1.11), "after": between(0.09, 0.12)},
        source="song2020improved",
        facts=(2,),
    ),
    Claim(
        id="digits-are-thin",
        chapter=CHAPTER,
        sentence="at the scale σ = 1 the noise in unseen digits stays open in 22 to 25 of 784 dimensions, and in 2.5 "
        "to 2.85 times as many in a Gaussian with the digits' covariance.",
        bounds={"dimensions": between(22, 25), "gaussian_over_network": between(2.5, 2.85)},
        facts=(2, 9),
    ),
    Claim(
        id="the-walk-and-not-the-network",
        chapter=CHAPTER,
        sentence="with 500 images each, what the shipped NCSN's Fréchet distance exceeds its floor by is, by 15 steps "
        "of a later sampler and by both judges, at most .9 of what 375 steps of annealed Langevin dynamics leave on "
        "the 75 levels of technique 2.",
        bounds={"later_over_annealed": at_most(0.9)},
        facts=(2,),
    ),
)
