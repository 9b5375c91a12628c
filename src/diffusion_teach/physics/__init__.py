"""The physics of ink: the heat equation, and that of the noising process."""
