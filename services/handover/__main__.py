"""Runs handover: `python -m services.handover`."""

from services.handover.main import main

if __name__ == "__main__":
    main()
