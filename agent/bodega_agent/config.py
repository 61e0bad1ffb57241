"""agent.toml: what a technician sets at the node. Every fault of a file is named at once, with its line."""

from __future__ import annotations

import base64
import binascii
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import Attribute, field, frozen, validators

from bodega.errors import ConfigInvalid, FieldFault, InvalidInput
from bodega.host import config as toml
from bodega.host.addresses import broker_url
from bodega.limits import (
    ARCHIVES_KEPT_BYTES_MAX,
    BALLAST_BYTES,
    DISK_DROP_BELOW_BYTES,
    DISK_PHYSICAL_ONLY_BELOW_BYTES,
    DISK_REFUSE_PROMISES_BELOW_BYTES,
    FRAMES_KEPT_BYTES_MAX,
    IDENTIFIER_CHARS_MAX,
    TELEMETRY_KEPT_BYTES_MAX,
)
from bodega_adapters.registry import device_faults
from bodega_agent.rules.disk import DROP_ORDER, Limits, amount, limits_of

DEFAULT_PATH = Path("/etc/bodega/agent.toml")
_NAME = validators.matches_re(rf"[A-Za-z0-9_-]{{1,{IDENTIFIER_CHARS_MAX}}}")
_ED25519_KEY_BYTES = 32


def _name(_self: Any, attribute: Attribute[str], value: str) -> None:
    try:
        _NAME(None, attribute, value)
    except ValueError as error:
        raise ValueError(
            f"'{attribute.name}' must be 1 to {IDENTIFIER_CHARS_MAX} letters, digits, - or _, is '{value}'"
        ) from error


def _one_of(*legal: str) -> Any:
    def check(_self: Any, attribute: Attribute[str], value: str) -> None:
        if value not in legal:
            raise ValueError(f"'{attribute.name}' must be one of {', '.join(legal)}, is '{value}'")

    return check


def _verify_key(_self: Any, attribute: Attribute[str], value: str) -> None:
    try:
        size = len(base64.b64decode(value, validate=True))
    except binascii.Error as error:
        raise ValueError(
            f"'{attribute.name}' must be base64, as bodegactl nodes register prints it"
        ) from error
    if size != _ED25519_KEY_BYTES:
        raise ValueError(f"'{attribute.name}' must be an Ed25519 public key of 32 bytes, has {size}")


@frozen(kw_only=True)
class HubConfig:
    """How to reach the control plane, and the key that its signatures must verify with."""

    nats_url: str = field(validator=broker_url)
    verify_key: str = field(validator=_verify_key)
    nats_user: str = ""
    nats_password_file: Path | None = None

    @property
    def verify_key_bytes(self) -> bytes:
        """The raw Ed25519 public key, 32 bytes."""
        return base64.b64decode(self.verify_key)


@frozen(kw_only=True)
class DeviceConfig:
    """One device: a driver of the registry and its options."""

    name: str = field(validator=_name)
    driver: str
    options: dict[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class PrinterConfig(DeviceConfig):
    """A printer, and whether it prints parcel labels or receipts."""

    prints: str = field(default="labels", validator=_one_of("labels", "receipts"))


@frozen(kw_only=True)
class VisionConfig:
    """Which camera looks at picks, and whether its word is advice or law."""

    camera: str = field(validator=_name)
    mode: str = field(default="advisory", validator=_one_of("off", "advisory", "blocking"))
    providers: list[str] = field(factory=lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])


def _size(_self: Any, attribute: Attribute[str], value: str) -> None:
    try:
        amount(value)
    except InvalidInput as error:
        raise ValueError(f"'{attribute.name}' {error.message}") from error


@frozen(kw_only=True)
class DiskConfig:
    """What each class of data may take, and the free space below which the node gives up what.

    Every size is bytes ("512 MiB") or a part of the disk that holds `state_dir` ("5%").
    """

    frames: str = field(default=f"{FRAMES_KEPT_BYTES_MAX} B", validator=_size)
    telemetry: str = field(default=f"{TELEMETRY_KEPT_BYTES_MAX} B", validator=_size)
    archives: str = field(default=f"{ARCHIVES_KEPT_BYTES_MAX} B", validator=_size)
    ballast: str = field(default=f"{BALLAST_BYTES} B", validator=_size)
    drop_below: str = field(default=f"{DISK_DROP_BELOW_BYTES} B", validator=_size)
    refuse_promises_below: str = field(default=f"{DISK_REFUSE_PROMISES_BELOW_BYTES} B", validator=_size)
    physical_only_below: str = field(default=f"{DISK_PHYSICAL_ONLY_BELOW_BYTES} B", validator=_size)

    def __attrs_post_init__(self) -> None:
        for lower, upper in (
            ("refuse_promises_below", "drop_below"),
            ("physical_only_below", "refuse_promises_below"),
        ):
            low, high = amount(getattr(self, lower)), amount(getattr(self, upper))
            if (low.unit == "%") == (high.unit == "%") and low.of(100) > high.of(100):
                raise ValueError(
                    f"'{lower}' must be at most {upper} ({getattr(self, upper)}), is {getattr(self, lower)}"
                )

    def limits(self, total_bytes: int) -> Limits:
        """These sizes on a disk of `total_bytes`."""
        return limits_of(
            {one: amount(getattr(self, one)) for one in DROP_ORDER},
            amount(self.ballast),
            [
                amount(size)
                for size in (self.drop_below, self.refuse_promises_below, self.physical_only_below)
            ],
            total_bytes,
        )


@frozen(kw_only=True)
class AgentConfig:
    """The whole file. Without `hub` the node works alone, for ever.

    `printer` is how one printer was written before there could be several; it is the first of `all_printers`.
    """

    node_id: str = field(validator=_name)
    state_dir: Path
    control_socket: Path | None = None
    log_level: str = field(default="info", validator=_one_of("debug", "info", "warning", "error"))
    hub: HubConfig | None = None
    scanners: list[DeviceConfig] = field(factory=list)
    printer: PrinterConfig | None = None
    printers: list[PrinterConfig] = field(factory=list)
    scales: list[DeviceConfig] = field(factory=list)
    cameras: list[DeviceConfig] = field(factory=list)
    vision: VisionConfig | None = None
    disk: DiskConfig = field(factory=DiskConfig)

    def __attrs_post_init__(self) -> None:
        if self.vision and self.vision.camera not in {camera.name for camera in self.cameras}:
            raise ValueError(f"vision.camera '{self.vision.camera}' is not one of [[cameras]]")
        unknown = set(self.watched_cameras) - {camera.name for camera in self.cameras}
        if unknown:
            raise ValueError(
                f"scanners look through cameras that are not in [[cameras]]: {', '.join(sorted(unknown))}"
            )

    @property
    def watched_cameras(self) -> tuple[str, ...]:
        """The cameras that scanners look through."""
        through = (str(one.options.get("camera", "")) for one in self.scanners if one.driver == "camera")
        return tuple(dict.fromkeys(through))

    @property
    def all_printers(self) -> list[PrinterConfig]:
        """Every printer, in the order of the file."""
        return [*([self.printer] if self.printer else []), *self.printers]

    def printer_of(self, prints: str) -> PrinterConfig | None:
        """The first printer of "labels" or "receipts"."""
        return next((one for one in self.all_printers if one.prints == prints), None)

    @property
    def ledger_path(self) -> Path:
        """Where the ledger lies."""
        return self.state_dir / "ledger.db"

    @property
    def socket_path(self) -> Path:
        """Where the control socket listens."""
        return self.control_socket or self.state_dir / "control.sock"


def load_config(path: Path) -> AgentConfig:
    """Read agent.toml; ConfigInvalid names every fault with line and key, NotFound a missing file."""
    text = toml.read(path)
    faults: tuple[FieldFault, ...] = ()
    config = None
    try:
        config = toml.parse(text, AgentConfig, source=str(path))
    except ConfigInvalid as error:
        faults = error.faults
    faults += tuple(_device_faults(text))
    if config is None or faults:
        raise toml.invalid(str(path), tuple(sorted(faults, key=lambda fault: fault.line or 0)))
    return config


def _device_faults(text: str) -> Iterator[FieldFault]:
    """Drivers that do not exist, options that they do not have, names of two devices; with their lines.

    Read from the raw file, so that these are named beside the faults of its shape.
    """
    seen: dict[str, str] = {}
    for kind, keys, device in _raw_devices(text):
        name, place = device.get("name"), ".".join(keys)
        if isinstance(name, str) and seen.setdefault(name, place) != place:
            where = [*keys, "name"]
            problem = f"must be unique over all devices: {seen[name]} is '{name}' too"
            yield FieldFault(".".join(where), problem, toml.line_of(text, where))
        driver, options = device.get("driver"), device.get("options", {})
        if not isinstance(driver, str) or not isinstance(options, dict):
            continue
        for fault in device_faults(kind, driver, options):
            where = [*keys, *fault.where.split(".")]
            yield FieldFault(".".join(where), fault.problem, toml.line_of(text, where))


_TABLES = {"scanners": "scanner", "printers": "printer", "scales": "scale", "cameras": "camera"}


def _raw_devices(text: str) -> Iterator[tuple[str, list[str], dict[str, Any]]]:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    if isinstance(raw.get("printer"), dict):
        yield "printer", ["printer"], raw["printer"]
    for table, kind in _TABLES.items():
        rows = raw.get(table, [])
        for number, row in enumerate(rows if isinstance(rows, list) else []):
            if isinstance(row, dict):
                yield kind, [table, str(number)], row
