"""The command `diffusion-teach`."""
