"""Names that the command line offers before torch is loaded; what they mean stands where they are used."""

PRECISIONS = ("auto", "float32", "bfloat16")
SAMPLERS = ("ancestral", "sde_dpm_solver", "ddim", "dpm_solver", "euler", "heun", "annealed_langevin")
SUFFIXES = (".npz", ".png", ".gif")
