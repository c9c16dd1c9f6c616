"""What platform.txt calls: finds the package that this platform is part of, runs its launcher."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[6]))

if sys.version_info < (3, 11):  # noqa: UP036 - arduino-cli may find any python3 on PATH
    sys.exit(f"the virtual bench needs Python 3.11 or newer; python3 is {sys.version.split()[0]}")

from hil.virtual.__main__ import main  # noqa: E402

sys.exit(main())
