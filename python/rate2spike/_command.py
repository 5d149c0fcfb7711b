"""The command ``rate2spike``."""

import sys

from . import _native


def main() -> None:
    """Runs the command with the words of the command line, and ends with its status."""
    sys.exit(_native.command(["rate2spike", *sys.argv[1:]]))
