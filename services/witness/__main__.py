"""Runs the witness: `python -m services.witness`."""

from services.witness.main import main

if __name__ == "__main__":
    main()
