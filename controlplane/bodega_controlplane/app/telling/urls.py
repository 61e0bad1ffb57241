"""URLs of webhooks as somebody writes them down: looked at before any name in them is resolved."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from bodega.limits_events import WEBHOOK_URL_CHARS_MAX
from bodega_controlplane.rules.reach import Reach, literal

_PORT_MAX = 65_535
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\.?")


def problem_of_url(url: str, reach: Reach) -> str:
    """What is wrong with a URL as it stands; empty if nothing is."""
    if len(url) > WEBHOOK_URL_CHARS_MAX:
        return f"must be at most {WEBHOOK_URL_CHARS_MAX} characters"
    parts = split(url)
    if parts is None or not parts.hostname:
        return "must be a URL such as https://shop.example/hooks"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user or a password: the signature says who calls"
    if parts.fragment:
        return "must not hold a fragment"
    address = literal(parts.hostname)
    if address is None and not _HOST.fullmatch(parts.hostname):
        return "must name its host in ASCII letters, digits, dots and hyphens"
    if parts.scheme == "https" or (parts.scheme == "http" and reach.networks):
        return reach.problem_of(address) if address is not None else ""
    return "must begin with https://"


def split(url: str) -> SplitResult | None:
    """The parts of a URL of printable ASCII with a port that is one; None for any other."""
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return parts if port is None or 0 < port <= _PORT_MAX else None
