"""Runs query: `python -m services.query`."""

from services.query.main import main

if __name__ == "__main__":
    main()
