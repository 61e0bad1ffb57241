"""A node's ledger for a while on plain files: what is done to it while its agent is down needs no simulated disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bodega_agent.store import backup
from support.faulty_disk import Disk

LEDGER = "ledger.db"


def worked_on(disk: Disk, folder: Path, work: Callable[[Path], object]) -> Disk:
    """The disk after `work` was done to its ledger, whose path it is given; `folder` is made for it."""
    folder.mkdir()
    for name in disk.names():
        (folder / name).write_bytes(disk.content(name))
    work(folder / LEDGER)
    return Disk(
        {path.name: path.read_bytes() for path in sorted(folder.glob(f"{LEDGER}*")) if path.is_file()}
    )


def backup_of(disk: Disk, folder: Path) -> Path:
    """`bodega ledger backup`: a file in the folder, which is made for it."""
    target = folder / "backup"
    worked_on(disk, folder, lambda ledger: backup.backup(ledger, target))
    return target


def restored(disk: Disk, folder: Path, source: Path, *, node_id: str, now_ms: int) -> Disk:
    """`bodega ledger restore`: the backup in the ledger's place, and marked as such."""

    def work(ledger: Path) -> None:
        backup.restore(ledger, source, node_id=node_id, actor="ana", reason="new disk", now_ms=now_ms)
        for aside in ledger.parent.glob(f"{LEDGER}.replaced*"):
            aside.unlink()

    return worked_on(disk, folder, work)
