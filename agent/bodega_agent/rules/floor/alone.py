"""What a node knows where it decides alone, and what it has decided."""

from __future__ import annotations

from dataclasses import dataclass, field

from bodega.core.routing.alone import decide_alone
from bodega.core.routing.bundle import Bundle
from bodega.core.routing.choice import Choice
from bodega.core.routing.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Alone:
    """What a node decides by where it decides alone: a bundle, and the question with this one node.

    Of a carrier's the recipient is in it. Personal data: never logged.
    """

    bundle: Bundle
    inputs: Inputs = field(repr=False)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as it is kept, to be explained and made again.

    `decision`: "carrier", "pickup" or "within_site". `subject`: the fulfillment order, or the first reservation of a
    basket. `reason`: why it was asked at all, or empty.
    """

    decision: str
    subject: str
    reason: str
    bundle: Bundle
    inputs: Inputs = field(repr=False)
    choice: Choice = field(repr=False)

    @property
    def why_not(self) -> str:
        """What the rules have against the candidates: the first of their reasons, "" where one may serve."""
        if any(one.eligible for one in self.choice.candidates):
            return ""
        told = [reason for one in self.choice.candidates for reason in one.reasons]
        rules = [reason.text for reason in told if reason.code != "passed-over"]
        return next(iter(rules), told[0].text if told else "")


def decided(
    alone: Alone, decision: str, subject: str, *, inputs: Inputs | None = None, reason: str = ""
) -> Decided:
    """The decision of a node; of other `inputs` than those at hand where the step knows more."""
    asked = alone.inputs if inputs is None else inputs
    choice = decide_alone(alone.bundle, decision, asked)
    return Decided(decision, subject, reason, alone.bundle, asked, choice)
