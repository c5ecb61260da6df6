"""`python -m vigie`: the command line, where the console script is not on the PATH."""

from vigie.cli import main

if __name__ == "__main__":
    main()
