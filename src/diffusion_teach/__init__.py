"""The library of the book: generative image models from the VAE to latent diffusion, every claim tested.

The modules follow one line, x_t = α(t)·x₀ + σ(t)·ε: `schedules` choose the path, `parameterizations` what the network
is asked for, `denoisers` answer, `samplers` walk back. `exact` knows the truth where it is known.

Import it before torch: a thread that waits for the others spins for a while before it sleeps, and a second busy program
makes small networks wait tens of times as long as they compute. So the spin is made short, which torch's threads read
once, as they are loaded. What the environment already says stays.
"""

import os

__version__ = "0.1.0"

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # GNU's threads (Linux): turns of a loop; by default 300,000
os.environ.setdefault("KMP_BLOCKTIME", "1")  # LLVM's and Intel's (macOS, Windows): milliseconds; by default 200
