"""The files of checkpoints: damaged and hostile ones, and that any nested state comes back as it was."""

import json
import math
import re
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
import optim
from nn import files
from nn.checkpoint import _KEY, pack, unpack


def bits(state):
    arrays, text = pack(state)
    return text, {name: (a.dtype.str, a.shape, a.tobytes()) for name, a in arrays.items()}


# Hostile files


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("MT19937", lambda state: state["state"].update(pos=625)),
        ("MT19937", lambda state: state["state"].update(pos=-1)),
        ("MT19937", lambda state: state["state"].update(key=np.zeros(623, np.uint32))),
        ("MT19937", lambda state: state["state"].update(key=np.zeros(624))),
        ("Philox", lambda state: state.update(buffer_pos=-5)),
        ("Philox", lambda state: state.update(buffer_pos=5)),
        ("Philox", lambda state: state.update(buffer=np.zeros(2, np.uint64))),
        ("SFC64", lambda state: state["state"].update(state=np.zeros(3, np.uint64))),
        ("PCG64", lambda state: state["state"].update(state=2**128)),
        ("PCG64", lambda state: state["state"].update(state=-1)),
        ("PCG64", lambda state: state["state"].update(state="1")),
        ("PCG64", lambda state: state.update(has_uint32=2**70)),
        ("PCG64", lambda state: state.pop("state")),
        ("PCG64", lambda state: state.update(more=1)),
        ("PCG64", lambda state: state.update(bit_generator=None)),
    ],
)
def test_states_that_no_generator_can_have_are_refused(tmp_path, kind, change):
    rng = np.random.Generator(getattr(np.random, kind)(0))
    nn.save_checkpoint(tmp_path / "c", model=nn.Linear(1, 1), generators={"a": rng})
    arrays, metadata = files.read(tmp_path / "c")
    state = unpack(arrays, metadata[_KEY])
    change(state["streams"][0])
    arrays, text = pack(state)
    files.write(tmp_path / "c", arrays, {_KEY: text})
    before = bits(rng.bit_generator.state)
    with pytest.raises(ValueError, match="nothing is changed"):
        nn.load_checkpoint(tmp_path / "c", model=nn.Linear(1, 1), generators={"a": rng})
    assert bits(rng.bit_generator.state) == before


def test_a_damaged_byte_anywhere_gives_other_values_or_one_error(tmp_path):
    def made(seed):
        model = nn.Sequential(nn.Linear(1, 1, rng=seed), nn.Dropout(rng=seed))
        adam = optim.Adam(model.parameters())
        model[0](np.ones((1, 1), np.float32)).sum().backward()
        adam.step()
        return {"model": model, "optimizer": adam, "schedule": optim.ExponentialLR(adam, 0.5)}

    def everything(parts):
        generators = {name: rng.bit_generator.state for name, rng in parts["model"].named_generators()}
        return bits([part.state_dict() for part in parts.values()] + [generators])

    nn.save_checkpoint(tmp_path / "c", **made(0), epoch=1)
    whole = (tmp_path / "c").read_bytes()
    parts = made(1)
    before, refused = everything(parts), 0
    flips = (1 << np.random.default_rng(0).integers(0, 8, len(whole))).tolist()
    places = [*range(0, len(whole), 3), *range(len(whole) - 30, len(whole))]
    damaged = [whole[:k] + bytes([whole[k] ^ flips[k]]) + whole[k + 1 :] for k in places]
    damaged += [whole[:k] for k in range(0, len(whole), 97)]
    for content in damaged:
        (tmp_path / "c").write_bytes(content)
        try:
            nn.load_checkpoint(tmp_path / "c", **parts)
        except ValueError as error:
            refused += 1
            if str(tmp_path) not in str(error):
                raise
            assert everything(parts) == before
        else:
            before = everything(parts)
    assert len(damaged) / 2 < refused < len(damaged)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "null",
        "[]",
        '{"dict":[]}',
        '{"dict":[["model",{"dict":[]}]]}',
        '{"dict":3}',
        '{"dict":[[[],1]]}',
        '{"dict":[["a",1],["a",2]]}',
        '{"array":"missing"}',
        '{"array":["w","w"]}',
        '[{"array":"w"},{"array":"w"}]',
        '{"float":"00"}',
        '{"float":3}',
        '{"scalar":["float64","00"]}',
        '{"scalar":["float64",""]}',
        '{"scalar":["object","0000000000000000"]}',
        '{"scalar":["float64","' + "00" * 16 + '"]}',
        '{"list":[],"dict":[]}',
        '{"eval":"1/0"}',
        "{}",
        "[" * 100_000,
        '{"tuple":[' * 400 + "]}" * 400,
    ],
)
def test_json_that_is_no_checkpoint_is_refused(tmp_path, text):
    files.write(tmp_path / "c", {"w": np.zeros(2)}, {_KEY: text})
    with pytest.raises(ValueError, match="nothing is changed"):
        nn.load_checkpoint(tmp_path / "c", model=nn.Linear(1, 1))


# Nested state

NUMBERS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
ARRAYS = st.builds(
    lambda dtype, shape, data: (
        np.resize(np.frombuffer(data * 8, np.uint8), (*shape, np.dtype(dtype).itemsize))
        .copy()
        .view(dtype)
        .reshape(shape)
    ),
    st.sampled_from([np.float16, np.float32, np.float64, np.int64, np.uint8, np.complex64]),
    st.lists(st.integers(0, 3), max_size=3),
    st.binary(min_size=1, max_size=32),
)
SCALARS = ARRAYS.filter(lambda a: a.size).map(lambda a: a.reshape(-1)[0])
STATES = st.recursive(
    NUMBERS | ARRAYS | SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.booleans() | st.integers(-2, 2) | st.sampled_from(["0", "1", "a", "a.b", "dict"]), inner)
    ),
    max_leaves=8,
)


def alike(a, b):
    """Whether two states are the same, types and bits included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(map(repr, a)) == list(map(repr, b)) and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, np.ndarray | np.generic):
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, float):
        return np.float64(a).tobytes() == np.float64(b).tobytes()
    return a == b


@settings(max_examples=60, deadline=None)
@given(STATES)
def test_any_nested_state_comes_back(state):
    arrays, text = pack(state)
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert alike(unpack(arrays, text), state)


def test_any_nested_state_comes_back_from_a_file(tmp_path):
    nan = np.array([0x7FC00001, 0xFFC0BEEF, 1], np.uint32).view(np.float32)  # NaN with payloads, a denormal number
    state = {"a.b": nan, "a": {"b": nan[:1], 0: nan[0], "0": nan.reshape(3, 1).T}, "x": (-0.0, -math.inf, math.nan)}
    before = deepcopy(state)
    arrays, text = pack(state)
    assert list(arrays) == ["a.b", "a.b_", "a.0"]
    files.write(tmp_path / "s", arrays, {"text": text})
    arrays, metadata = files.read(tmp_path / "s")
    assert alike(unpack(arrays, metadata["text"]), before)
    assert alike(state, before)


def test_an_array_that_belongs_to_nothing_is_refused():
    with pytest.raises(ValueError, match=re.escape("an array that belongs to nothing: more")):
        unpack({"more": np.zeros(1)}, "[]")
