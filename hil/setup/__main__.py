"""``python3 -m hil.setup [--bench | --dev]``; says why not on a Python that is too old."""

import sys

from hil.setup import host


def main() -> int:
    """Check the machine with what any Python 3 can read, then hand over."""
    dev = "--dev" in sys.argv[1:]
    problem = host.problem(*host.here(), dev=dev)
    if problem is not None:
        sys.stderr.write(f"setup: error: {problem}\n")
        return 4
    from hil.setup.steps import command

    return command(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
