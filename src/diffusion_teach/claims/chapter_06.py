"""The claims of chapter 06."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "06_ddpm"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="one-step-gives-the-mean",
        chapter=CHAPTER,
        sentence="a network trained to turn noise into a digit in one go gives the mean of all digits, "
        "to within a tenth of their variance.",
        bounds={"off_the_mean": at_most(0.1)},
        facts=(11,),
    ),
    Claim(
        id="steps-equal-jump",
        chapter=CHAPTER,
        sentence="single steps of the forward process have the mean and the deviation of one jump, to 2 %, at every t.",
        bounds={"gap": at_most(0.02)},
        source="ho2020denoising",
        facts=(1,),
    ),
    Claim(
        id="beta-needs-its-root",
        chapter=CHAPTER,
        sentence="with β where √β belongs the forward process ends with less than a fifth of its noise.",
        bounds={"noise_left": at_most(0.2)},
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
        sentence="up to t = 0.5 the network's loss lies above the exact floor, and from t = 0.05 to 0.4 "
        "below four fifths of the best linear guess's.",
        bounds={"above_floor": at_least(1), "below_linear": at_most(0.8)},
        facts=(11,),
    ),
    Claim(
        id="no-better-on-seen-images",
        chapter=CHAPTER,
        sentence="from t = 0.05 to 0.4 the network's loss on 64 test images is within 20 % of that on 64 training "
        "images.",
        bounds={"ratio": between(0.8, 1.2)},
        facts=(4,),
    ),
    Claim(
        id="half-a-minute-of-training",
        chapter=CHAPTER,
        sentence="after half a minute of training the Fréchet distance of 2,000 samples is at most 40 times its floor "
        "by the classifier and at most 10 times by the encoder, and at most 36 in a hundred are illegible.",
        bounds={"classifier": at_most(40), "encoder": at_most(10), "illegible": at_most(0.36)},
        source="heusel2017gans",
        facts=(4,),
    ),
    Claim(
        id="a-few-scrawls-hide",
        chapter=CHAPTER,
        sentence="where one real digit in twenty has another one over it, the Fréchet distance stays within 2.5 times "
        "its floor by both judges, and more digits cannot be read.",
        bounds={"classifier": at_most(2.5), "encoder": at_most(2.5), "more_illegible": at_least(0.002)},
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
        sentence="a larger network trained for longer, the shipped ddpm-mnist, comes within 4 times the floor by both "
        "judges in 10 steps, and within half of the distance that half a minute of training leaves; at most 12 in a "
        "hundred of its digits are illegible.",
        bounds={"classifier": at_most(4), "encoder": at_most(4), "ratio": at_most(0.5), "illegible": at_most(0.12)},
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
        sentence="the network's samples lie at least two thirds as far from the training set as real test images do, "
        "by the median, and their nearest twentieth at least half as far as theirs.",
        bounds={"median": at_least(0.67), "nearest_twentieth": at_least(0.5)},
        source="carlini2023extracting",
        facts=(4,),
    ),
    Claim(
        id="average-helps-midway",
        chapter=CHAPTER,
        sentence="in the middle of training the averaged weights have a loss lower by at least half a per cent than "
        "the raw ones.",
        bounds={"ratio": at_most(0.995)},
        facts=(11,),
    ),
    Claim(
        id="average-ends-level",
        chapter=CHAPTER,
        sentence="when the learning rate has fallen to zero, averaging the weights changes the loss by less than 2 %.",
        bounds={"ratio": between(0.98, 1.02)},
    ),
)
