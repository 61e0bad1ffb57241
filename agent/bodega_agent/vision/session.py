"""The only door to onnxruntime: a model that is what it claims to be, on the provider that it reports.

Rules kept here: the bytes that are hashed are the bytes that are run; the provider is read back from the
session, never assumed from what was asked for; a fall-back is said aloud, once, in the log. Nothing leaves the
node: onnxruntime's own wheels report to their maker unless they are told not to before they are loaded.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

# Read once, when the library is loaded; without it, it also leaves files in the temporary folder.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

from bodega.errors import IntegrityBroken, NotFound
from bodega.host.log import get_logger

log = get_logger(__name__)

# Its type information does not re-export its own names.
_ort: Any = onnxruntime

CPU = "CPUExecutionProvider"
_ERRORS_ONLY = 3


class ModelSession:
    """One ONNX model with one input, loaded and checked.

    `provider` is what the session really runs on. `digest` is the SHA-256 of the model's bytes, hex.
    """

    def __init__(self, path: Path, *, sha256: str, providers: Sequence[str], threads: int = 1) -> None:
        """Load the model at `path`, whose bytes must hash to `sha256`.

        `providers` are tried in their order; the CPU is always the last resort. `threads` is onnxruntime's
        intra-op pool: 1 leaves an edge box's other cores to the ledger.

        Raises NotFound when there is no such file, IntegrityBroken when its bytes are not the expected ones.
        """
        content = _checked(path, sha256)
        self.digest = sha256
        self._session = _ort.InferenceSession(content, _options(threads), providers=_usable(providers))
        self._input = self._session.get_inputs()[0].name
        self._outputs = [output.name for output in self._session.get_outputs()]
        self.provider: str = self._session.get_providers()[0]
        if providers and self.provider != providers[0]:
            log.warning("vision_provider_fallback", wanted=list(providers), running_on=self.provider)

    def run(self, batch: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
        """Every output of the model by name, for a batch whose first axis is the frames."""
        return dict(zip(self._outputs, self._session.run(self._outputs, {self._input: batch}), strict=True))


def _checked(path: Path, sha256: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise NotFound(f"model {path}: {fault.strerror}", hint="reinstall the agent's package") from fault
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise IntegrityBroken(
            f"model {path}: sha256 is {found}, expected {sha256}",
            hint="the file was changed or half copied; reinstall the agent's package",
        )
    return content


def _usable(providers: Sequence[str]) -> list[str]:
    """The wanted providers that this build of onnxruntime has, and the CPU behind them."""
    available = _ort.get_available_providers()
    return [name for name in dict.fromkeys([*providers, CPU]) if name in available]


def _options(threads: int) -> Any:
    options = _ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Batches come in every size; a memory plan kept for each would be paid for in RAM and save nothing.
    options.enable_mem_pattern = False
    options.log_severity_level = _ERRORS_ONLY
    # A worker waits most of its life: no thread of it may spin.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
