"""Make `.venv` hold the pinned packages of one set, from nothing but a Python and its standard library.

Every make target calls this first, so it must be instant when there is nothing to do: a stamp in the
environment names the set and a digest of everything that it was built from. Packages come only from
`packaging/requirements/*.txt` (pinned, with hashes) and only from where the user's own settings say;
no address is written here. uv does the work where it can (seconds), pip where it cannot (a minute).

It runs on whatever Python the user has, so it says "too old" before it imports anything newer.
"""

from __future__ import annotations

import sys

EXIT_USAGE = 2
EXIT_UNAVAILABLE = 69
if sys.version_info < (3, 11):  # noqa: UP036 - this is the one file that an older Python gets to read
    here = f"{sys.executable} is {sys.version_info[0]}.{sys.version_info[1]}"
    print(
        f"bodega: needs Python 3.11 or newer, and {here}. Name another: make PYTHON=python3.12 demo",
        file=sys.stderr,
    )
    sys.exit(EXIT_UNAVAILABLE)

import ast
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import tomllib
import venv
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STAMP = VENV / "bodega-stamp"
REQUIREMENTS = ROOT / "packaging" / "requirements"
# From small to large: a larger set holds everything that a smaller one holds.
SETS = ("demo", "dev")
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# What the user told pip about where packages come from, in uv's words. Pinned hashes make it safe to
# let the indexes compete as pip does.
UV_WORDS = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "proxy": ("ALL_PROXY", " "),
    "cert": ("SSL_CERT_FILE", " "),
}


class Unavailable(Exception):
    """Something that only the user can bring is missing; the message says what to do."""


@dataclass(frozen=True)
class Tool:
    """A program that installs packages into `.venv`: how to call it, and with which settings."""

    name: str
    install: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
        """Install `arguments` (pip's own words); the caller looks at the return code."""
        environment = {**os.environ, **self.settings}
        # A developer's PYTHONPATH or PYTHONHOME must not leak into another interpreter's installation.
        environment.pop("PYTHONPATH", None)
        environment.pop("PYTHONHOME", None)
        return subprocess.run(
            [*self.install, *arguments],
            cwd=ROOT,
            env=environment,
            text=True,
            capture_output=capture,
            check=False,
        )


def say(sentence: str) -> None:
    """One line for the person who waits."""
    print(f"bodega: {sentence}", file=sys.stderr, flush=True)


def digest(chosen: str) -> str:
    """What the environment for this set is made from: change any of it, and it is made again."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    # Only what an installation depends on: a new linter rule is no reason to install again.
    installed = [project["build-system"], project["project"], project["tool"]["hatch"]]
    # The folder counts because an environment that was moved has dead interpreter paths in its scripts.
    whole = hashlib.sha256(repr([sys.version, sys.base_prefix, str(ROOT), installed]).encode())
    for part in (REQUIREMENTS / f"{chosen}.txt", Path(__file__)):
        whole.update(hashlib.sha256(part.read_bytes()).digest())
    return whole.hexdigest()


def wanted_set(asked: str) -> str:
    """The set to install: never a smaller one than what is there, so that targets do not fight."""
    present = STAMP.read_text().split()[0] if STAMP.is_file() else asked
    return max(asked, present, key=SETS.index) if present in SETS else asked


def is_fresh(chosen: str) -> bool:
    """Whether `.venv` already holds exactly this."""
    return STAMP.is_file() and VENV_PYTHON.exists() and STAMP.read_text().split() == [chosen, digest(chosen)]


def make_environment() -> None:
    """A new, empty environment; pip comes later, because Debian's Python may have no ensurepip."""
    shutil.rmtree(VENV, ignore_errors=True)
    venv.EnvBuilder(symlinks=True).create(VENV)


def pip_of_ensurepip() -> Tool | None:
    """pip inside `.venv`, where this Python ships one."""
    made = subprocess.run(
        [str(VENV_PYTHON), "-m", "ensurepip", "--default-pip"], capture_output=True, check=False
    )
    return Tool("pip", (str(VENV_PYTHON), "-m", "pip", "install")) if made.returncode == 0 else None


def pip_of_host() -> Tool | None:
    """The pip of the Python that runs this, told to work on `.venv` (pip 22.3 and newer can)."""
    command = (sys.executable, "-m", "pip", "--python", str(VENV_PYTHON))
    probe = subprocess.run([*command, "--version"], capture_output=True, check=False)
    return Tool("pip", (*command, "install")) if probe.returncode == 0 else None


def apt_download(package: str, folder: Path) -> None:
    """Put the .deb into `folder` and unpack it there: no root needed, nothing is installed."""
    # apt's download helper runs as a user of its own and warns when it may not write here.
    folder.chmod(0o755)
    (folder / "partial").mkdir(parents=True, exist_ok=True)
    # A container image may come without apt's lists: then fetch them into a place of our own.
    own_lists = [
        "-o",
        f"Dir::State::Lists={folder}",
        "-o",
        f"Dir::Cache={folder}",
        "-o",
        "APT::Sandbox::User=",
    ]
    download = ["download", "-qq", package]
    for line in (download, [*own_lists, "update", "-qq"], [*own_lists, *download]):
        subprocess.run(["apt-get", *line], cwd=folder, capture_output=True, check=False)
        found = list(folder.glob(f"{package}_*.deb"))
        if found:
            subprocess.run(["dpkg-deb", "-x", str(found[0]), str(folder)], capture_output=True, check=False)
            return


def certificates_of_apt(folder: Path) -> dict[str, str]:
    """Debian's pip looks for the system's certificates; where there are none, the package's own."""
    if SYSTEM_CERTIFICATES.exists() or "PIP_CERT" in os.environ:
        return {}
    apt_download("ca-certificates", folder)
    bundle = VENV / "ca-certificates.crt"
    bundle.write_bytes(
        b"".join(one.read_bytes() for one in folder.glob("usr/share/ca-certificates/mozilla/*.crt"))
    )
    return {"PIP_CERT": str(bundle)}


def pip_of_apt() -> Tool | None:
    """The pip wheel out of Debian's own package, unpacked into `.venv`."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return None
    say("this Python has no pip; taking Debian's from its package (nothing is installed outside .venv)")
    with tempfile.TemporaryDirectory() as folder:
        apt_download("python3-pip-whl", Path(folder))
        for wheel in Path(folder).glob("usr/share/python-wheels/pip-*.whl"):
            command = (str(VENV_PYTHON), f"{shutil.copy(wheel, VENV)}/pip", "install")
            return Tool("pip", command, certificates_of_apt(Path(folder)))
    return None


def find_pip() -> Tool | None:
    """Some pip that can fill `.venv`, the nearest first."""
    return pip_of_ensurepip() or pip_of_host() or pip_of_apt()


def pip_listing(pip: Tool) -> str:
    """What `pip config list` says: the user's pip settings, from files and PIP_ variables."""
    line = [*pip.install[:-1], "config", "list"]
    environment = {**os.environ, **pip.settings}
    return subprocess.run(line, capture_output=True, text=True, check=False, env=environment).stdout


def as_uv_settings(listing: str) -> dict[str, str]:
    """The settings of `pip config list` as uv's variables."""
    said: dict[str, str] = {}
    # pip's order of precedence: [global] of the files, then [install], then the environment.
    for scope in ("global.", "install.", ":env:."):
        for line in listing.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(scope) and name.removeprefix(scope) in UV_WORDS:
                said[name.removeprefix(scope)] = str(ast.literal_eval(value))
    settings = {UV_WORDS[key][0]: UV_WORDS[key][1].join(value.split()) for key, value in said.items()}
    # uv brings certificates of its own; a machine whose authority only the system knows needs the system's.
    trust = {"UV_SYSTEM_CERTS": "true"} if SYSTEM_CERTIFICATES.exists() else {}
    return {**trust, **settings, "UV_INDEX_STRATEGY": "unsafe-best-match"}


def uv_from_path() -> Tool | None:
    """The uv that the user installed, with the settings that the user gave it."""
    found = shutil.which("uv")
    return Tool("uv", (found, "pip", "install", "--quiet", "--python", str(VENV_PYTHON))) if found else None


def uv_from_pip(pip: Tool) -> Tool | None:
    """uv, fetched by pip into `.venv` at its pinned version."""
    got = pip.run("--quiet", "--require-hashes", "-r", str(REQUIREMENTS / "bootstrap.txt"), capture=True)
    if got.returncode != 0:
        return None
    command = (str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--python", str(VENV_PYTHON))
    settings = as_uv_settings(pip_listing(pip))
    # What the user told uv itself wins over what the user told pip.
    return Tool("uv", command, {name: value for name, value in settings.items() if name not in os.environ})


def install(tool: Tool, chosen: str) -> bool:
    """The pinned packages, then this project itself, editable and without looking for more."""
    pinned = tool.run("--require-hashes", "-r", str(REQUIREMENTS / f"{chosen}.txt"))
    if pinned.returncode != 0:
        return False
    return tool.run("--no-deps", "--no-build-isolation", "--editable", str(ROOT)).returncode == 0


def fill(chosen: str) -> None:
    """Fill `.venv` with the fastest tool that works; Unavailable when none does."""
    tool = uv_from_path()
    if tool is not None:
        say(f"installing the pinned packages of '{chosen}' into .venv with uv (once)")
        if install(tool, chosen):
            return
        say("uv could not; trying pip")
    pip = find_pip()
    if pip is None:
        raise Unavailable("found no uv, no pip and no ensurepip. As root: apt-get install python3-venv")
    say(f"installing the pinned packages of '{chosen}' into .venv (once; seconds with uv, a minute with pip)")
    tool = uv_from_pip(pip)
    if tool is not None:
        if install(tool, chosen):
            return
        say("uv could not; trying pip")
    quiet = (*pip.install, "--quiet", "--disable-pip-version-check", "--progress-bar=off")
    if not install(Tool(pip.name, quiet, pip.settings), chosen):
        raise Unavailable(
            "the packages could not be installed; the lines above say why (is an index reachable?)"
        )


def prepare(asked: str) -> None:
    """Bring `.venv` to the set asked for, or to the larger one that is already there."""
    # Two makes at once must not fill one folder together; this file is a lock that always exists.
    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        chosen = wanted_set(asked)
        if is_fresh(chosen):
            return
        make_environment()
        fill(chosen)
        STAMP.write_text(f"{chosen} {digest(chosen)}\n")


def main(arguments: list[str]) -> int:
    """`bootstrap.py SET`; exit 69 when something is missing that only the user can bring."""
    if len(arguments) != 1 or arguments[0] not in SETS:
        print(f"usage: bootstrap.py {{{','.join(SETS)}}}", file=sys.stderr)
        return EXIT_USAGE
    try:
        prepare(arguments[0])
    except Unavailable as missing:
        say(str(missing))
        return EXIT_UNAVAILABLE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
