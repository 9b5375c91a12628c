"""The claims of chapter 9, fast sampling."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim, at_least, at_most, between

CHAPTER = "09_fast_sampling"

CLAIMS = ()
