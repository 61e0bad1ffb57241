"""Generate the code of `proto/bodega/v1`, or say whether the committed code is fresh.

Generated code is committed and never edited: a node is installed without a protocol compiler, and a
reader follows an import to a file. The output path mirrors the import path, so nothing is rewritten.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE_ROOT = ROOT / "proto"
PATTERNS = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")
SERVICE = re.compile(r"^service \w+", re.MULTILINE)


def definitions(root: Path = SOURCE_ROOT) -> list[Path]:
    """The .proto files below a source root, relative to it, in a fixed order."""
    return sorted(path.relative_to(root) for path in root.glob("bodega/*/*.proto"))


def generated(root: Path) -> dict[Path, bytes]:
    """Every generated file below a source root, by its path relative to it."""
    return {
        path.relative_to(root): path.read_bytes() for one in PATTERNS for path in root.glob(f"bodega/*/{one}")
    }


def generate(into: Path, root: Path = SOURCE_ROOT) -> None:
    """Run the compiler with its Python, stub and gRPC plugins; raises CalledProcessError on a bad .proto."""
    outputs = [f"--{plugin}_out={into}" for plugin in ("python", "grpc_python", "mypy", "mypy_grpc")]
    line = [sys.executable, "-m", "grpc_tools.protoc", f"-I{root}", *outputs]
    # The plugins are scripts beside this interpreter, which need not be on the caller's PATH.
    search = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    subprocess.run(
        [*line, *map(str, definitions(root))], check=True, cwd=root, env={**os.environ, "PATH": search}
    )
    for path in definitions(root):
        if not SERVICE.search((root / path).read_text()):
            # Without a service the gRPC files are an import of grpc and nothing else: memory for nothing.
            for empty in into.glob(f"{path.with_suffix('')}_pb2_grpc.py*"):
                empty.unlink()


def stale(root: Path = SOURCE_ROOT) -> list[str]:
    """One sentence for each generated file that is missing, old or left over; empty when all is fresh."""
    with tempfile.TemporaryDirectory() as folder:
        fresh_root = Path(folder)
        if definitions(root):
            generate(fresh_root, root)
        fresh, committed = generated(fresh_root), generated(root)
    sentences = []
    for path in sorted(fresh.keys() | committed.keys()):
        if path not in committed:
            sentences.append(f"{path} is missing")
        elif path not in fresh:
            sentences.append(f"{path} has no .proto any more")
        elif fresh[path] != committed[path]:
            sentences.append(f"{path} is not what its .proto generates")
    return sentences


def main(arguments: list[str]) -> int:
    """`protos.py [--check]`."""
    if "--check" in arguments:
        sentences = stale()
        for sentence in sentences:
            print(sentence)
        if sentences:
            print("run `make protos` and commit what it writes")
        return 1 if sentences else 0
    for path in generated(SOURCE_ROOT):
        (SOURCE_ROOT / path).unlink()
    if definitions():
        generate(SOURCE_ROOT)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
