"""The command line of the simulator; hashes are fixed before anything else is imported, or sets would differ."""

from __future__ import annotations

import sys

from simulator.hashes import fix_hashes

fix_hashes()

from simulator.cli import main  # noqa: E402 - only after the hashes are fixed

sys.exit(main(sys.argv[1:]))
