"""The claims of chapter 10, guidance."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "10_guidance"
STUDY = "python -m diffusion_teach.studies guidance.measure"
LESSONS = "python -m diffusion_teach.studies guidance.learned_from"

CLAIMS = (
    Claim(
        id="blind-in-noise",
        chapter=CHAPTER,
        sentence="at a log-SNR of −2 a classifier of clean digits reads 5 to 16 % of the test digits, and one of the"
        " same design that was trained on noisy ones 48 to 74 %; without noise the latter reads 85 to 95 %.",
        bounds={
            "clean": between(0.05, 0.16),
            "aware": between(0.48, 0.74),
            "aware_on_clean_digits": between(0.85, 0.95),
        },
        source="dhariwal2021diffusion",
    ),
    Claim(
        id="read-by-the-other",
        chapter=CHAPTER,
        sentence="of digits that the classifier of clean ones has pulled with scale 5, the noise-aware one reads at "
        "most 38 % as asked for; of those that it has pulled itself the other reads 33 to 90 % with scale "
        "1, and at least 72 % with scale 5.",
        bounds={
            "pulled_by_clean": at_most(0.38),
            "pulled_by_aware": between(0.33, 0.9),
            "pulled_harder": at_least(0.72),
        },
        source="dhariwal2021diffusion",
    ),
    Claim(
        id="bayes-rule-makes-a-condition",
        chapter=CHAPTER,
        sentence="in the plane, pulled once by the exact p(c|x_t), a walk ends where the label's own score leads, in"
        " spread and mean within 6 %; by a small trained classifier with a spread of 0.27 to 0.46 and a "
        "mean of 0.87 to 1.12; by the exact classifier of clean points at 1.10 to 1.20.",
        bounds={
            "exact_over_straight": between(0.94, 1.06),
            "learned_spread": between(0.27, 0.46),
            "learned_mean": between(0.87, 1.12),
            "clean_mean": between(1.10, 1.20),
        },
        source="sohldickstein2015deep",
    ),
    Claim(
        id="what-the-label-is-worth",
        chapter=CHAPTER,
        sentence="knowing the label saves 14 to 28 % of the error of x̂₀ at a log-SNR of −6, 8 to 26 % at −2, and "
        "less than 1 % at 4.",
        bounds={
            "in_noise": between(0.14, 0.28),
            "in_the_middle": between(0.08, 0.26),
            "near_the_data": between(-0.01, 0.01),
        },
    ),
    Claim(
        id="narrower-and-farther-out",
        chapter=CHAPTER,
        sentence="with exact scores the flow samples label 0 honestly at w = 0, within 4 %; at w = 1 its spread is "
        "0.255 to 0.29 and its mean 1.26 to 1.31, at w = 3 0.22 to 0.25 and 1.57 to 1.62; true are 0.35 and"
        " 1.",
        bounds={
            "honest": between(0.96, 1.04),
            "spread_1": between(0.255, 0.29),
            "mean_1": between(1.26, 1.31),
            "spread_3": between(0.22, 0.25),
            "mean_3": between(1.57, 1.62),
        },
        source="bradley2024classifier",
        facts=(4,),
    ),
    Claim(
        id="two-walks-two-laws",
        chapter=CHAPTER,
        sentence="at w = 3 the walk with noise ends with a spread of 0.30 to 0.34 and a mean of 1.18 to 1.25, and "
        "the tilted density p(x)p(c|x)⁴ has 0.335 and 1.025.",
        bounds={
            "spread_3": between(0.30, 0.34),
            "mean_3": between(1.18, 1.25),
            "tilted_spread_3": between(0.334, 0.337),
            "tilted_mean_3": between(1.024, 1.026),
        },
        source="bradley2024classifier",
        facts=(4,),
    ),
    Claim(
        id="langevin-finds-the-tilted-density",
        chapter=CHAPTER,
        sentence="250 Langevin steps with the guided score, at a noise of 0.05, bring spread and mean of either walk"
        " to the tilted density's, within 6 %.",
        bounds={"over_tilted": between(0.94, 1.06)},
        source="bradley2024classifier",
    ),
    Claim(
        id="asked-for-and-alike",
        chapter=CHAPTER,
        sentence="from the same noise, by the flow, at least 97 % of the digits of w = 4 are read as asked for; by "
        "the classifier they lie 0.42 to 0.8 times as far from their label's mean, squared, as those of w ="
        " 0, and by the encoder 0.78 to 1.11 times; they have 1.12 to 1.4 times the ink. Those of w = 0 lie"
        " 0.65 to 1.45 times as far as real ones.",
        bounds={
            "right": at_least(0.97),
            "variety_of_honest": between(0.65, 1.45),
            "variety_of_guided": between(0.42, 0.8),
            "by_the_encoder": between(0.78, 1.11),
            "ink_of_guided": between(1.12, 1.4),
        },
        source="ho2022classifier",
        facts=(4,),
    ),
    Claim(
        id="best-by-whom",
        chapter=CHAPTER,
        sentence="of seven strengths of guidance, w = 0 is nearest to real digits by the classifier and w = 0.25 by "
        "the encoder, precision is best at 1 or 2, the label is read as asked most often at 1 to 4, and "
        "recall is best at 0.",
        bounds={
            "classifier": between(0, 0),
            "encoder": between(0.25, 0.25),
            "precision": between(1, 2),
            "recall": between(0, 0),
            "label": between(1, 4),
        },
        source="ho2022classifier",
        printed="the best Fréchet distance at w = 0.1, and an inception score that grows up to w = 4",
        facts=(4,),
        stored=STUDY,
    ),
    Claim(
        id="what-w-buys-and-costs",
        chapter=CHAPTER,
        sentence="at w = 0 the classifier reads 98 to 99 % of the labels as asked and the encoder 95 to 97 %, at w ="
        " 1 99.9 % and 99 % or more; at w = 4 recall is lower by 7 to 16 points, and at w = 8 the distance "
        "is 4 to 7 floors.",
        bounds={
            "classifier_at_0": between(0.98, 0.99),
            "encoder_at_0": between(0.95, 0.97),
            "classifier_at_1": at_least(0.999),
            "encoder_at_1": at_least(0.99),
            "recall_at_4_less": between(0.07, 0.16),
            "distance_at_8": between(4, 7),
        },
        source="dhariwal2021diffusion",
        facts=(4,),
        stored=STUDY,
    ),
    Claim(
        id="the-walk-matters-on-digits",
        chapter=CHAPTER,
        sentence="with w = 4 and as many steps, 2M's digits lie 2 to 3 times as far from real ones as those of the "
        "walk with noise, by both judges; without guidance either lies 0.85 to 1.2 floors from them.",
        bounds={"flow_over_noise": between(2, 3), "both_unguided": between(0.85, 1.2)},
        source="bradley2024classifier",
        stored=STUDY,
    ),
    Claim(
        id="classifiers-as-guides",
        chapter=CHAPTER,
        sentence="pulled with scale 5 by the classifier of clean digits, digits are read as asked by the encoder in "
        "25 to 40 % and by the classifier itself in 55 to 70 %, and lie 80 to 120 floors from real ones by "
        "the latter; by the noise-aware one they are read as asked, by the encoder, in 60 to 78 % with scale "
        "1 and in at least 93 % with scale 5, and then lie 1.5 to 3.2 times as far as with classifier-free "
        "guidance.",
        bounds={
            "clean": between(0.25, 0.4),
            "clean_by_itself": between(0.55, 0.7),
            "aware": between(0.6, 0.78),
            "aware_harder": at_least(0.93),
            "clean_distance": between(80, 120),
            "aware_distance_over_free": between(1.5, 3.2),
        },
        source="dhariwal2021diffusion",
        stored=STUDY,
    ),
    Claim(
        id="early-costs-variety",
        chapter=CHAPTER,
        sentence="at w = 4, guidance below a log-SNR of −2 alone costs 7 to 14 points of recall, between −2 and 3 "
        "alone 1 to 9, and above 3 alone at most 1; by either of the first two the classifier reads the "
        "label as asked in 99.5 % or more; in the middle alone the distance is 1 to 2 floors instead of 3 to "
        "4, and early alone, by the classifier, 4.5 to 6.",
        bounds={
            "early": between(0.07, 0.14),
            "middle": between(0.01, 0.09),
            "late": between(-0.01, 0.01),
            "middle_distance": between(1, 2),
            "whole_distance": between(3, 4),
            "early_distance": between(4.5, 6),
            "middle_reads": at_least(0.995),
            "early_reads": at_least(0.995),
        },
        source="kynkaanniemi2024applying",
        stored=STUDY,
    ),
    Claim(
        id="away-from-a-worse-one",
        chapter=CHAPTER,
        sentence="a model of half a minute, guided with w = 0.5 by itself after a sixth of the training, lies 0.5 to"
        " 0.7 times as far from real digits by both judges, with 1.04 to 1.6 times the recall; with w = 2 "
        "it lies 2.4 to 18 times as far, and with w = 1 already 1.1 to 1.4 times by the encoder. Away from no "
        "label its recall is 0.88 to 0.97 times what it was, and its distance 0.3 to 0.45 times by the "
        "classifier and 0.95 to 1.05 times by the encoder. The shipped model, away from that of half a "
        "minute, lies 2 to 2.8 times as far by the encoder.",
        bounds={
            "distance": between(0.5, 0.7),
            "recall": between(1.04, 1.6),
            "too_much": between(2.4, 18),
            "recall_by_no_label": between(0.88, 0.97),
            "no_label_by_classifier": between(0.3, 0.45),
            "no_label_by_encoder": between(0.95, 1.05),
            "encoder_at_1": between(1.1, 1.4),
            "shipped": between(2, 2.8),
        },
        source="karras2024guiding",
        stored=STUDY,
    ),
    Claim(
        id="what-digits-teach",
        chapter=CHAPTER,
        sentence="a classifier that learns from 2,000 honest draws reads 0.2 to 1.2 points fewer real test digits "
        "than one that learns from 2,000 real digits, and 0.5 to 1.6 more than from 1,000; from draws of w "
        "= 4, of which 99.9 % or more are right, 0.3 to 2 points fewer than from 500. From those guided in the "
        "middle it reads 94 to 96 %, and from ten mean pictures at most 80 %.",
        bounds={
            "honest_less_than_real": between(0.002, 0.012),
            "honest_more_than_half": between(0.005, 0.016),
            "at_4_less_than_a_quarter": between(0.003, 0.02),
            "right_at_4": at_least(0.999),
            "middle": between(0.94, 0.96),
            "mean_pictures": at_most(0.8),
        },
        source="ravuri2019classification",
        facts=(4,),
        stored=LESSONS,
    ),
    Claim(
        id="each-part-does-its-own",
        chapter=CHAPTER,
        sentence="with w = 3 in the plane, guidance below a log-SNR of −2 alone moves the mean to 1.3 to 1.4, "
        "between −2 and 3 alone leaves a spread of 0.205 to 0.24, and above 3 alone leaves the mean between"
        " 0.97 and 1.05 and makes p(0|x) larger by 0.5 to 3 points.",
        bounds={
            "early_mean": between(1.3, 1.4),
            "middle_spread": between(0.205, 0.24),
            "late_mean": between(0.97, 1.05),
            "late_sure": between(0.005, 0.03),
        },
        source="kynkaanniemi2024applying",
    ),
    Claim(
        id="mistakes-cancel",
        chapter=CHAPTER,
        sentence="a model that smears its modes to 1.11 to 1.22 times their width, guided with w = 1 by one that "
        "smears twice as much in variance, has modes of 0.98 to 1.11 times their width, and with w = 3 of "
        "0.82 to 0.91 times.",
        bounds={"alone": between(1.11, 1.22), "w_1": between(0.98, 1.11), "w_3": between(0.82, 0.91)},
        source="karras2024guiding",
    ),
    Claim(
        id="a-worse-self-helps",
        chapter=CHAPTER,
        sentence="a small network whose modes are 1.7 to 1.9 times as wide as the data's draws them at 0.82 to 0.99 "
        "times that width when guided with w = 1 by itself after an eighth of the training. Alone it draws "
        "all eight about as often, with a relative deviation of at most 0.13, and guided with one of 0.13 to "
        "0.5; the shares of the guided one correlate with those of the younger by −0.85 or less.",
        bounds={
            "width": between(1.7, 1.9),
            "narrower": between(0.82, 0.99),
            "uneven": at_most(0.13),
            "uneven_guided": between(0.13, 0.5),
            "young_with_guided": at_most(-0.85),
        },
        source="karras2024guiding",
    ),
    Claim(
        id="not-this-is-not-the-rest",
        chapter=CHAPTER,
        sentence="away from label 0 with w = 1 and 3, p(0|x) falls to at most 0.1, and points lie 2 to 2.3 and 4.9 "
        "to 5.5 times as far from the origin as those of the other labels do.",
        bounds={"zeros": at_most(0.1), "farther_1": between(2.0, 2.3), "farther_3": between(4.9, 5.5)},
        source="du2023reduce",
    ),
    Claim(
        id="no-ones-many-zeros",
        chapter=CHAPTER,
        sentence="away from the label 1 at most 3 % of the digits are ones; with w = 1 16 to 47 % are zeros, and "
        "with w = 3 52 to 77 %.",
        bounds={"ones": at_most(0.03), "zeros_1": between(0.16, 0.47), "zeros_3": between(0.52, 0.77)},
    ),
)
