"""`python -m bodega_controlplane.cli`: the same command line without an installed script."""

from __future__ import annotations

from bodega_controlplane.cli import main

if __name__ == "__main__":
    main()
