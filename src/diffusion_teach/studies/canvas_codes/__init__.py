"""What the latent of canvases costs and buys: the terms of its autoencoder, and diffusion in it beside pixels.

python -m diffusion_teach.studies canvas_codes.terms [--only "4 channels, plain"]
python -m diffusion_teach.studies canvas_codes.obedience [--only "ldm-digits, w = 1"]
python -m diffusion_teach.studies canvas_codes.bill [--only pixels]
"""

from diffusion_teach.studies.canvas_codes import bill, obedience, terms
from diffusion_teach.studies.canvas_codes.figures import (
    ALT_BILL,
    ALT_OBEDIENCE,
    ALT_TERMS,
    bill_figure,
    obedience_figure,
    terms_figure,
)
