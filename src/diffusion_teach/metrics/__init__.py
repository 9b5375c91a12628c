"""How one measures a generator: distances of distributions, precision and recall, modes; each with its floor."""
