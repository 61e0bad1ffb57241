"""Which versions of the protocol understand each other, without I/O.

Within a version everything is additive: fields and facts that a reader does not know are kept and passed on. The
number rises when a reader of the version before would do something wrong, and not merely less. A side serves the
two versions before its own; what is newer than it decides by its own rule.
"""

from __future__ import annotations

# 1: everything before versions were stated. 2: bulk may come late, telemetry beside the journal, pacing.
PROTOCOL = 2
SERVED_BACK = 2


def skew_fault(peer: str, stated: int, *, ours: int = PROTOCOL) -> str:
    """Why a peer that states this version can not be served, as a sentence for people; empty if it can.

    0 is what a peer states that is older than the statement itself.
    """
    theirs = stated or 1
    if theirs >= ours - SERVED_BACK:
        return ""
    return (
        f"{peer} speaks version {theirs} of the protocol, and the oldest that is served is {ours - SERVED_BACK}:"
        " upgrade it"
    )
