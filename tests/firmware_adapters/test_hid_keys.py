"""What a wedge scanner has typed: every layout, every way to type GS, and no scan lost or made up."""

from __future__ import annotations

import pytest
from evdev import ecodes
from hypothesis import given, settings
from hypothesis import strategies as st

from bodega.limits import SCAN_BYTES_MAX, SCAN_PAUSE_MS_MAX
from bodega_adapters.framing import hid_keys as keys
from bodega_adapters.framing.hid_keys import EVENT, KeyFramer
from bodega_adapters.framing.hid_layouts import KEYS, LAYOUTS
from bodega_adapters.simulated.wedge import events, typed
from support.long_run import by_length

ENTER = ((), ecodes.KEY_ENTER)
# Any byte but the terminators and NUL, which no barcode key types.
CODE = st.binary(min_size=1, max_size=30).map(lambda code: bytes(b or 1 for b in code if b not in b"\r\n\t"))
CODES = st.lists(CODE.filter(bool), max_size=6)


def read(strokes: list, layout: str = "us") -> list[bytes]:
    return KeyFramer(layout).feed(b"".join(events([*strokes, ENTER])))


def plain(*names: str) -> list:
    return [((), ecodes.ecodes[f"KEY_{name}"]) for name in names]


def held(modifier: str, name: str) -> tuple:
    return ((ecodes.ecodes[f"KEY_{modifier}"],), ecodes.ecodes[f"KEY_{name}"])


@given(
    codes=CODES,
    layout=st.sampled_from(sorted(LAYOUTS)),
    gs=st.sampled_from(["ctrl", "f8", "alt"]),
    data=st.data(),
)
@settings(max_examples=by_length(100, 5000))
def test_what_was_typed_is_what_is_read_however_the_events_are_cut(codes, layout, gs, data):
    stream = b"".join(typed(code + b"\r", layout, gs) for code in codes)
    framer, scans, at = KeyFramer(layout), [], 0
    while at < len(stream):
        step = data.draw(st.integers(1, 400))
        scans += framer.feed(stream[at : at + step])
        at += step
    assert scans == codes
    assert framer.dropped_frames == 0


def test_every_cut_of_the_bytes_gives_the_same_scan():
    stream = typed(b"]C1010950\x1d10L-1\r")
    for cut in range(len(stream) + 1):
        framer = KeyFramer()
        assert framer.feed(stream[:cut]) + framer.feed(stream[cut:]) == [b"]C1010950\x1d10L-1"]


def test_the_us_layout_is_what_the_kernel_calls_its_keys():
    named = {key: ecodes.KEY[key] for key in KEYS}
    letters = {
        key: name for key, name in named.items() if isinstance(name, str) and len(name) == len("KEY_A")
    }
    assert len(letters) == 26 + 10
    for key, name in letters.items():
        assert LAYOUTS["us"].plain[key] == name[-1].lower()


@pytest.mark.parametrize(
    ("layout", "strokes", "text"),
    [
        ("us", [*plain("Z", "Y", "A", "1", "MINUS"), held("LEFTSHIFT", "Z")], "zya1-Z"),
        (
            "us",
            [held("LEFTSHIFT", "8"), held("RIGHTSHIFT", "SLASH"), *plain("RIGHTBRACE", "BACKSLASH")],
            "*?]\\",
        ),
        ("de", [*plain("Z", "Y", "SLASH", "MINUS"), held("LEFTSHIFT", "7")], "yz-\xdf/"),
        ("de", [held("RIGHTALT", "Q"), held("RIGHTALT", "9"), held("RIGHTALT", "MINUS")], "@]\\"),
        ("fr", [*plain("Q", "A", "1", "6", "SEMICOLON"), held("LEFTSHIFT", "1")], "aq&-m1"),
        ("fr", [held("RIGHTALT", "0"), held("RIGHTALT", "MINUS"), held("LEFTSHIFT", "M")], "@]?"),
    ],
)
def test_layouts_as_printed_on_the_keys(layout, strokes, text):
    assert read(strokes, layout) == [text.encode("latin-1")]


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize(
    "gs",
    [
        held("LEFTCTRL", "RIGHTBRACE"),
        held("RIGHTCTRL", "RIGHTBRACE"),
        ((), ecodes.KEY_F8),
        [ecodes.KEY_KP0, ecodes.KEY_KP2, ecodes.KEY_KP9],
        [ecodes.KEY_KP0, ecodes.KEY_KP0, ecodes.KEY_KP2, ecodes.KEY_KP9],
        [ecodes.KEY_KP2, ecodes.KEY_KP9],
    ],
)
def test_gs_arrives_in_each_way_in_which_scanners_type_it(layout, gs):
    assert read([*plain("2"), gs, *plain("2")], layout)[0][1:-1] == b"\x1d"


def test_ctrl_and_the_layouts_own_bracket_is_gs_too():
    strokes = [((ecodes.KEY_LEFTCTRL, ecodes.KEY_RIGHTALT), ecodes.KEY_9)]
    assert read(strokes, "de") == [b"\x1d"]


def test_ctrl_with_the_left_alt_is_alt_gr_as_on_windows():
    assert read([((ecodes.KEY_LEFTCTRL, ecodes.KEY_LEFTALT), ecodes.KEY_Q)], "de") == [b"@"]


def test_alt_codes_are_of_the_windows_page_with_a_zero_and_of_437_without():
    e_acute_437 = [ecodes.KEY_KP1, ecodes.KEY_KP3, ecodes.KEY_KP0]
    e_acute_windows = [ecodes.KEY_KP0, ecodes.KEY_KP2, ecodes.KEY_KP3, ecodes.KEY_KP3]
    assert read([e_acute_437, e_acute_windows]) == ["éé".encode("latin-1")]
    assert read([[ecodes.KEY_KP9] * 4]) == [], "there is no such character"


def test_a_dead_key_is_the_character_and_the_space_that_sends_it_off_is_not():
    dead = plain("GRAVE", "SPACE", "SPACE", "A")
    assert read(dead, "de") == [b"^ a"]
    assert read(plain("GRAVE", "SPACE", "A"), "us") == [b"` a"]


def test_a_key_that_is_held_is_one_character():
    pressed, repeat, released = (EVENT.pack(0, 0, keys.EV_KEY, ecodes.KEY_A, value) for value in (1, 2, 0))
    framer = KeyFramer()
    assert framer.feed(pressed + repeat * 5 + released + typed(b"\r")) == [b"a"]


def test_caps_lock_turns_letters_and_leaves_digits():
    assert read([*plain("CAPSLOCK", "A", "1"), held("LEFTSHIFT", "B"), *plain("CAPSLOCK", "C")]) == [b"A1bc"]


def test_tab_ends_a_scan_unless_it_was_set_up_as_content():
    assert KeyFramer().feed(typed(b"A\tB\r")) == [b"A", b"B"]
    assert KeyFramer(terminators=b"\r").feed(typed(b"A\tB\r")) == [b"A\tB"]


def test_without_terminators_silence_ends_a_scan_and_prefix_and_suffix_come_off():
    framer = KeyFramer(terminators=b"", prefix=b"!", suffix=b"#", gap_ms=120)
    assert framer.feed(typed(b"!A-01#")) == []
    assert framer.patience_ms == 120
    assert framer.gap() == [b"A-01"]


def test_where_the_kernel_lost_events_the_rest_of_that_scan_counts_for_nothing():
    lost = EVENT.pack(0, 0, keys.EV_SYN, keys.SYN_DROPPED, 0)
    framer = KeyFramer()
    assert framer.feed(typed(b"0950110") + lost + typed(b"53003\rA-01\r")) == [b"A-01"]
    assert framer.dropped_frames == 1


def test_shift_that_was_down_when_events_were_lost_is_not_down_for_ever():
    shift = EVENT.pack(0, 0, keys.EV_KEY, ecodes.KEY_LEFTSHIFT, 1)
    lost = EVENT.pack(0, 0, keys.EV_SYN, keys.SYN_DROPPED, 0)
    assert KeyFramer().feed(shift + lost + typed(b"x\ra1\r")) == [b"a1"]


def test_a_key_that_was_down_when_the_device_went_is_up_when_it_is_back():
    framer = KeyFramer()
    framer.feed(EVENT.pack(0, 0, keys.EV_KEY, ecodes.KEY_LEFTSHIFT, 1) + typed(b"half"))
    framer.reset()
    assert framer.feed(typed(b"a1\r")) == [b"a1"]


@given(garbage=st.binary(max_size=2000), code=CODE.filter(bool))
@settings(max_examples=by_length(200, 20_000))
def test_any_bytes_are_survived_and_after_a_silence_or_an_end_the_next_scan_is_whole(garbage, code):
    framer = KeyFramer()
    framer.feed(garbage + bytes(-len(garbage) % EVENT.size))
    assert framer.patience_ms in (None, SCAN_PAUSE_MS_MAX)
    released = (EVENT.pack(0, 0, keys.EV_KEY, key, keys.RELEASED) for key in (29, 97, 42, 54, 56, 100))
    framer.feed(b"".join(released) + typed(b"\r"))
    if framer.feed(typed(b"a\r")) == [b"A"]:
        framer.feed(b"".join(events([((), keys.CAPS_LOCK)])))
    assert framer.feed(typed(code + b"\r")) == [code]


def test_a_jammed_key_fills_no_memory():
    framer = KeyFramer()
    assert framer.feed(typed(b"a" * (SCAN_BYTES_MAX + 1) + b"\rA-01\r")) == [b"A-01"]
    assert framer.dropped_frames == 1
