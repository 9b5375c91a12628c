"""`python -m diffusion_teach.cli`, which torchrun can start."""

from diffusion_teach.cli.main import main

if __name__ == "__main__":
    main()
