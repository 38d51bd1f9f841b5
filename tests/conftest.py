"""On which device the tests of devices run, and the stand-in that makes one where there is no GPU.

    pytest tests/devices                    the stand-in, and a GPU where there is one
    pytest tests/devices --device cuda      a GPU, or an error
"""

from __future__ import annotations

from collections.abc import Iterator

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
        "by default on all, where a GPU that cannot be used is skipped",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "device" in metafunc.fixturenames:
        metafunc.parametrize("device", metafunc.config.getoption("device") or DEVICES, indirect=True)


@pytest.fixture
def device(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a device that can be used; the test is skipped where the GPU was not asked for and cannot be."""
    name = request.param
    if name == "cuda":
        try:
            move(np.zeros(1), "cuda")
        except DeviceError as error:
            if "cuda" in (request.config.getoption("device") or ()):
                raise
            pytest.skip(str(error))
    yield name


#: Known to all tests: `.to("standin")` works wherever the stand-in is.
LIBRARIES["stand_in"] = stand_in.STAND_IN
