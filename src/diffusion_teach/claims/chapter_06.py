"""The claims of chapter 06."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "06_ddpm"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="one-step-gives-the-mean",
        chapter=CHAPTER,
        sentence="a network trained to turn noise into a digit in one go gives the mean of all digits, "
        "to within nine hundredths of their variance.",
        bounds={"off_the_mean": at_most(0.09)},
        facts=(11,),
    ),
    Claim(
        id="steps-equal-jump",
        chapter=CHAPTER,
        sentence="single steps of the forward process have the mean and the deviation of one jump, to 1.5 %, at "
        "every t.",
        bounds={"gap": at_most(0.015)},
        source="ho2020denoising",
        facts=(1,),
    ),
    Claim(
        id="beta-needs-its-root",
        chapter=CHAPTER,
        sentence="with β where √β belongs the forward process ends with a deviation of .135 to .14 where "
        "it should have 1.",
        bounds={"noise_left": between(0.135, 0.14)},
        source="ho2020denoising",
    ),
    Claim(
        id="bound-weighs-detail",
        chapter=CHAPTER,
        sentence="the variational bound weighs the noise of step 2 some 27 times as heavily as that of the last step.",
        bounds={"ratio": between(26.5, 27)},
        source="ho2020denoising",
        facts=(11,),
        printed="FID 13.51 with L, 3.17 with L_simple",
    ),
    Claim(
        id="between-floor-and-linear",
        chapter=CHAPTER,
        sentence="from t = 0.05 to 0.4 the network's loss is at least 1.7 times the exact floor, and below 85 % of the "
        "best linear guess's.",
        bounds={"log10_above_floor": at_least(0.23), "below_linear": at_most(0.85)},
        facts=(11,),
    ),
    Claim(
        id="no-better-on-seen-images",
        chapter=CHAPTER,
        sentence="from t = 0.05 to 0.4 the loss of the shipped model, which has seen each training image more than "
        "eighty times, is on test images within 16 % of that on training images.",
        bounds={"ratio": between(0.84, 1.16)},
        facts=(4,),
    ),
    Claim(
        id="half-a-minute-of-training",
        chapter=CHAPTER,
        sentence="after half a minute of training the Fréchet distance of 2,000 samples is 13 to 38.5 times its floor "
        "by the classifier and 5 to 9.5 times by the encoder, and 19 to 36 in a hundred are illegible.",
        bounds={"classifier": between(13, 38.5), "encoder": between(5, 9.5), "illegible": between(0.19, 0.36)},
        source="heusel2017gans",
        facts=(4,),
    ),
    Claim(
        id="a-few-scrawls-hide",
        chapter=CHAPTER,
        sentence="where one real digit in twenty has another one over it, the Fréchet distance stays within 2.5 times "
        "its floor by the classifier and 1.5 times by the encoder, and at least .3 in a hundred digits more cannot be "
        "read.",
        bounds={"classifier": at_most(2.5), "encoder": at_most(1.5), "more_illegible": at_least(0.003)},
    ),
    Claim(
        id="the-judges-differ",
        chapter=CHAPTER,
        sentence="of real digits with grain, the distance over its floor is by the encoder at least 3 times that by "
        "the classifier; of digits shifted by a pixel, by the classifier at least 1.2 times that by the encoder.",
        bounds={"grain": at_least(3), "shift": at_least(1.2)},
    ),
    Claim(
        id="longer-training-nearer",
        chapter=CHAPTER,
        sentence="a larger network trained for longer, the shipped ddpm-mnist, comes in 10 steps within 2.5 times the "
        "floor by the classifier and 1.5 times by the encoder, and within a fifth of the distance that half a minute "
        "of training leaves; at most 10.5 in a hundred of its digits are illegible.",
        bounds={
            "classifier": at_most(2.5),
            "encoder": at_most(1.5),
            "ratio": at_most(0.2),
            "illegible": at_most(0.105),
        },
        facts=(4,),
    ),
    Claim(
        id="exact-score-recites",
        chapter=CHAPTER,
        sentence="the exact score of 500 training images, sampled, returns training images and nothing else.",
        bounds={"distance": at_most(0.01)},
        source="carlini2023extracting",
        facts=(4,),
    ),
    Claim(
        id="network-does-not-copy",
        chapter=CHAPTER,
        sentence="moved by up to a pixel, the shipped model's samples lie by the median at least .8 times as far from "
        "the training set as real test images do, and their nearest twentieth at least .45 times as far as theirs.",
        bounds={"median": at_least(0.8), "nearest_twentieth": at_least(0.45)},
        source="carlini2023extracting",
        facts=(4,),
    ),
    Claim(
        id="average-helps-midway",
        chapter=CHAPTER,
        sentence="in the middle of training the averaged weights have a loss lower by at least 0.15 % than the raw "
        "ones.",
        bounds={"ratio": at_most(0.9985)},
        facts=(11,),
    ),
    Claim(
        id="average-ends-level",
        chapter=CHAPTER,
        sentence="when the learning rate has fallen to zero, averaging the weights changes the loss by less than 1 %.",
        bounds={"ratio": between(0.99, 1.01)},
    ),
)
