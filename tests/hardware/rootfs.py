"""The disk of the virtual machine: a small Debian of this machine's release, from this machine's own apt sources.

It holds a kernel with every driver, udev and Python, and nothing of Bodega: the checkout and the Python packages come
in over 9p at each boot. So it is built once (half a minute) and kept, until this recipe or the apt sources change.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("kmod", "libstdc++6", "linux-image-amd64", "mount", "python3", "udev")
# Documentation and languages are a third of the files, and nobody reads them there.
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")
# The initrd needs to find the disk and no more: a small one boots in 4 s, Debian's usual one in half a minute.
INITRD_MODULES = ("virtio_pci", "virtio_blk", "ext4")
SPARE_BYTES = 192 * 1024 * 1024

# What the kernel starts: get the checkout, and go on with what stands there.
INIT = """#!/bin/sh
for module in 9pnet_virtio 9p; do modprobe "$module"; done
mkdir -p /bodega /packages /results
# A person edits the checkout meanwhile; nobody else does.
grep -qw bodega.shell /proc/cmdline && cache=none || cache=loose
mount -t 9p -o trans=virtio,ro,cache=$cache,msize=262144 bodega /bodega
mount -t 9p -o trans=virtio,ro,cache=loose,msize=262144 packages /packages
mount -t 9p -o trans=virtio,rw results /results
exec sh /bodega/tests/hardware/init.sh
"""


class RootfsFailed(Exception):
    """The disk could not be built; the message ends with what the tools said."""


@dataclass(frozen=True, slots=True)
class Rootfs:
    """What QEMU boots: a raw ext4 image, a kernel and its initrd; `python` is the version in it, such as "3.11"."""

    image: Path
    kernel: Path
    initrd: Path
    python: str


def ready_rootfs(folder: Path, *, anew: bool = False) -> Rootfs:
    """The disk in `folder`, built first where it is missing or made from something else.

    Raises RootfsFailed.
    """
    stamp = folder / "stamp"
    made_from = _digest()
    if anew or not stamp.is_file() or stamp.read_text() != made_from:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            _build(Path(scratch) / "root", folder)
        stamp.write_text(made_from)
    python = (folder / "python").read_text()
    return Rootfs(folder / "root.ext4", folder / "vmlinuz", folder / "initrd.img", python)


def _build(root: Path, folder: Path) -> None:
    _bootstrap(root)
    init = root / "sbin" / "bodega-init"
    init.write_text(INIT)
    init.chmod(0o755)
    for wanted, pattern in (("vmlinuz", "vmlinuz-*"), ("initrd.img", "initrd.img-*")):
        shutil.copy(next((root / "boot").glob(pattern)), folder / wanted)
    python = (root / "usr" / "bin" / "python3").readlink()
    (folder / "python").write_text(python.name.removeprefix("python"))
    used = int(_run(["du", "-sB1", str(root)]).split()[0])
    image = folder / "root.ext4"
    _run(
        ["mkfs.ext4", "-q", "-F", "-d", str(root), str(image), f"{(used * 11 // 10 + SPARE_BYTES) // 1024}k"]
    )


def _bootstrap(root: Path) -> None:
    suite = _suite()
    modules = "\\n".join(INITRD_MODULES)
    small_initrd = (
        'mkdir -p "$1/etc/initramfs-tools/conf.d" && '
        'echo MODULES=list > "$1/etc/initramfs-tools/conf.d/bodega" && '
        f'printf "{modules}\\n" > "$1/etc/initramfs-tools/modules"'
    )
    _run(
        [
            "mmdebstrap",
            "--quiet",
            "--variant=essential",
            f"--include={','.join(PACKAGES)}",
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
            f"--essential-hook={small_initrd}",
            suite,
            str(root),
            *map(str, apt_sources(suite)),
        ]
    )


def _suite() -> str:
    """The release of this machine, such as "bookworm"."""
    try:
        system = platform.freedesktop_os_release()
    except OSError as error:
        raise RootfsFailed(f"this machine does not say which Debian it is: {error}") from error
    if system.get("ID") != "debian" or "VERSION_CODENAME" not in system:
        raise RootfsFailed(
            f"the disk is built from Debian's packages, and this machine is {system.get('ID')}"
        )
    return system["VERSION_CODENAME"]


def apt_sources(suite: str, apt: Path = Path("/etc/apt")) -> list[Path]:
    """The files below `apt` that say where a release comes from; sources of other things are left out.

    Raises RootfsFailed when there is none.
    """
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    chosen = [
        path
        for path in files
        if path.suffix in {".list", ".sources"} and path.is_file() and suite in path.read_text().split()
    ]
    if not chosen:
        raise RootfsFailed(f"no file below {apt} names {suite}")
    return chosen


def _digest() -> str:
    whole = hashlib.sha256(Path(__file__).read_bytes())
    for path in apt_sources(_suite()):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def _run(line: list[str]) -> str:
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RootfsFailed(f"{line[0]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
