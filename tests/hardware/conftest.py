"""What runs only where it is asked for.

The tests in `inside/` plug and unplug real devices: they run in the virtual machine and nowhere else. Those in `rtsp/`
need Debian's gst-rtsp-server (`make test-rtsp`).
"""

from __future__ import annotations

import os

_ASKED_BY = {"inside": "BODEGA_HARDWARE", "rtsp": "BODEGA_GST_RTSP"}
collect_ignore = [folder for folder, name in _ASKED_BY.items() if not os.environ.get(name)]
