"""Networks: what is trained."""
