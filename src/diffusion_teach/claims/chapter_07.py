"""The claims of chapter 07."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "07_noise_schedules"
STUDY = "python -m diffusion_teach.studies schedules.measure"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="a-table-cut-short",
        chapter=CHAPTER,
        sentence="a thousand linear betas leave ᾱ = 0.0000404 of the picture; the same betas in 100 steps leave 0.36, "
        "and scaled by ten less than 0.0001.",
        bounds={
            "thousand": between(4.03e-5, 4.045e-5),
            "hundred": between(0.363, 0.364),
            "scaled": between(1e-5, 1e-4),
        },
        source="ho2020denoising",
        facts=(13,),
    ),
    Claim(
        id="a-third-of-the-steps",
        chapter=CHAPTER,
        sentence="of 1,000 steps 327 of the linear schedule and 65 of the cosine one have ᾱ below 0.01.",
        bounds={"linear": between(327, 327), "cosine": between(65, 65)},
        source="nichol2021improved",
        facts=(13,),
    ),
    Claim(
        id="little-is-left-to-tell",
        chapter=CHAPTER,
        sentence="where the last third of the linear steps begins, x_t tells at most 1.1 nats about a digit; at the "
        "same step of the cosine schedule a bound of the same kind is twenty times as large, within a tenth.",
        bounds={"linear": between(0.95, 1.1), "ratio": between(18, 22)},
        source="nichol2021improved",
        facts=(13,),
    ),
    Claim(
        id="levels-cost-less-and-less",
        chapter=CHAPTER,
        sentence="where λ falls evenly, twice the levels halve what the bound of finitely many exceeds its limit by, "
        "within a tenth; with 64 levels VP exceeds it sixty times as much, within a tenth.",
        bounds={"halved": between(1.9, 2.2), "dearer": between(55, 67)},
        source="kingma2021variational",
    ),
    Claim(
        id="only-the-ends-count",
        chapter=CHAPTER,
        sentence="cut to the same log-SNRs, four schedules have the same bound within 0.01 nats, and it is the "
        "information about x₀ that is lost between the ends, within 0.01 nats.",
        bounds={"apart": at_most(0.01), "off_the_information": at_most(0.01)},
        source="kingma2021variational",
        facts=(13,),
    ),
    Claim(
        id="one-draw-says-little",
        chapter=CHAPTER,
        sentence="one draw of that bound, of 9 nats, deviates by 15 nats where λ falls evenly, by 41 on the cosine "
        "schedule and by 76 on VP, each within a twentieth.",
        bounds={"even": between(14.6, 16), "cosine": between(39.5, 43), "vp": between(73, 80)},
        source="kingma2021variational",
        facts=(13,),
    ),
    Claim(
        id="times-by-importance",
        chapter=CHAPTER,
        sentence="with times drawn by importance a draw deviates by less than 10.2 nats on each schedule; with the "
        "density learned from ten losses a step, by less than 26 on VP.",
        bounds={"best": between(9.2, 10.2), "learned": at_most(26)},
        source="nichol2021improved",
    ),
    Claim(
        id="weights-decide-where",
        chapter=CHAPTER,
        sentence="one model, fitted exactly with two weightings: by the error of v it errs at λ < −5 at most a tenth "
        "as much as by the bound.",
        bounds={"noise": at_most(0.1)},
        source="kingma2023understanding",
        facts=(11, 13),
    ),
    Claim(
        id="the-row-carries-the-ladder",
        chapter=CHAPTER,
        sentence="after 600 steps on EDM's noise a network asked by EDM's row is off the best answer by at most half "
        "the data's variance on every rung, at σ = 0.5 by less than a tenth of what the mean is; asked for ε in its "
        "unit, at σ = 80 by more than twenty times that variance.",
        bounds={"row": at_most(0.5), "seen": at_most(0.1), "log10_eps": at_least(1.3)},
        source="karras2022elucidating",
    ),
    Claim(
        id="brightness-shrinks",
        chapter=CHAPTER,
        sentence="of the spread of brightness of 28 × 28 flat pictures the ODE's sampler keeps .993, .67 and .10 with "
        "DDPM's schedule, Stable Diffusion's and 100 unscaled steps, the ancestral one .997, .83 and .13, within .01.",
        bounds={
            "ode_ddpm": between(0.985, 0.997),
            "ode_stable": between(0.662, 0.682),
            "ode_short": between(0.097, 0.107),
            "ancestral_ddpm": between(0.987, 0.999),
            "ancestral_stable": between(0.824, 0.844),
            "ancestral_short": between(0.12, 0.14),
        },
        source="lin2024common",
        facts=(13,),
    ),
    Claim(
        id="larger-pictures-shrink-more",
        chapter=CHAPTER,
        sentence="with 16,384 numbers a picture Stable Diffusion's schedule keeps .19 (ODE) and .27 (ancestral), "
        "within .01; rescaled to end in pure noise both keep at least .98.",
        bounds={"ode": between(0.185, 0.205), "ancestral": between(0.261, 0.281), "rescaled": between(0.98, 1.005)},
        source="lin2024common",
        facts=(13,),
    ),
    Claim(
        id="what-training-looks-at",
        chapter=CHAPTER,
        sentence="digits after ten short trainings on each of six schedules: the sampler's steps move the mean "
        "distance by less than a tenth, what training looked at makes it at least 1.25 times as large on one as on "
        "another, by both judges; by the classifier its ranks go against those of the share of training times between "
        "λ = −4 and 0 (−0.9 or below).",
        bounds={"steps": between(0.9, 1.1), "training": at_least(1.25), "order": at_most(-0.9)},
        facts=(13,),
        stored=STUDY,
    ),
)
