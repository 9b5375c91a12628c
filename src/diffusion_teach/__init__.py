"""The library of the book: generative image models from the VAE to latent diffusion, every claim tested.

The modules follow one line, x_t = α(t)·x₀ + σ(t)·ε: `schedules` choose the path, `parameterizations` what the network
is asked for, `denoisers` answer, `samplers` walk back. `exact` knows the truth where it is known.
"""

__version__ = "0.1.0"
