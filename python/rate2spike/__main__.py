"""``python -m rate2spike`` is the command ``rate2spike``."""

from ._command import main

main()
