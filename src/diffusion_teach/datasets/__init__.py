"""Data sets: 2-D toys whose score is exact, and all of MNIST inside the package."""
