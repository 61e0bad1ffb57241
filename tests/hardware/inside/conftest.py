"""A test that fails shows what the kernel said meanwhile, beside what our code said."""

from __future__ import annotations

import subprocess
from collections.abc import Generator

import pytest


def kernel_log(*options: str) -> str:
    """The kernel's words since they were last cleared (`--clear`)."""
    return subprocess.run(["dmesg", *options], capture_output=True, text=True, check=True).stdout


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Before the first fixture plugs something in."""
    kernel_log("--clear")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """See this module's docstring."""
    report = yield
    if report.failed:
        report.sections.append(("Kernel log", kernel_log()))
    return report
