"""`python -m simulator SEED`: play a seed, or many; replay, shorten and tell a world that broke."""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import structlog

from simulator.disk import simulated_disks
from simulator.mutants import MUTANTS, Mutant
from simulator.plan import Plan, plan_of
from simulator.run import Outcome, Simulator
from simulator.shrink import keeping, shrink
from simulator.world import a_folder

BROKE = 1


def main(arguments: Sequence[str]) -> int:
    """0 if every world held, 1 if one broke; stops at the first one that does."""
    asked = _parser().parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    mutant = MUTANTS[asked.mutant] if asked.mutant else None
    levels: list[float] = []
    happened: Counter[str] = Counter()
    with a_folder() as folder, simulated_disks() as vfs:
        simulator = Simulator(vfs, folder)
        for seed in _seeds(asked.seeds, asked.seconds):
            plan = _plan(seed, _kinds(mutant, asked.kinds), asked.steps)
            outcome = simulator.play(plan, mutant)
            if outcome.broke and asked.shrink:
                plan = _shortened(simulator, plan, mutant, outcome.rule)
                outcome = simulator.play(plan, mutant)
            if asked.trace:
                print("\n".join(outcome.story))
            if outcome.broke:
                print(_told(plan, outcome, asked))
                return BROKE
            levels += outcome.level_after_s
            happened += outcome.happened
            print(f"seed {seed} holds: {outcome.events} events, {outcome.virtual_s:.0f} s of virtual time")
    print(json.dumps({"level_after_s": levels, "happened": happened}))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("seeds", help="a seed, or FIRST:END")
    parser.add_argument("--steps", help="play only these steps of the plan, such as 3,7,12")
    parser.add_argument(
        "--shrink", action="store_true", help="leave out every step that the fault does not need"
    )
    parser.add_argument("--trace", action="store_true", help="tell the story")
    parser.add_argument("--kinds", default="", help="draw only these kinds of steps, such as order,work,cut")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="take a rule out")
    parser.add_argument(
        "--seconds", type=float, help="go on from the first seed for so long, on the wall clock"
    )
    return parser


def _seeds(text: str, seconds: float | None) -> Iterator[int]:
    first, _, end = text.partition(":")
    ends_s = time.monotonic() + seconds if seconds is not None else None
    seed = int(first)
    last = int(end) if end else seed + 1
    while time.monotonic() < ends_s if ends_s is not None else seed < last:
        yield seed
        seed += 1


def _kinds(mutant: Mutant | None, kinds: str) -> frozenset[str]:
    if kinds:
        return frozenset(kinds.split(","))
    return mutant.kinds if mutant else frozenset()


def _plan(seed: int, kinds: frozenset[str], steps: str | None) -> Plan:
    plan = plan_of(seed, kinds)
    return keeping(plan, frozenset(map(int, steps.split(",")))) if steps else plan


def _shortened(simulator: Simulator, plan: Plan, mutant: Mutant | None, rule: str) -> Plan:
    """A plan of fewest steps that breaks by the same rule."""
    return shrink(plan, lambda fewer: simulator.play(fewer, mutant).rule == rule)


def _told(plan: Plan, outcome: Outcome, asked: argparse.Namespace) -> str:
    steps = (
        f" --steps {','.join(str(step.number) for step in plan.steps)}" if asked.shrink or asked.steps else ""
    )
    kinds = f" --kinds {asked.kinds}" if asked.kinds else ""
    mutant = f" --mutant '{asked.mutant}'" if asked.mutant else ""
    return (
        f"seed {plan.seed} BROKE after {outcome.virtual_s:.3f} s:\n{outcome.broke}\n"
        f"replay: python -m simulator {plan.seed}{steps}{kinds}{mutant} --trace"
    )
