"""`python -m services.keyholder`."""

from services.keyholder.main import main

if __name__ == "__main__":
    main()
