"""`python -m bodega_agent.cli`, the same as `bodega`."""

from __future__ import annotations

from bodega_agent.cli import main

main()
