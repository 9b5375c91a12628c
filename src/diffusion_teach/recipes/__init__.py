"""How each checkpoint was made: one module a checkpoint, run as `python -m diffusion_teach.recipes.NAME`."""
