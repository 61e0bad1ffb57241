"""Which character a key gives, by the keyboard layout that a wedge scanner was set up for: US, German, French.

Keys are the kernel's codes (linux/input-event-codes.h), which name places on a US keyboard. The columns of a layout are
the characters of KEYS in order: plain, with Shift, and with AltGr. NONE stands for a key without a character of
ISO 8859-1. The tables are those of xkeyboard-config ("us", "de", "fr").
"""

from __future__ import annotations

from dataclasses import dataclass, field

NONE = "\0"
# Number row, letter rows, and the key beside the left Shift of European keyboards.
KEYS = (41, *range(2, 14), *range(16, 28), *range(30, 41), 43, 86, *range(44, 54))


@dataclass(frozen=True, slots=True)
class Layout:
    """`dead`: characters whose key waits for a second one; a scanner sends a space behind to get them alone."""

    plain: dict[int, str]
    shifted: dict[int, str]
    alt_gr: dict[int, str] = field(default_factory=dict)
    dead: frozenset[str] = frozenset()


def _row(*columns: str) -> dict[int, str]:
    return {key: char for key, char in zip(KEYS, "".join(columns), strict=True) if char != NONE}


_DIGITS_ROW = {char: key for key, char in enumerate("1234567890", start=2)}
_E, _Q, _RIGHT_OF_0, _RIGHT_OF_THAT, _RIGHT_OF_P, _THEN = 18, 16, 12, 13, 26, 27
_BESIDE_SHIFT, _M = 86, 50

LAYOUTS: dict[str, Layout] = {
    "us": Layout(
        plain=_row("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "\\", "<", "zxcvbnm,./"),
        shifted=_row("~!@#$%^&*()_+", "QWERTYUIOP{}", 'ASDFGHJKL:"', "|", ">", "ZXCVBNM<>?"),
    ),
    "de": Layout(
        plain=_row("^1234567890ß\u00b4", "qwertzuiopü+", "asdfghjklöä", "#", "<", "yxcvbnm,.-"),
        shifted=_row('°!"§$%&/()=?`', "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ", "'", ">", "YXCVBNM;:_"),
        alt_gr={
            **{_DIGITS_ROW[digit]: char for digit, char in zip("237890", "²³{[]}", strict=True)},
            _RIGHT_OF_0: "\\",
            _Q: "@",
            _THEN: "~",
            _BESIDE_SHIFT: "|",
            _M: "µ",
        },
        dead=frozenset("^\u00b4`"),
    ),
    "fr": Layout(
        plain=_row("²&é\"'(-è_çà)=", "azertyuiop^$", "qsdfghjklmù", "*", "<", "wxcvbn,;:!"),
        shifted=_row(NONE + "1234567890°+", "AZERTYUIOP¨£", "QSDFGHJKLM%", "µ", ">", "WXCVBN?./§"),
        alt_gr={
            **{_DIGITS_ROW[digit]: char for digit, char in zip("234567890", "~#{[|`\\^@", strict=True)},
            _RIGHT_OF_0: "]",
            _RIGHT_OF_THAT: "}",
            _THEN: "¤",
        },
        dead=frozenset("^¨~`"),
    ),
}
