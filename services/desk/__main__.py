"""Runs desk: `python -m services.desk`."""

from services.desk.main import main

if __name__ == "__main__":
    main()
