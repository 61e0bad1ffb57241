"""The daemon that asks for verdicts loads nothing that gives them, and never waits for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bodega_agent.vision.worker import GIVES_WAY_BY
from support import tray_frames, vision_worker


def test_the_client_loads_no_vision_library():
    heavy = {"cv2", "numpy", "onnxruntime", "zxingcpp", "biip"}
    script = f"import sys, bodega_agent.vision.client; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_every_thread_of_the_worker_gives_way_to_the_daemon(tmp_path: Path):
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    tray_frames.save(tray_frames.tray(), tmp_path / "bench" / "frame.png")
    async with vision_worker.running(vision_worker.spec(tmp_path, "bench")) as client:
        await client.inspect(vision_worker.request("bench"))
        threads = [int(each.name) for each in Path(f"/proc/{client.pid}/task").iterdir()]
        assert {os.getpriority(os.PRIO_PROCESS, thread) for thread in threads} == {ours + GIVES_WAY_BY}
