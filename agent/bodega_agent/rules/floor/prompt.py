"""What a person at a scanner is told, and what may be scanned next.

A text is short, names the thing, and ends with what to do next. Tone "error" means: nothing was moved by
this scan. `expect` says the same to programs (the line-mode terminal, a hand-held page, a test's robot).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bodega_agent.rules.floor.effects import Effect
from bodega_agent.rules.floor.session import FLOWS, FloorStep, Session


class Tone(StrEnum):
    """How a terminal sounds: a good beep, a bad one, or a question."""

    OK = "ok"
    ERROR = "error"
    ASK = "ask"


class ExpectKind(StrEnum):
    """What sort of code is asked for; `any` where `values` mixes sorts."""

    ITEM = "item"
    BIN = "bin"
    SSCC = "sscc"
    CARTON = "carton"
    TOTE = "tote"
    ORDER = "order"
    NOTICE = "notice"
    TRANSFER = "transfer"
    RETURN_ID = "return"
    BADGE = "badge"
    NUMBER = "number"
    WORD = "word"
    TEXT = "text"
    CONTROL = "control"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Expect:
    """`values` are the codes that lead on (GTIN-14s, bin ids, SSCCs, names, words); empty: any of `kind`.

    `secret`: what is typed now is for no other eyes; a terminal does not show it.
    """

    kind: ExpectKind
    values: tuple[str, ...] = ()
    sku_id: str = ""
    quantity: int = 0
    fulfillment_order_id: str = ""
    sscc: str = ""
    secret: bool = False

    def to_json(self) -> dict[str, Any]:
        """Keys that do not apply are absent."""
        shown: dict[str, Any] = {"kind": self.kind.value, "values": list(self.values)}
        for key in ("sku_id", "quantity", "fulfillment_order_id", "sscc", "secret"):
            value = getattr(self, key)
            if value:
                shown[key] = value
        return shown


@dataclass(frozen=True, slots=True)
class Prompt:
    """One answer to one scan. The service adds device, scan_no and boot_nonce."""

    tone: Tone
    text: str
    detail: tuple[str, ...] = ()
    step: FloorStep = FloorStep.IDLE
    expect: Expect | None = None

    @property
    def flow(self) -> str:
        """The flow that the step belongs to, such as "pick"."""
        return FLOWS[self.step]

    def to_json(self) -> dict[str, Any]:
        """The prompt's part of the control socket's Prompt."""
        return {
            "tone": self.tone.value,
            "text": self.text,
            "detail": list(self.detail),
            "flow": self.flow,
            "step": self.step.value,
            "expect": None if self.expect is None else self.expect.to_json(),
        }


@dataclass(frozen=True, slots=True)
class GoOn:
    """The session to go on with once the effects are done, and what stands before its prompt (`engine.go_on`)."""

    session: Session
    said: str = ""
    tone: Tone | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step answers: the session from now on, what to do (in one transaction with it), what to say.

    With `then`, another session counts instead, and its prompt is made from facts that are read after the effects.
    """

    session: Session
    effects: tuple[Effect, ...]
    prompt: Prompt
    then: GoOn | None = None


def units(quantity: int, name: str) -> str:
    """Such as "3 x Oat milk 1 l"; plain ASCII around the name, for cheap terminals."""
    return f"{quantity} x {name}"
