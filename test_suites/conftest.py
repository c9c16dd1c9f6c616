"""What all suites need, whoever runs them."""

from __future__ import annotations

import importlib.util
import signal

# How long an example takes is the machine's business; a busy one is no failure. A bench that only
# runs models has no hypothesis.
if importlib.util.find_spec("hypothesis"):
    from hypothesis import settings

    settings.register_profile("any_machine", deadline=None)
    settings.load_profile("any_machine")

# A shell that runs a job in the background has it ignore Ctrl-C, and so would every process that
# a test starts in order to interrupt it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
