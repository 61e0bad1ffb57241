"""The shape of ledger.db, how it is opened, and how an older file is brought forward.

WAL with synchronous=FULL: a commit that was answered survives a power cut (NORMAL loses it). The journal
can not be changed or shortened: triggers abort UPDATE and DELETE.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import apsw

from bodega.errors import PermissionRefused, Refused, SchemaTooNew, Unavailable
from bodega_agent.store import floor_schema
from bodega_agent.store.files import sync

SCHEMA_VERSION = 6

_VERSION_1 = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE journal(
  seq INTEGER PRIMARY KEY, cmd_id TEXT NOT NULL, fact TEXT NOT NULL, at_ms INTEGER NOT NULL,
  body BLOB NOT NULL, hash BLOB NOT NULL);
CREATE TRIGGER journal_is_append_only_update BEFORE UPDATE ON journal
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_is_append_only_delete BEFORE DELETE ON journal
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TABLE balance(
  sku_id TEXT NOT NULL, bin TEXT NOT NULL, disposition TEXT NOT NULL, lot TEXT NOT NULL, owner TEXT NOT NULL,
  external TEXT NOT NULL, quantity INTEGER NOT NULL CHECK (external <> '' OR quantity >= 0),
  PRIMARY KEY (sku_id, bin, disposition, lot, owner, external)) WITHOUT ROWID;
CREATE INDEX balance_by_bin ON balance(bin) WHERE bin <> '';

CREATE TABLE command(cmd_id TEXT PRIMARY KEY, digest BLOB NOT NULL, result TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE sku(
  sku_id TEXT PRIMARY KEY, name TEXT NOT NULL, owner TEXT NOT NULL, lot_tracked INTEGER NOT NULL,
  version INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE gtin(gtin TEXT PRIMARY KEY, sku_id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE bin(bin_id TEXT PRIMARY KEY, walk_order INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE fulfillment_order(
  fulfillment_order_id TEXT PRIMARY KEY, order_id TEXT NOT NULL, state TEXT NOT NULL,
  device TEXT NOT NULL DEFAULT '', fencing_token INTEGER NOT NULL, sscc TEXT NOT NULL DEFAULT '',
  carrier_service TEXT NOT NULL, recipient BLOB NOT NULL, arrived_seq INTEGER NOT NULL,
  shipped_seq INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX fulfillment_order_by_state ON fulfillment_order(state, arrived_seq);
CREATE INDEX fulfillment_order_by_sscc ON fulfillment_order(sscc) WHERE sscc <> '';
CREATE TABLE fulfillment_line(
  fulfillment_order_id TEXT NOT NULL, line INTEGER NOT NULL, sku_id TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity > 0), picked INTEGER NOT NULL DEFAULT 0 CHECK (picked >= 0),
  short INTEGER NOT NULL DEFAULT 0 CHECK (short >= 0), camera TEXT NOT NULL DEFAULT '',
  camera_reasons TEXT NOT NULL DEFAULT '[]',
  CHECK (picked + short <= quantity), PRIMARY KEY (fulfillment_order_id, line)) WITHOUT ROWID;

CREATE TABLE print_job(
  print_job_id TEXT PRIMARY KEY, sscc TEXT NOT NULL, fulfillment_order_id TEXT NOT NULL, state TEXT NOT NULL,
  copy INTEGER NOT NULL, detail TEXT NOT NULL, zpl BLOB NOT NULL, queued_seq INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX print_job_by_sscc ON print_job(sscc, copy);
CREATE INDEX print_job_open ON print_job(queued_seq) WHERE state IN ('queued', 'sent');

CREATE TABLE floor_session(device TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE parked(seq INTEGER PRIMARY KEY, body BLOB NOT NULL);
"""

# Lots, serials, promises of the node's own, checkpoints and archives. A journal row may go only once an
# archive holds it.
_VERSION_2 = """
ALTER TABLE command ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE gtin ADD COLUMN unit TEXT NOT NULL DEFAULT '';

CREATE TABLE lot(
  sku_id TEXT NOT NULL, lot TEXT NOT NULL, expiry TEXT NOT NULL, PRIMARY KEY (sku_id, lot)) WITHOUT ROWID;
CREATE TABLE serial(
  sku_id TEXT NOT NULL, serial TEXT NOT NULL, bin TEXT NOT NULL, disposition TEXT NOT NULL, lot TEXT NOT NULL,
  owner TEXT NOT NULL, external TEXT NOT NULL, PRIMARY KEY (sku_id, serial)) WITHOUT ROWID;
CREATE INDEX serial_by_bin ON serial(bin) WHERE bin <> '';
CREATE TABLE correction(corrected_seq INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE discrepancy(
  seq INTEGER PRIMARY KEY, bin TEXT NOT NULL, sku_id TEXT NOT NULL, lot TEXT NOT NULL,
  difference INTEGER NOT NULL, reason TEXT NOT NULL, closed_seq INTEGER NOT NULL DEFAULT 0);
CREATE INDEX discrepancy_open ON discrepancy(bin, sku_id, lot) WHERE closed_seq = 0;

CREATE TABLE reservation(
  reservation_id TEXT PRIMARY KEY, sku_id TEXT NOT NULL, quantity INTEGER NOT NULL CHECK (quantity > 0),
  posted INTEGER NOT NULL DEFAULT 0 CHECK (posted >= 0), voided INTEGER NOT NULL DEFAULT 0 CHECK (voided >= 0),
  state TEXT NOT NULL, reference TEXT NOT NULL, boot_id TEXT NOT NULL, expires_at_ms INTEGER NOT NULL,
  expires_after_ms INTEGER NOT NULL, opened_seq INTEGER NOT NULL,
  CHECK (posted + voided <= quantity)) WITHOUT ROWID;
CREATE INDEX reservation_pending ON reservation(sku_id) WHERE state = 'pending';
CREATE INDEX reservation_ending ON reservation(expires_at_ms) WHERE state = 'pending' AND expires_after_ms > 0;
CREATE INDEX fulfillment_line_open ON fulfillment_line(sku_id) WHERE quantity > picked + short;
CREATE TABLE rights(
  sku_id TEXT PRIMARY KEY, held INTEGER NOT NULL CHECK (held >= 0)) WITHOUT ROWID;
CREATE TABLE rule_override(
  override_id TEXT PRIMARY KEY, rule TEXT NOT NULL, sku_id TEXT NOT NULL, lot TEXT NOT NULL,
  quantity INTEGER NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL, state TEXT NOT NULL,
  boot_id TEXT NOT NULL, expires_at_ms INTEGER NOT NULL, expires_after_ms INTEGER NOT NULL,
  opened_seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX rule_override_open ON rule_override(sku_id) WHERE state = 'open';

CREATE TABLE checkpoint(
  seq INTEGER PRIMARY KEY, basis_seq INTEGER NOT NULL, basis_hash BLOB NOT NULL, snapshot BLOB NOT NULL);
CREATE TABLE archive(
  first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, prev_hash BLOB NOT NULL, last_hash BLOB NOT NULL,
  file TEXT NOT NULL, sha256 BLOB NOT NULL, size_bytes INTEGER NOT NULL, dropped INTEGER NOT NULL DEFAULT 0);
DROP TRIGGER journal_is_append_only_delete;
CREATE TRIGGER journal_is_append_only_delete BEFORE DELETE ON journal
  WHEN old.seq > (SELECT coalesce(max(last_seq), 0) FROM archive)
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER balance_at_zero_has_no_row AFTER UPDATE OF quantity ON balance WHEN new.quantity = 0
  BEGIN DELETE FROM balance WHERE sku_id = new.sku_id AND bin = new.bin AND disposition = new.disposition
    AND lot = new.lot AND owner = new.owner AND external = new.external; END;
"""

# Conflicts that rules have resolved here; what people have to decide is said on the floor and at the hub. Events of the
# hub that could not be applied, with the reason.
# Conflicts that rules have resolved here; what people have to decide is said on the floor and at the hub. Of work, the
# epoch of the hub's stream that has spoken of it last: what a restored hub does not say again, it has forgotten.
_VERSION_3 = """
ALTER TABLE fulfillment_order ADD COLUMN down_epoch INTEGER NOT NULL DEFAULT 0;

CREATE TABLE conflict(
  conflict_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX conflict_newest ON conflict(seq);

ALTER TABLE parked RENAME TO parked_before;
CREATE TABLE parked(
  epoch INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (epoch, seq)) WITHOUT ROWID;
INSERT INTO parked SELECT 1, seq, body, 'an older version could not apply it' FROM parked_before;
DROP TABLE parked_before;
CREATE TABLE device_counter(
  device TEXT PRIMARY KEY, counter_name TEXT NOT NULL, number INTEGER NOT NULL, tone TEXT NOT NULL,
  text TEXT NOT NULL, repeats INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;

CREATE TABLE local_field(
  kind TEXT NOT NULL, subject TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (kind, subject, field)) WITHOUT ROWID;

CREATE TABLE count_task(
  task_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, bin TEXT NOT NULL, sku_id TEXT NOT NULL, lot TEXT NOT NULL,
  divergence_id TEXT NOT NULL DEFAULT '', closed_seq INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX count_task_open ON count_task(bin, sku_id, lot) WHERE closed_seq = 0;
ALTER TABLE fulfillment_order ADD COLUMN advanced_seq INTEGER NOT NULL DEFAULT 0;
"""

# A print job keeps the label, not the bytes for one printer. What older versions have queued is a finished label.
_VERSION_4 = """
ALTER TABLE print_job RENAME COLUMN zpl TO document;
"""

# What the node has decided alone, and the bundles by which it has: as far back as there is room for (`decisions.keep`).
_VERSION_6 = """
CREATE TABLE routing_decision(
  number INTEGER PRIMARY KEY, decision TEXT NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL,
  at_ms INTEGER NOT NULL, digest TEXT NOT NULL, inputs BLOB NOT NULL, choice BLOB NOT NULL);
CREATE INDEX routing_decision_by_kind ON routing_decision(decision, number);
CREATE TABLE routing_bundle(digest TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
"""

MIGRATIONS: tuple[str, ...] = (
    _VERSION_1,
    _VERSION_2,
    _VERSION_3,
    _VERSION_4,
    floor_schema.SCRIPT,
    _VERSION_6,
)


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """What a disk says against opening the ledger, as an error that tells a person what to do.

    Raises PermissionRefused, or Unavailable; a file that is no ledger keeps the error that names its damage.
    """
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError):
        raise
    except apsw.CantOpenError as error:
        raise PermissionRefused(
            f"can not open the ledger {path}", hint="check the owner and the mode of its folder"
        ) from error
    except apsw.Error as error:
        raise Unavailable(f"the ledger {path} can not be opened: {error}", hint="check the disk") from error


def open_for_writing(path: Path) -> apsw.Connection:
    """Open (and create or migrate) the ledger; SchemaTooNew if a newer Bodega wrote it, else as `opening`."""
    _make_folder(path.parent)
    with opening(path), ExitStack() as undo:
        connection = undo.enter_context(closing(apsw.Connection(str(path))))
        connection.set_busy_timeout(5_000)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-4000"):
            connection.execute(f"PRAGMA {pragma}")
        _migrate(connection, path)
        undo.pop_all()
    return connection


def _make_folder(folder: Path) -> None:
    """Make it with all that lead to it, each name on the disk before anything lies in it."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        sync(one.parent)


def open_for_reading(path: Path) -> apsw.Connection:
    """Open the ledger read-only; SchemaTooNew if a newer Bodega wrote it, Refused if an older, else as `opening`."""
    with opening(path), ExitStack() as undo:
        flags = apsw.SQLITE_OPEN_READONLY
        connection = undo.enter_context(closing(apsw.Connection(str(path), flags=flags)))
        connection.set_busy_timeout(5_000)
        version = _version(connection)
        check_version(version, path)
        if version < SCHEMA_VERSION:
            raise Refused(
                f"{path} was written by an older Bodega, with schema version {version}",
                hint="start the agent once, it brings the ledger forward: bodega run",
            )
        undo.pop_all()
    return connection


def check_version(version: int, path: Path) -> None:
    """Refuse a file of the future instead of guessing what it means."""
    if version > SCHEMA_VERSION:
        raise SchemaTooNew(
            f"{path} has schema version {version}, this Bodega knows up to {SCHEMA_VERSION}",
            hint="install the newer Bodega again, or restore a backup made before the upgrade",
        )


def _version(connection: apsw.Connection) -> int:
    version = connection.pragma("user_version")
    assert isinstance(version, int), "user_version is an integer by definition"
    return version


def _migrate(connection: apsw.Connection, path: Path) -> None:
    version = _version(connection)
    check_version(version, path)
    for step, script in enumerate(MIGRATIONS[version:], start=version + 1):
        with connection:
            connection.execute(script)
            connection.execute(f"PRAGMA user_version={step}")
