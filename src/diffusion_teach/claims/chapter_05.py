"""The claims of chapter 5, noise-conditional score networks."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "05_ncsn"

CLAIMS = (
    Claim(
        id="langevin-step-bias",
        chapter=CHAPTER,
        sentence="on a Gaussian of variance τ², Langevin dynamics of step h settles at the variance τ²/(1 − h/(2τ²))"
        " to within 4 %, for h from 0.1 τ² to 1.7 τ², and successive states correlate by 1 − h/τ², within "
        "0.03.",
        bounds={"variance_error": at_most(0.04), "memory_error": at_most(0.03)},
        facts=(2,),
    ),
    Claim(
        id="plain-langevin-keeps-its-start",
        chapter=CHAPTER,
        sentence="with the exact score of the paper's mixture, a thousand Langevin steps give the mode of weight .2 "
        "a share between .44 and .56 from a uniform start, and at most .01 from a start near (2, 2).",
        bounds={"from_the_square": between(0.44, 0.56), "from_nearby": at_most(0.01)},
        source="song2019generative",
        facts=(2, 9),
        printed="figure 3: wrong relative weights",
    ),
    Claim(
        id="wrong-where-data-are-few",
        chapter=CHAPTER,
        sentence="a score network trained at one noise level errs by at most 3 % of the score's square where the data "
        "are; over the whole square its mean squared error is at least 100 times as large as there.",
        bounds={"at_data": at_most(0.03), "square_over_data": at_least(100)},
        source="song2019generative",
        facts=(9,),
    ),
    Claim(
        id="score-explodes-on-a-manifold",
        chapter=CHAPTER,
        sentence="for data on a circle the score has a root mean square of 1/σ, within 6 %, from σ = 0.02 to 0.15: it"
        " has no limit without noise.",
        bounds={"rms_times_sigma": between(0.94, 1.06)},
        source="song2019generative",
        facts=(2, 9),
    ),
    Claim(
        id="annealed-langevin-finds-the-weights",
        chapter=CHAPTER,
        sentence="annealed over ten noise levels from 20 to 1, the same thousand steps give the small mode a share "
        "between .17 and .26, from the uniform start and from the one near (2, 2).",
        bounds={"from_the_square": between(0.17, 0.26), "from_nearby": between(0.17, 0.26)},
        source="song2019generative",
        facts=(2, 9),
        printed="figure 3: the right relative weights",
    ),
    Claim(
        id="levels-large-and-many",
        chapter=CHAPTER,
        sentence="with as many steps in all, two levels from 20 to 1 give the small mode at least .3, and ten levels"
        " from 2 to 1 at least .36; ten from 20 to 1 at most .29.",
        bounds={"two_levels": at_least(0.3), "low_levels": at_least(0.36), "ten_levels": at_most(0.29)},
        source="song2020improved",
        facts=(2,),
    ),
    Claim(
        id="neighbouring-shells-overlap",
        chapter=CHAPTER,
        sentence="in 784 dimensions, levels in the ratio of technique 2 overlap by half, within .06; in the ratio of"
        " ten levels over a factor of 100, by less than .001.",
        bounds={"technique_2": between(0.44, 0.56), "ten_levels": at_most(0.001)},
        source="song2020improved",
        facts=(2,),
    ),
    Claim(
        id="one-network-for-all-levels",
        chapter=CHAPTER,
        sentence="one small network learns the score at σ = 0.05, 0.2, 0.8 and 3.2, with a relative squared error of"
        " at most 4 %.",
        bounds={"relative_error": at_most(0.04)},
        source="song2019generative",
        facts=(2, 9),
    ),
    Claim(
        id="learned-scores-find-the-weights",
        chapter=CHAPTER,
        sentence="with the learned scores, annealed Langevin dynamics gives the small mode a share between .14 and "
        ".31, plain Langevin dynamics at σ = 0.1 more than .35.",
        bounds={"annealed": between(0.14, 0.31), "plain": at_least(0.35)},
        source="song2019generative",
        facts=(2, 9),
    ),
    Claim(
        id="denoising-takes-off-the-grain",
        chapter=CHAPTER,
        sentence="on modes that are thin across, the last denoising step brings the spread across from more than 5 "
        "times the truth to about a fifth of it, and leaves the spread along within 8 % of the truth.",
        bounds={
            "across_before": between(5.0, 5.7),
            "across_after": between(0.18, 0.23),
            "along_after_error": at_most(0.08),
        },
        source="jolicoeurmartineau2021adversarial",
        facts=(2,),
        printed="CIFAR-10, NCSN of 2020: distance 31.75 without, 10.87 with it (reported)",
    ),
    Claim(
        id="digits-lose-their-grain",
        chapter=CHAPTER,
        sentence="on digits, pixels that are blank in every training image come out with .93 to 1.2 times the noise "
        "that proposition 3 of the 2020 paper foretells; the denoising step leaves at most a quarter of it.",
        bounds={"before": between(0.93, 1.2), "after": at_most(0.25)},
        source="song2020improved",
        facts=(2,),
    ),
    Claim(
        id="digits-are-thin",
        chapter=CHAPTER,
        sentence="at the scale σ = 1 the noise in unseen digits stays open in at most 28 of 784 dimensions, and in at "
        "least twice as many in a Gaussian with the digits' covariance.",
        bounds={"dimensions": at_most(28), "gaussian_over_network": at_least(2)},
        facts=(2, 9),
    ),
    Claim(
        id="the-walk-and-not-the-network",
        chapter=CHAPTER,
        sentence="with 500 images each, what the shipped NCSN's Fréchet distance exceeds its floor by is, by 15 steps "
        "of a later sampler and by both judges, no more than what 375 steps of annealed Langevin dynamics leave.",
        bounds={"later_over_annealed": at_most(1.0)},
        facts=(2,),
    ),
)
