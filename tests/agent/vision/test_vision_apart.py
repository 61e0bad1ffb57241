"""The daemon that asks for verdicts loads nothing that gives them."""

from __future__ import annotations

import subprocess
import sys


def test_the_client_loads_no_vision_library():
    heavy = {"cv2", "numpy", "onnxruntime", "zxingcpp", "biip"}
    script = f"import sys, bodega_agent.vision.client; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
