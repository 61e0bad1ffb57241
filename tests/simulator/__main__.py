"""`python -m simulator SEED`"""

from __future__ import annotations

import logging
import sys
import time

from simulator.seeding import fix_hashes

fix_hashes()

import structlog

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
from simulator.disk import simulated_disks
from simulator.plan import plan_of
from simulator.run import Simulator
from simulator.world import a_folder

with a_folder() as folder, simulated_disks() as vfs:
    sim = Simulator(vfs, folder)
    a, b = int(sys.argv[1]), int(sys.argv[2])
    from simulator.mutants import MUTANTS
    m = MUTANTS[sys.argv[3]] if len(sys.argv) > 3 and sys.argv[3] in MUTANTS else None
    for seed in range(a, b):
        t = time.perf_counter()
        o = sim.play(plan_of(seed, m.kinds if m else ()), m)
        print(seed, f"{time.perf_counter() - t:.3f}", f"{o.virtual_s:.1f}", o.level_after_s, o.broke[:300])
        if "-v" in sys.argv:
            print("\n".join(o.story))
