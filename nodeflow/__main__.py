"""`python -m nodeflow` is the command `nodeflow`."""

from __future__ import annotations

import sys

from nodeflow.cli import main

if __name__ == "__main__":
    sys.exit(main())
