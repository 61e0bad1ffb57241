"""Make `frame_quality.onnx`: designed, not trained, so its weights are arithmetic that one can read here.

It needs the development dependency `onnx`; the agent itself never does. Run it after a change and put the
digest that it prints into `models/__init__.py`:

    python -m bodega_agent.vision.models.build_frame_quality

Luminance is Rec. 601 luma. Sharpness is the variance of the Laplacian (Pech-Pacheco et al., ICPR 2000),
taken per tile of 80 x 80 pixels; the sharpest tile counts, because one item in focus on a plain tray is a
usable frame. Clipped shares count the pixels at the ends of the range, where detail is lost for good.
"""

from __future__ import annotations

import hashlib
import sys
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bodega_agent.vision.models import FRAME_QUALITY

WIDTH_PX = 640
HEIGHT_PX = 480
TILE_PX = 80
DARK_LEVEL_MAX = 8.0
BRIGHT_LEVEL_MIN = 247.0
# Blue, green, red: the order in which OpenCV's cameras give them.
LUMA_WEIGHTS = (0.114, 0.587, 0.299)
LAPLACIAN = ((0, 1, 0), (1, -4, 1), (0, 1, 0))
# Old enough for every onnxruntime that we support, and pinned so that the bytes do not follow the library.
OPSET = 17
IR_VERSION = 8


def build() -> bytes:
    """The model's serialised bytes; the same bytes on every call.

    Input `frames`: uint8 [N, 480, 640, 3], BGR. Outputs, float32 [N] each: `luminance_mean` (grey levels,
    0 to 255), `sharpness` (grey levels squared), `dark_share` and `bright_share` (0 to 1).
    """
    graph = helper.make_graph(
        nodes=_nodes(),
        name="frame_quality",
        inputs=[helper.make_tensor_value_info("frames", TensorProto.UINT8, ["N", HEIGHT_PX, WIDTH_PX, 3])],
        outputs=[
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"])
            for name in ("luminance_mean", "sharpness", "dark_share", "bright_share")
        ],
        initializer=_constants(),
    )
    model = helper.make_model(
        graph,
        producer_name="bodega",
        producer_version="1",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def _constants() -> list[TensorProto]:
    values: dict[str, np.ndarray[Any, Any]] = {
        "luma_weights": np.array(LUMA_WEIGHTS, np.float32).reshape(1, 3, 1, 1),
        "laplacian": np.array(LAPLACIAN, np.float32).reshape(1, 1, 3, 3),
        "edge_pads": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64),
        "dark_level": np.array(DARK_LEVEL_MAX, np.float32),
        "bright_level": np.array(BRIGHT_LEVEL_MIN, np.float32),
    }
    return [numpy_helper.from_array(value, name) for name, value in values.items()]


def _nodes() -> list[onnx.NodeProto]:
    node = helper.make_node
    image_axes: dict[str, Any] = {"axes": [1, 2, 3], "keepdims": 0}
    tiles: dict[str, Any] = {"kernel_shape": [TILE_PX, TILE_PX], "strides": [TILE_PX, TILE_PX]}
    return [
        node("Cast", ["frames"], ["levels"], to=TensorProto.FLOAT),
        node("Transpose", ["levels"], ["planes"], perm=[0, 3, 1, 2]),
        node("Conv", ["planes", "luma_weights"], ["luma"]),
        node("ReduceMean", ["luma"], ["luminance_mean"], **image_axes),
        # The edge repeats outwards: a border of zeros would look like the sharpest line in the frame.
        node("Pad", ["luma", "edge_pads"], ["padded"], mode="edge"),
        node("Conv", ["padded", "laplacian"], ["edges"]),
        node("AveragePool", ["edges"], ["tile_mean"], **tiles),
        node("Mul", ["edges", "edges"], ["edges_squared"]),
        node("AveragePool", ["edges_squared"], ["tile_mean_of_squares"], **tiles),
        node("Mul", ["tile_mean", "tile_mean"], ["tile_mean_squared"]),
        node("Sub", ["tile_mean_of_squares", "tile_mean_squared"], ["tile_variance"]),
        node("ReduceMax", ["tile_variance"], ["sharpness"], **image_axes),
        *_share("LessOrEqual", "dark_level", "dark_share"),
        *_share("GreaterOrEqual", "bright_level", "bright_share"),
    ]


def _share(comparison: str, level: str, output: str) -> list[onnx.NodeProto]:
    """The share of pixels on the far side of a level."""
    return [
        helper.make_node(comparison, ["luma", level], [f"{output}_mask"]),
        helper.make_node("Cast", [f"{output}_mask"], [f"{output}_ones"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", [f"{output}_ones"], [output], axes=[1, 2, 3], keepdims=0),
    ]


def main() -> None:
    """Write the model beside this file and print its digest."""
    content = build()
    FRAME_QUALITY.path.write_bytes(content)
    sys.stdout.write(
        f"{FRAME_QUALITY.path.name} {len(content)} bytes sha256 {hashlib.sha256(content).hexdigest()}\n"
    )


if __name__ == "__main__":
    main()
