"""The claims of chapter 11."""

from __future__ import annotations

from diffusion_teach.claims.claim import Claim

CLAIMS: tuple[Claim, ...] = ()
