"""Code 128 and GS1-128: text in, the fewest symbol characters out, and the bars that they are.

Rules (ISO/IEC 15417): three subsets, a start character, switches between subsets and single shifts, FNC1 as the mark of
GS1, a check character modulo 103 and a stop of 13 modules. The cheapest way through the subsets is found exactly, by
dynamic programming over (position, subset), as the barcode's width on a label depends on it.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from bodega.errors import InvalidInput

Subset: TypeAlias = Literal["A", "B", "C"]

# In GS1 data this character stands for FNC1, as scanners send it.
GS = "\x1d"
FNC1 = 102
# In the order of preference where two ways cost the same: all printers have B.
_START: dict[Subset, int] = {"B": 104, "C": 105, "A": 103}
_SWITCH: dict[Subset, int] = {"A": 101, "B": 100, "C": 99}
_SHIFT = 98
_STOP = 106
STOP_MODULES = 13
CHARACTER_MODULES = 11

# Widths of bars and spaces, in modules, of the values 0 to 105, six digits each, and of the stop (ISO/IEC 15417).
_SIX_EACH = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222"
    "123122123221223211221132221231213212223112312131311222321122321221312212322112322211212123212321"
    "232121111323131123131321112313132113132311211313231113231311112133112331132131113123113321133121"
    "313121211331231131213113213311213131311123311321331121312113312311332111314111221411431111111224"
    "111422121124121421141122141221112214112412122114122411142112142211241211221114413111241112134111"
    "111242121142121241114212124112124211411212421112421211212141214121412121111143111341131141114113"
    "114311411113411311113141114131311141411131211412211214211232"
)
_WIDTHS = (*(_SIX_EACH[at : at + 6] for at in range(0, len(_SIX_EACH), 6)), "2331112")


def encode(text: str, *, gs1: bool = False) -> list[int]:
    """Symbol values from start to the last data character, without check and stop.

    With `gs1` the barcode begins with FNC1 and each GS in `text` is one. Raises `InvalidInput` for characters outside
    ASCII.
    """
    strange = sorted({character for character in text if ord(character) > 127})
    if strange or not text:
        what = f"characters {''.join(strange)!r} are" if strange else "an empty text is"
        raise InvalidInput(f"Code 128: {what} not encodable", hint="use letters, digits and signs of ASCII")
    # Best way to have encoded the first n characters and be in a subset: (cost, values). FNC1 is in all subsets.
    begin = [FNC1] if gs1 else []
    best: list[dict[Subset, list[int]]] = [{subset: [start, *begin] for subset, start in _START.items()}]
    for end in range(1, len(text) + 1):
        ways: dict[Subset, list[int]] = {}
        for subset, so_far, step in _steps(best, text, end, gs1):
            way = so_far + step
            if subset not in ways or len(way) < len(ways[subset]):
                ways[subset] = way
        for subset, (other, way) in _switched(ways).items():
            if subset not in ways or len(way) < len(ways[subset]):
                assert other != subset, "a switch goes to another subset"
                ways[subset] = way
        best.append(ways)
    return min((best[-1][subset] for subset in _START if subset in best[-1]), key=len)


def _steps(
    best: list[dict[Subset, list[int]]], text: str, end: int, gs1: bool
) -> list[tuple[Subset, list[int], list[int]]]:
    character, before = text[end - 1], best[end - 1]
    if gs1 and character == GS:
        return [(subset, way, [FNC1]) for subset, way in before.items()]
    steps: list[tuple[Subset, list[int], list[int]]] = []
    in_a, in_b = _value_in_a(character), _value_in_b(character)
    for subset, way in before.items():
        own, other = (in_a, in_b) if subset == "A" else (in_b, in_a)
        if subset != "C":
            steps.append((subset, way, [own] if own is not None else [_SHIFT, other or 0]))
    pair = text[end - 2 : end] if end >= 2 else ""
    if pair.isdigit() and "C" in best[end - 2]:
        steps.append(("C", best[end - 2]["C"], [int(pair)]))
    return steps


def _switched(ways: dict[Subset, list[int]]) -> dict[Subset, tuple[Subset, list[int]]]:
    if not ways:
        return {}
    cheapest = min(ways, key=lambda subset: len(ways[subset]))
    return {
        subset: (cheapest, [*ways[cheapest], switch])
        for subset, switch in _SWITCH.items()
        if subset != cheapest
    }


def _value_in_a(character: str) -> int | None:
    code = ord(character)
    if code < 32:
        return code + 64
    return code - 32 if code < 96 else None


def _value_in_b(character: str) -> int | None:
    code = ord(character)
    return code - 32 if code >= 32 else None


def modules_of(values: list[int]) -> int:
    """Width of the whole symbol in modules, check and stop included, quiet zones not."""
    return CHARACTER_MODULES * (len(values) + 1) + STOP_MODULES


def bars(values: list[int]) -> list[bool]:
    """The modules from left to right, True for dark, with check character and stop."""
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % 103
    modules: list[bool] = []
    for value in (*values, check, _STOP):
        for place, width in enumerate(_WIDTHS[value]):
            modules += [place % 2 == 0] * int(width)
    return modules


_ZPL_START = {103: ">9", 104: ">:", 105: ">;"}
_ZPL_CODES = {99: ">5", 100: ">6", 101: ">7", FNC1: ">8"}
_ZPL_SPECIAL = {"^": "><", ">": ">0", "~": ">="}


def zpl_data(values: list[int]) -> str | None:
    """The same symbol as field data of `^BC` (ZPL II Programming Guide, "Code 128 Subsets"), character for character.

    None if it needs subset A or a shift, in which printers differ.
    """
    subset, data = values[0], _ZPL_START[values[0]]
    for value in values[1:]:
        if subset == _START["A"] or (value == _SHIFT and subset != _START["C"]):
            return None
        if value in _ZPL_CODES and (value != 99 or subset != _START["C"]):
            data += _ZPL_CODES[value]
            subset = {99: _START["C"], 100: _START["B"], 101: _START["A"]}.get(value, subset)
        elif subset == _START["C"]:
            data += f"{value:02d}"
        else:
            character = chr(value + 32)
            data += _ZPL_SPECIAL.get(character, character)
    return data
