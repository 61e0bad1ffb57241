"""The tests in `inside/` plug and unplug real devices: they run in the virtual machine and nowhere else."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("BODEGA_HARDWARE") else ["inside"]
