"""MT-SICS, the command set of Mettler Toledo scales (reference manual, levels 0 and 1): one line asked, one answered.

    S    the next stable weight    S S  <value> <unit>     stable
    SI   the weight of now         S D  <value> <unit>     still moving ("dynamic")
                                   S I  not now: busy, or it did not come to rest     S + / S -  over, under its range
    Z    zero                      Z A  done               Z I, Z +, Z -  as above
    T    tare                      T S  <value> <unit>     T I, T +, T -
    @    begin anew                I4 A "<serial number>"  (forgets the tare, and every command that was not answered)

    ES   the command is not known  ET   it arrived damaged EL  it can not be done so

Lines end with CR LF, either way. Weights become whole milligrams: exact decimals, rounded once, half to even.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal, TypeAlias

from bodega.errors import PeerFault
from bodega.limits import SCALE_MILLIGRAMS_MAX

Command: TypeAlias = Literal["S", "SI", "Z", "T", "@"]
Verdict: TypeAlias = Literal["done", "stable", "moving", "busy", "over", "under", "refused"]

# International avoirdupois pound (1959): 0.45359237 kg, of 16 ounces.
_MILLIGRAMS_OF = {
    "mg": Decimal(1),
    "g": Decimal(1_000),
    "kg": Decimal(1_000_000),
    "t": Decimal(1_000_000_000),
    "lb": Decimal("453592.37"),
    "oz": Decimal("28349.523125"),
}
UNITS = tuple(_MILLIGRAMS_OF)

# Which letters an answer to a command begins with: `SI` is answered as `S` is.
_ANSWERS: dict[Command, bytes] = {"S": b"S", "SI": b"S", "Z": b"Z", "T": b"T", "@": b"I4"}
_VERDICTS: dict[bytes, Verdict] = {
    b"S": "stable",
    b"D": "moving",
    b"A": "done",
    b"I": "busy",
    b"+": "over",
    b"-": "under",
}
_REFUSALS = {
    b"ES": "it does not know the command",
    b"ET": "the command arrived damaged",
    b"EL": "the command can not be done so",
}
_WEIGHT = re.compile(rb"([+-]?[0-9]{1,12}(?:\.[0-9]{1,9})?) +([A-Za-z]{1,4})")


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of a scale. `milligrams` only where it names a weight; `detail` is for people."""

    verdict: Verdict
    milligrams: int | None = None
    detail: str = ""


def request(command: Command) -> bytes:
    """The line that asks."""
    return command.encode() + b"\r\n"


def parse(line: bytes, command: Command) -> Answer | None:
    """What a line says to `command`; None if it answers something else and is to be skipped.

    Raises `PeerFault` for an answer to this command that makes no sense, such as a unit that is not one of UNITS.
    """
    words = line.strip()
    if words in _REFUSALS:
        return Answer("refused", detail=_REFUSALS[words])
    letters, _, rest = words.partition(b" ")
    if letters != _ANSWERS[command]:
        return None
    sign, _, said = rest.partition(b" ")
    verdict = _VERDICTS.get(sign)
    if verdict is None:
        return None
    if verdict not in ("stable", "moving"):
        return Answer(verdict, detail=words.decode("ascii", "replace"))
    return Answer(verdict, _milligrams(said.strip(), words), words.decode("ascii", "replace"))


def _milligrams(said: bytes, line: bytes) -> int:
    found = _WEIGHT.fullmatch(said)
    if found is None:
        raise PeerFault(f"a scale's answer is no weight: {line[:40]!r}")
    unit = found[2].decode()
    if unit not in _MILLIGRAMS_OF:
        raise PeerFault(
            f"a scale weighs in {unit!r}, which is none of {', '.join(UNITS)}", hint="set the scale to kg"
        )
    exact = Decimal(found[1].decode()) * _MILLIGRAMS_OF[unit]
    if abs(exact) > SCALE_MILLIGRAMS_MAX:
        raise PeerFault(f"a scale says {line[:40]!r}, which is more than {SCALE_MILLIGRAMS_MAX} mg")
    return int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))
