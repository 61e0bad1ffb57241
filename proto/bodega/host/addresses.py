"""Addresses in configuration files: what leaves the machine must be encrypted, and secrets stay out of URLs."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from attrs import Attribute


def is_loopback(host: str) -> bool:
    """Whether traffic to this host never leaves the machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def broker_url(_self: Any, attribute: Attribute[str], value: str) -> None:
    """An attrs validator: one server of a NATS cluster or several, separated by commas."""
    for server in value.split(","):
        parts = urlsplit(server.strip())
        if parts.scheme not in ("nats", "tls") or not parts.hostname:
            raise ValueError(f"'{attribute.name}' must look like tls://host:4222")
        if parts.password:
            raise ValueError(f"'{attribute.name}' must not carry a password; keep it in a file of its own")
        if parts.scheme != "tls" and not is_loopback(parts.hostname):
            raise ValueError(
                f"'{attribute.name}' must use tls:// because '{parts.hostname}' is not this machine"
            )
