"""The claims of chapter 8, score-based models through stochastic differential equations."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "08_score_sde"

CLAIMS = (
    Claim(
        id="ito-is-not-newton",
        chapter=CHAPTER,
        sentence="over a time of 1 the squares of 256 increments of Brownian motion add up to 1, within .004 on "
        "average, and scatter by .086 to .091; the sum of w·Δw is 0 within .025 with w before the step, with a "
        "variance of .44 to .56, and 1 within .025 with w after it.",
        bounds={
            "squares": between(0.996, 1.004),
            "scatter": between(0.086, 0.091),
            "before": between(-0.025, 0.025),
            "after": between(0.975, 1.025),
            "variance": between(0.44, 0.56),
        },
        facts=(3,),
    ),
    Claim(
        id="three-sdes-three-lines",
        chapter=CHAPTER,
        sentence="paths of the VP, sub-VP and VE equations that start at x₀ have at t = .25, .5 and 1 the mean α·x₀, "
        "to within .05 σ, and the deviation σ, to within 4.5 %.",
        bounds={"mean": at_most(0.05), "deviation": between(0.955, 1.045)},
        source="song2021score",
        facts=(3,),
    ),
    Claim(
        id="only-the-chain-there-is-exact",
        chapter=CHAPTER,
        sentence="on a Gaussian the error of the variance falls with the power .9 to 1.1 of the number of steps for "
        "Euler–Maruyama there and back, for ancestral sampling and for the flow; the chain of DDPM has none.",
        bounds={"orders": between(0.9, 1.1), "chain": at_most(1e-12)},
        source="song2021score",
        facts=(3,),
    ),
    Claim(
        id="one-density-many-walks",
        chapter=CHAPTER,
        sentence="the walks back with the noise k·g and the matching drift, k = 0, .5, 1 and 2, have the exact "
        "distribution function at t = .3 and t = .02 to within .03; the noise of k = 1 with the drift of k = 0 misses "
        "it by .2 and more.",
        bounds={"matching": at_most(0.03), "mismatched": at_least(0.2)},
        source="song2021score",
        facts=(3,),
    ),
    Claim(
        id="only-one-walk-is-the-film",
        chapter=CHAPTER,
        sentence="of a standard normal law, the covariance of two times over that of the process is 2.59 to 2.71 for "
        "k = 0, 2.03 to 2.13 for k = .5, .945 to 1.04 for k = 1, and .01 to .09 for k = 2: only Anderson's walk is "
        "the reversal.",
        bounds={
            "none": between(2.59, 2.71),
            "half": between(2.03, 2.13),
            "one": between(0.945, 1.04),
            "two": between(0.01, 0.09),
        },
        source="anderson1982reverse",
        facts=(3,),
    ),
    Claim(
        id="a-corrector-forgets",
        chapter=CHAPTER,
        sentence="started at t = .3 with half or twice the variance, the flow ends with .47 to .52 or 1.9 to 2.06 "
        "times the right one, Anderson's walk with .9 to 1.19 times, the flow with a corrector after each step with "
        ".97 to 1.06 times; started rightly, at equal cost and with the exact score, the corrector ends .01 to .09 "
        "farther off than the predictor alone.",
        bounds={
            "half_alone": between(0.47, 0.52),
            "twice_alone": between(1.9, 2.06),
            "by_chance": between(0.9, 1.19),
            "corrected": between(0.97, 1.06),
            "price": between(0.01, 0.09),
        },
        source="song2021score",
        facts=(3,),
        printed="CIFAR-10, probability flow without a corrector, 1,000 steps: FID 15.41 (VE), 3.59 (VP)",
    ),
    Claim(
        id="two-names-one-answer",
        chapter=CHAPTER,
        sentence="asked about the same test digits in the same noise, the shipped DDPM and the shipped NCSN give "
        "pictures that differ by at most .12 of what lies between them and the mean digit at a log-SNR of −6 and at "
        "most .005 at 4; a Gaussian with the digits' covariance differs at least 5 times as much from DDPM at −2 to "
        "2, and NCSN itself, handed DDPM's pixels and time as they are, at least 12 times as much.",
        bounds={
            "much_noise": at_most(0.12),
            "little_noise": at_most(0.005),
            "gaussian": at_least(5),
            "naive": at_least(12),
        },
        source="song2021score",
        facts=(3,),
    ),
    Claim(
        id="as-near-as-two-seeds",
        chapter=CHAPTER,
        sentence="in the plane, at each of ten log-SNRs, an ε-network on VP and a score network on VE of the same size "
        "and training differ by .4 to 4 times as much as two seeds of one of them.",
        bounds={"across_over_within": between(0.4, 4)},
        source="ho2020denoising",
        facts=(3,),
    ),
    Claim(
        id="as-near-on-digits",
        chapter=CHAPTER,
        sentence="at each of eight log-SNRs, NCSN and a DDPM that was trained for as many steps differ in what they "
        "see of a digit by .9 to 1.15 times as much as two seeds of NCSN.",
        bounds={"across_over_within": between(0.9, 1.15)},
        source="ho2020denoising",
        facts=(3,),
        stored="python -m diffusion_teach.studies two_names.measure",
    ),
    Claim(
        id="one-noise-two-networks",
        chapter=CHAPTER,
        sentence="from one sample of noise, along one flow, both networks walk to like digits: their squared distance "
        "is at most .25 of that of digits from different noise; for the Gaussian of the digits' mean and covariance "
        "it is at least .26 from DDPM's.",
        bounds={"same_over_different": at_most(0.25), "gaussian": at_least(0.26)},
        source="song2021score",
        facts=(3,),
    ),
    Claim(
        id="the-flow-knows-its-density",
        chapter=CHAPTER,
        sentence="with 100 steps of Runge and Kutta's the flow tells the mixture's log-density to within 2·10⁻⁵ nats "
        "on average and 2·10⁻⁴ at most; with 25 steps 120 to 320 times less well.",
        bounds={"mean": at_most(2e-5), "most": at_most(2e-4), "coarse_over_fine": between(120, 320)},
        source="song2021score",
        facts=(3,),
    ),
    Claim(
        id="signs-are-quieter",
        chapter=CHAPTER,
        sentence="Hutchinson's estimator is right on average, within .11 nats with signs and .75 with normal probes; "
        "the variance of normal ones is within a fifth of what the Jacobian of a correlated Gaussian predicts, and 95 "
        "to 155 times that of signs.",
        bounds={
            "signs": between(-0.11, 0.11),
            "normal": between(-0.75, 0.75),
            "predicted": between(0.8, 1.2),
            "ratio": between(95, 155),
        },
        source="hutchinson1989stochastic",
        facts=(3,),
    ),
    Claim(
        id="a-network-has-a-likelihood",
        chapter=CHAPTER,
        sentence="the density of the trained network's flow lies .01 to .2 nats below the true one on average over "
        "the data, which is their divergence.",
        bounds={"nats": between(0.01, 0.2)},
        source="song2021score",
        facts=(3,),
    ),
    Claim(
        id="the-bound-closes-like-one-over-t",
        chapter=CHAPTER,
        sentence="with the exact score the bound of chapter 3 lies below the density by 2.3 to 2.9 nats at 32 steps, "
        "and from there to 128 the gap falls with the power .93 to 1.25 of their number.",
        bounds={"gap": between(2.3, 2.9), "order": between(0.93, 1.25)},
        source="kingma2021variational",
        facts=(1, 3),
    ),
    Claim(
        id="bits-of-a-digit",
        chapter=CHAPTER,
        sentence="a pixel of a dequantised test digit costs 1.35 to 1.65 bits by the flow of the shipped "
        "likelihood-mnist, and 1.1 to 1.25 times as many by the bound of ancestral sampling in 250 steps.",
        bounds={"flow": between(1.35, 1.65), "bound_over_flow": between(1.1, 1.25)},
        source="kingma2021variational",
        facts=(3,),
        printed="flows on MNIST: about 1.0 bits per dimension (reported)",
    ),
    Claim(
        id="one-code-two-networks",
        chapter=CHAPTER,
        sentence="the codes that both networks give to one test digit correlate by at least .93 on average; with that "
        "of the Gaussian of the digits' mean and covariance DDPM's correlates by at most .85, and with that of "
        "another digit by at most .1.",
        bounds={"same": at_least(0.93), "gaussian": at_most(0.85), "different": at_most(0.1)},
        source="song2021score",
        facts=(3,),
    ),
    Claim(
        id="conditioning-beside-the-exact-answer",
        chapter=CHAPTER,
        sentence="of a correlated Gaussian with one coordinate seen, the denoiser that knows the measurement gives "
        "the other the exact mean within .055 and .95 to 1.06 times the exact deviation; putting the seen one in at "
        "each level draws the mean .48 to .61 towards that of all data, and with each step walked ten times at most "
        ".15.",
        bounds={
            "mean": between(-0.055, 0.055),
            "deviation": between(0.95, 1.06),
            "put_in": between(-0.61, -0.48),
            "put_in_ten": between(-0.15, 0),
        },
        source="song2021score",
        facts=(1, 3),
    ),
    Claim(
        id="blurred-digits-come-back",
        chapter=CHAPTER,
        sentence="of digits under a 9 × 9 blur, the restored ones explain what was seen to within .85 to 1.2 times "
        "its noise, are in the geometric mean at most .9 times as far from the true ones as those of the best linear "
        "filter, and have .75 to 1.25 times as many grey pixels; the filter's have at least 1.8 times as many.",
        bounds={
            "residual": between(0.85, 1.2),
            "error_over_filter": at_most(0.9),
            "grey": between(0.75, 1.25),
            "grey_filter": at_least(1.8),
        },
        facts=(3,),
    ),
)
