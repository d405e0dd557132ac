"""`python -m rekindle` is the `rekindle` program."""

from __future__ import annotations

import sys

from rekindle.cli import main

if __name__ == "__main__":
    sys.exit(main())
