"""controlplane.toml: what an operator sets. Every fault of a file is named at once, with its line."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import Attribute, field, frozen

from bodega.host import config as toml
from bodega.host.addresses import broker_url, is_loopback
from bodega.limits import QUANTITY_MAX
from bodega.limits_events import RECIPIENTS_KEPT_DAYS, RECIPIENTS_KEPT_DAYS_MAX
from bodega.limits_hub import NODE_LEASE_S, NODE_LEASE_S_MAX, NODE_LEASE_S_MIN
from bodega_controlplane.rules.reach import Reach

DEFAULT_PATH = Path("/etc/bodega/controlplane.toml")
_LEVELS = ("debug", "info", "warning", "error")
_PORT_MAX = 65_535
_DAYS_MAX = 3_650
# What JetStream allows, without the even numbers: they survive no more than the odd number below.
_REPLICAS = (1, 3, 5)


def _level(_self: Any, attribute: Attribute[str], value: str) -> None:
    if value not in _LEVELS:
        raise ValueError(f"'{attribute.name}' must be one of {', '.join(_LEVELS)}, is '{value}'")


def _database(_self: Any, attribute: Attribute[str], value: str) -> None:
    if value != "sqlite" and not value.startswith("postgresql+psycopg://"):
        raise ValueError(f"'{attribute.name}' must be \"sqlite\" or postgresql+psycopg://user@host/name")
    if value != "sqlite" and urlsplit(value).password:
        raise ValueError(f"'{attribute.name}' must not carry a password; use a .pgpass file")


def _between(low: float, high: float) -> Any:
    def check(_self: Any, attribute: Attribute[float], value: float) -> None:
        if not low <= value <= high:
            raise ValueError(f"'{attribute.name}' must be {low:.0f} to {high:.0f}, is {value}")

    return check


def _replicas(_self: Any, attribute: Attribute[int], value: int) -> None:
    if value not in _REPLICAS:
        raise ValueError(f"'{attribute.name}' must be 1, 3 or 5, is {value}: a majority decides")


@frozen(kw_only=True)
class NatsConfig:
    """The broker; `url` may name several servers of one cluster, separated by commas.

    `replicas`: on how many of them each stream is kept.
    """

    url: str = field(validator=broker_url)
    user: str = ""
    password_file: Path | None = None
    replicas: int = field(default=1, validator=_replicas)


@frozen(kw_only=True)
class ListenConfig:
    """Where a face listens; port 0 lets the system choose. Off loopback both TLS files are needed (PEM)."""

    host: str = "127.0.0.1"
    port: int = field(default=0, validator=_between(0, _PORT_MAX))
    tls_cert: Path | None = None
    tls_key: Path | None = None

    def __attrs_post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key must be given together")
        if self.tls_cert is None and not is_loopback(self.host):
            raise ValueError(f"'{self.host}' is not this machine only: tls_cert and tls_key are required")

    @property
    def tls(self) -> tuple[Path, Path] | None:
        """Certificate and key, or None on loopback without."""
        return (self.tls_cert, self.tls_key) if self.tls_cert and self.tls_key else None


def _encrypted(_self: Any, attribute: Attribute[Any], value: ListenConfig | None) -> None:
    if value is not None and value.tls is None:
        raise ValueError(f"'{attribute.name}' needs tls_cert and tls_key: a node is known by its certificate")


@frozen(kw_only=True)
class PromiseConfig:
    """How much of each SKU a node never promises, in base units."""

    safety_stock: int = field(default=2, validator=_between(0, QUANTITY_MAX))


def _networks(_self: Any, attribute: Attribute[Any], value: tuple[str, ...]) -> None:
    for one in value:
        try:
            ip_network(one)
        except ValueError as error:
            raise ValueError(f"'{attribute.name}': {error}") from error


@frozen(kw_only=True)
class WebhooksConfig:
    """What webhooks may call beside the public internet: private networks, such as "10.1.0.0/16".

    There, plain http is as good as https. `ca_file`: certificates to trust beside those of the system (PEM).
    """

    networks: tuple[str, ...] = field(default=(), validator=_networks)
    ca_file: Path | None = None

    @property
    def reach(self) -> Reach:
        """The same as a rule."""
        return Reach(tuple(map(ip_network, self.networks)))


@frozen(kw_only=True)
class PrivacyConfig:
    """For how many days after its end an order says whom it went to; 0: until somebody erases it."""

    recipients_kept_days: int = field(
        default=RECIPIENTS_KEPT_DAYS, validator=_between(0, RECIPIENTS_KEPT_DAYS_MAX)
    )


@frozen(kw_only=True)
class OrdersConfig:
    """How orders go on.

    `node_lease_s`: for how many seconds a node may be silent, while others are heard, before what nobody there has
    begun goes elsewhere.
    """

    node_lease_s: float = field(default=NODE_LEASE_S, validator=_between(NODE_LEASE_S_MIN, NODE_LEASE_S_MAX))


@frozen(kw_only=True)
class CarrierConfig:
    """A carrier that the hub asks itself: a driver of `carriers.registry` and its options."""

    name: str
    driver: str
    options: dict[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class ExchangeConfig:
    """A folder that a shop and the hub share (`exchange/folder.py`), and whose orders the shop's files are.

    `places`: a CSV of postal codes with their places, for orders that do not say theirs. `kept_days`: how long files
    that are done with are kept; they hold names and addresses.
    """

    folder: Path
    channel: str = "storefront"
    places: Path | None = None
    kept_days: int = field(default=30, validator=_between(0, _DAYS_MAX))


@frozen(kw_only=True)
class ControlPlaneConfig:
    """The whole file."""

    data_dir: Path
    database: str = field(default="sqlite", validator=_database)
    log_level: str = field(default="info", validator=_level)
    nats: NatsConfig
    http: ListenConfig = field(factory=lambda: ListenConfig(port=8080))
    grpc: ListenConfig = field(factory=lambda: ListenConfig(port=7443))
    # Where nodes may call over HTTP/2, each with its client certificate; without it they call over the broker only.
    nodes: ListenConfig | None = field(default=None, validator=_encrypted)
    promise: PromiseConfig = field(factory=PromiseConfig)
    orders: OrdersConfig = field(factory=OrdersConfig)
    webhooks: WebhooksConfig = field(factory=WebhooksConfig)
    privacy: PrivacyConfig = field(factory=PrivacyConfig)
    carriers: list[CarrierConfig] = field(factory=list)
    exchange: ExchangeConfig | None = None


def load_config(path: Path) -> ControlPlaneConfig:
    """Read controlplane.toml; ConfigInvalid names every fault with line and key, NotFound a missing file."""
    return toml.load(path, ControlPlaneConfig)
