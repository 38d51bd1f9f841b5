"""On which device the tests of devices run, and the stand-in that makes one where there is no GPU.

pytest tests/devices                    on the CPU, on the stand-in, and on a GPU where there is one
pytest tests/devices --device cuda      on a GPU, or nothing passes
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import stand_in

from autograd import DeviceError
from autograd.devices import LIBRARIES, move

DEVICES = ("cpu", "standin", "cuda")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--device",
        action="append",
        choices=DEVICES,
        help="run the tests that take a device on this one alone (may be given several times); "
        "by default on all that there are",
    )


@cache
def missing() -> str:
    """Why there is no GPU for the tests; nothing if there is one."""
    try:
        move(np.zeros(1), "cuda")
    except DeviceError as error:
        return str(error)
    return ""


def pytest_report_header() -> str:
    return f"devices: {', '.join(DEVICES[:2])}; no GPU: {missing()}" if missing() else f"devices: {', '.join(DEVICES)}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "device" in metafunc.fixturenames:
        there = DEVICES[:2] if missing() else DEVICES
        metafunc.parametrize("device", metafunc.config.getoption("device") or there, indirect=True)


@pytest.fixture
def device(request: pytest.FixtureRequest) -> str:
    """The name of a device."""
    if request.param == "cuda":
        move(np.zeros(1), "cuda")  # where a GPU was asked for and cannot be had, this says why
    return str(request.param)


#: Known to all tests: `.to("standin")` works wherever the stand-in is.
LIBRARIES["stand_in"] = stand_in.STAND_IN
