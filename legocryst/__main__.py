"""`python -m legocryst COMMAND`: the stages of the pages, from a terminal."""

import sys

from legocryst.cli import main

if __name__ == "__main__":
    sys.exit(main())
