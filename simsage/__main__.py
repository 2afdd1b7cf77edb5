"""``python -m simsage`` is the command line."""

from simsage.cli import main

if __name__ == "__main__":
    main()
