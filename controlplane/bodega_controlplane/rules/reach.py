"""Which addresses a webhook may call. PURE.

Somebody else chooses where we call, so nothing inside may be reached that way (server side request forgery): only
addresses of the public internet, and the private networks that the operator has named. Names are resolved by whoever
calls, and each address that comes of it is asked about here; what is checked is what is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Not of the public internet either, though Python 3.11 takes them for it: protocol assignments (RFC 6890), site-local
# addresses (RFC 3879), documentation (RFC 9637).
_NOT_PUBLIC = (IPv4Network("192.0.0.0/24"), IPv6Network("fec0::/10"), IPv6Network("3fff::/20"))
# RFC 6052: an IPv4 address in the last 32 bits.
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Reach:
    """`networks`: private ones that may be called too; there, plain http is as good as https."""

    networks: tuple[Network, ...] = ()

    def problem_of(self, address: Address) -> str:
        """Why this address must not be called; empty if it may be."""
        inner = _inner(address)
        if any(inner in network for network in self.networks):
            return ""
        is_public = inner.is_global and not any(inner in network for network in _NOT_PUBLIC)
        if not is_public or inner.is_multicast or inner.is_reserved:
            return f"{address} is no address of the public internet"
        return ""

    def is_named(self, address: Address) -> bool:
        """Whether the operator has named its network."""
        return any(_inner(address) in network for network in self.networks)


def literal(host: str) -> Address | None:
    """The address that a host is written as; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)
