"""Two devices that reach each other's memory: the library would compute with arrays of both; the engine refuses."""

import numpy as np
import pytest
import stand_in

from autograd import DeviceError, Tensor


def on(device, requires_grad=True):
    return Tensor(np.ones(3), requires_grad, device=device)


@pytest.mark.parametrize("tracked", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("call", [np.add, lambda x, y: np.stack([x, y]), lambda x, y: x @ y])
def test_devices_that_reach_each_other_are_not_mixed_either(call, tracked):
    x, y = on("standin:0", tracked[0]), on("standin:1", tracked[1])
    with stand_in.peers(), pytest.raises(DeviceError, match="of different devices") as caught:
        call(x, y)
    assert "on 'standin:0'" in str(caught.value)
    assert "on 'standin:1'" in str(caught.value)


def test_moving_between_such_devices_is_allowed():
    x = on("standin:0")
    with stand_in.peers():
        y = x.to("standin:1") * 2.0
        y.sum().backward()
    assert y.device == "standin:1"
    assert x.grad.device == "standin:0"
