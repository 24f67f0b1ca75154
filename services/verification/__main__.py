"""Runs verification: `python -m services.verification`."""

from services.verification.main import main

if __name__ == "__main__":
    main()
