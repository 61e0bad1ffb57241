"""One run of the virtual machine: QEMU without hardware support (KVM guests hang where we tried), and its two consoles.

The kernel speaks on the first serial port, which goes to a file; the tests speak on the second one, which is ours.
The disk is thrown away at the end; the checkout and the packages are mounted read-only, the results' folder is not.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from hardware.rootfs import Rootfs

QEMU = "qemu-system-x86_64"
MEMORY_MIB = 1024
PROCESSORS = 2


def command_line(
    rootfs: Rootfs, shares: Mapping[str, Path], console: Path, words: str, *, ours: str
) -> list[str]:
    """QEMU's words: `shares` are folders by mount tag (only "results" can be written), `words` go to the kernel's
    command line, where init.sh finds them, and `ours` is the second serial port in QEMU's form.
    """
    line = [QEMU, "-accel", "tcg,thread=multi", "-cpu", "max", "-m", str(MEMORY_MIB), "-smp", str(PROCESSORS)]
    line += ["-kernel", str(rootfs.kernel), "-initrd", str(rootfs.initrd)]
    line += ["-append", f"root=/dev/vda rw console=ttyS0 panic=-1 init=/sbin/bodega-init {words}"]
    line += ["-drive", f"file={rootfs.image},if=virtio,format=raw,snapshot=on"]
    for tag, folder in shares.items():
        writable = "off" if tag == "results" else "on"
        line += ["-virtfs", f"local,path={folder},mount_tag={tag},security_model=none,readonly={writable}"]
    line += ["-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot"]
    return [*line, "-serial", f"file:{console}", "-serial", ours]


def run_to_end(line: list[str], limit_s: float, heard: Callable[[str], None]) -> bool:
    """Run a machine until it switches itself off, each line of its second console going to `heard`.

    False when it had to be killed after `limit_s`.
    """
    with subprocess.Popen(
        line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        overtime = threading.Event()

        def kill() -> None:
            overtime.set()
            process.kill()

        timer = threading.Timer(limit_s, kill)
        timer.start()
        try:
            for raw in process.stdout:
                heard(raw.decode(errors="replace").rstrip("\r\n"))
            process.wait()
        finally:
            timer.cancel()
            process.kill()
    return not overtime.is_set()


def run_by_hand(line: list[str]) -> None:
    """The same for a person: the second console is this terminal, until the machine is switched off."""
    settings = subprocess.run(["stty", "-g"], capture_output=True, text=True, check=False).stdout.strip()
    try:
        subprocess.run(line, check=False)
    finally:
        if settings:
            subprocess.run(["stty", settings], check=False)
