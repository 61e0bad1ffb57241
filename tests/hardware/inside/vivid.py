"""The kernel's own test camera (vivid): a V4L2 device without hardware, with controls, that can be pulled out."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
from pathlib import Path

# udev's stable name of it.
NODE = Path("/dev/v4l/by-path/platform-vivid.0-video-index0")
_DRIVER = Path("/sys/bus/platform/drivers/vivid")

# linux/videodev2.h: struct v4l2_control is an id and a value; _IOWR('V', 27 and 28, struct v4l2_control).
_CONTROL = struct.Struct("@Ii")
_GET_CONTROL, _SET_CONTROL = 0xC008561B, 0xC008561C
# linux/v4l2-controls.h: V4L2_CID_BASE and what is counted from it.
_BASE = 0x00980900
AUTOGAIN, GAIN = _BASE + 18, _BASE + 19


def load() -> None:
    """One camera, which only captures, and makes no errors of its own; waits for udev's name."""
    subprocess.run(["modprobe", "vivid", "n_devs=1", "node_types=0x1", "no_error_inj=1"], check=True)
    subprocess.run(["udevadm", "settle"], check=True)


def unload() -> None:
    """The module goes; CalledProcessError when somebody holds the camera."""
    subprocess.run(["modprobe", "--remove", "vivid"], check=True, capture_output=True)
    subprocess.run(["udevadm", "settle"], check=True)


def pull() -> None:
    """Take the device from under whoever holds it, as a pulled cable does."""
    (_DRIVER / "unbind").write_text("vivid.0")


def get_control(control: int) -> int:
    """What the kernel says, asked beside OpenCV."""
    return _control(_GET_CONTROL, control, 0)


def set_control(control: int, value: int) -> None:
    """Set one beside OpenCV."""
    _control(_SET_CONTROL, control, value)


def _control(request: int, control: int, value: int) -> int:
    descriptor = os.open(NODE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        answer = fcntl.ioctl(descriptor, request, _CONTROL.pack(control, value))
    finally:
        os.close(descriptor)
    return int(_CONTROL.unpack(answer)[1])
