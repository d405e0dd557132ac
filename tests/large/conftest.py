"""The small study of these tests, found under its name by the tests and by a cluster's workers."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
