"""`python -m device_sim`."""

from device_sim.cli import app

if __name__ == "__main__":
    app()
