"""Make `frame_quality.onnx`: designed, not trained, so its weights are arithmetic that one can read here.

It needs the development dependency `onnx`; the agent itself never does. Run it after a change and put the
digest that it prints into `models/__init__.py`:

    python -m bodega_agent.vision.models.build_frame_quality

Sharpness is the variance of the Laplacian (Pech-Pacheco et al., ICPR 2000), taken per tile of 80 x 80
pixels; the sharpest tile counts, because one item in focus on a plain tray is a usable frame. Clipped
shares count the pixels at the ends of the range, where detail is lost for good.

The Laplacian is four shifted slices and not a Conv: onnxruntime's convolution unrolls the image first, which
took eight times as long and 0.8 GB for a batch of eight frames.
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
# Where the neighbour of each pixel starts in the padded image: (row, column).
NEIGHBOURS = {"above": (0, 1), "below": (2, 1), "left": (1, 0), "right": (1, 2)}
# Old enough for every onnxruntime that we support, and pinned so that the bytes do not follow the library.
OPSET = 17
IR_VERSION = 8


def build() -> bytes:
    """The model's serialised bytes; the same bytes on every call.

    Input `luma`: uint8 [N, 480, 640], Rec. 601 luma. Outputs, float32 [N] each: `luminance_mean` (grey
    levels, 0 to 255), `sharpness` (grey levels squared), `dark_share` and `bright_share` (0 to 1).
    """
    graph = helper.make_graph(
        nodes=_nodes(),
        name="frame_quality",
        inputs=[helper.make_tensor_value_info("luma", TensorProto.UINT8, ["N", HEIGHT_PX, WIDTH_PX])],
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
        "plane_axis": np.array([1], np.int64),
        "image_axes": np.array([2, 3], np.int64),
        "edge_pads": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64),
        "minus_four": np.array(-4.0, np.float32),
        "dark_level": np.array(DARK_LEVEL_MAX, np.float32),
        "bright_level": np.array(BRIGHT_LEVEL_MIN, np.float32),
    }
    for name, (row, column) in NEIGHBOURS.items():
        values[f"{name}_starts"] = np.array([row, column], np.int64)
        values[f"{name}_ends"] = np.array([row + HEIGHT_PX, column + WIDTH_PX], np.int64)
    return [numpy_helper.from_array(value, name) for name, value in values.items()]


def _nodes() -> list[onnx.NodeProto]:
    node = helper.make_node
    return [
        node("Cast", ["luma"], ["levels"], to=TensorProto.FLOAT),
        node("Unsqueeze", ["levels", "plane_axis"], ["image"]),
        node("ReduceMean", ["image"], ["luminance_mean"], axes=[1, 2, 3], keepdims=0),
        *_laplacian(),
        *_sharpest_tile(),
        *_share("LessOrEqual", "dark_level", "dark_share"),
        *_share("GreaterOrEqual", "bright_level", "bright_share"),
    ]


def _laplacian() -> list[onnx.NodeProto]:
    """`edges`: the four neighbours of each pixel less four times itself."""
    node = helper.make_node
    return [
        # The border repeats outwards: a border of zeros would look like the sharpest line in the frame.
        node("Pad", ["image", "edge_pads"], ["padded"], mode="edge"),
        *(node("Slice", ["padded", f"{n}_starts", f"{n}_ends", "image_axes"], [n]) for n in NEIGHBOURS),
        node("Add", ["above", "below"], ["column_sum"]),
        node("Add", ["left", "right"], ["row_sum"]),
        node("Add", ["column_sum", "row_sum"], ["neighbours"]),
        node("Mul", ["image", "minus_four"], ["centre"]),
        node("Add", ["neighbours", "centre"], ["edges"]),
    ]


def _sharpest_tile() -> list[onnx.NodeProto]:
    """`sharpness`: the largest variance of `edges` over the tiles."""
    node = helper.make_node
    tiles: dict[str, Any] = {"kernel_shape": [TILE_PX, TILE_PX], "strides": [TILE_PX, TILE_PX]}
    return [
        node("AveragePool", ["edges"], ["tile_mean"], **tiles),
        node("Mul", ["edges", "edges"], ["edges_squared"]),
        node("AveragePool", ["edges_squared"], ["tile_mean_of_squares"], **tiles),
        node("Mul", ["tile_mean", "tile_mean"], ["tile_mean_squared"]),
        node("Sub", ["tile_mean_of_squares", "tile_mean_squared"], ["tile_variance"]),
        node("ReduceMax", ["tile_variance"], ["sharpness"], axes=[1, 2, 3], keepdims=0),
    ]


def _share(comparison: str, level: str, output: str) -> list[onnx.NodeProto]:
    """The share of pixels on the far side of a level."""
    return [
        helper.make_node(comparison, ["image", level], [f"{output}_mask"]),
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
