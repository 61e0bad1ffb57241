"""Who may begin a new epoch of a node: pure, so that every way in can be read and tested in one place.

A new epoch makes the caller the node, and shuts every other agent out. So nobody talks himself into it: another
agent that is alive keeps the place, and but for a declared restore of the node's own store a person must approve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bodega.errors import Refused
from bodega.limits import OTHER_AGENT_SILENT_S

RESTORED, WIPED, FORKED = "restored", "wiped", "forked"
REASONS = (RESTORED, WIPED, FORKED)


@dataclass(frozen=True, slots=True)
class Agent:
    """One start of an agent, as the hub has heard of it; `stopped` says why it writes no more, or is empty."""

    boot_nonce: str
    last_ms: int
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller says. `proven`: the hub has an event of the caller's journal, or had none at all of the node."""

    node_id: str
    boot_nonce: str
    reason: str
    proven: bool


def check_may_begin(asked: Asked, agents: Sequence[Agent], now_ms: int, *, approved: bool) -> None:
    """Raises Refused with code "other-agent-alive" or "not-declared".

    Who spoke long after now did so before the hub's clock was set back, and if he lived would have spoken again.
    """
    for agent in agents:
        silent_ms = now_ms - agent.last_ms
        if (
            agent.boot_nonce != asked.boot_nonce
            and not agent.stopped
            and abs(silent_ms) < OTHER_AGENT_SILENT_S * 1000
        ):
            raise Refused(
                f"another agent of {asked.node_id} is alive: {agent.boot_nonce[:8]} spoke {silent_ms} ms ago",
                code="other-agent-alive",
                hint=f"stop one of the two; a stopped one counts as gone after {OTHER_AGENT_SILENT_S:.0f} s",
            )
    if not approved and not (asked.reason == RESTORED and asked.proven):
        raise Refused(
            f"{asked.node_id} may not begin a new epoch by itself: {_WHY[asked.reason]}",
            code="not-declared",
            hint=f"if it is the right machine: bodegactl nodes readmit {asked.node_id} --reason TEXT",
        )


_WHY = {
    RESTORED: "its backup holds no event that the hub has",
    WIPED: "it has lost its journal",
    FORKED: "its journal is not the one that the hub has",
}


def two_alive(speaker: Agent | None, others: Sequence[tuple[str, int]], grace_ms: int, now_ms: int) -> str:
    """The nonce of another agent that was started between two words of the speaker; empty if there is none.

    `speaker`: as it was before it spoke now, None for its first word. `others`: (nonce, first heard). A start anew
    silences the one before, so a former agent that speaks again is a second one. `grace_ms`: a word of the former
    one may have been on its way so long.
    """
    if speaker is None:
        return ""
    for nonce, first_ms in others:
        if nonce != speaker.boot_nonce and speaker.last_ms <= first_ms <= now_ms - grace_ms:
            return nonce
    return ""
