"""Studies: what is too heavy for a notebook, each with its code, its stored results and its figures."""
