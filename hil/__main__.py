"""``python -m hil``: the same as ``hil``."""

from hil.cli import main

main()
