"""Weight files: what comes back, what is refused, and what is there after a crash."""

import json
import os
import re
import struct
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import nn
from nn import files


class Block(nn.Module):
    """Parameters and buffers of several kinds."""

    def __init__(self, rng=0):
        rng = np.random.default_rng(rng)
        self.layers = [nn.Linear(3, 4, rng=rng), nn.BatchNorm1d(4), nn.Linear(4, 2, bias=False, rng=rng)]
        self.half = nn.Parameter(rng.normal(size=2).astype(np.float16))
        self.scale = nn.Parameter(rng.normal())
        self.mask = nn.Buffer(rng.integers(0, 2, 5).astype(bool))
        self.empty = nn.Parameter(np.zeros((0, 3)))
        self.wave = nn.Parameter(np.array([1 + 2j], np.complex64) * rng.normal())


def bits(module):
    return {name: (a.dtype.str, a.shape, a.tobytes()) for name, a in module.state_dict().items()}


def file_of(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


# What comes back


def test_weights_come_back_as_they_were(tmp_path):
    model = nn.MLP([3, 4, 1], rng=0)
    # a parameter whose memory is not C-contiguous: safetensors 0.8.0 alone would write it wrongly
    model.linear1.weight = nn.Parameter(model.linear1.weight.data.copy())
    model.linear1.weight._array = np.asfortranarray(model.linear1.weight.data)
    assert not model.linear1.weight.data.flags.c_contiguous
    path = tmp_path / "weights.safetensors"
    nn.save_weights(model, path)
    other = nn.MLP([3, 4, 1], rng=1)
    nn.load_weights(other, path)
    for p, q in zip(model.parameters(), other.parameters()):
        np.testing.assert_array_equal(p.data, q.data)
    assert [f.name for f in tmp_path.iterdir()] == ["weights.safetensors"]


def test_arrays_that_do_not_lie_in_order_are_written_in_order(tmp_path):
    a = np.arange(24.0).reshape(2, 3, 4)
    arrays = {"t": a.T, "step": a[:, ::2], "back": a[::-1], "same": np.broadcast_to(a[0], (2, 3, 4))}
    assert not any(array.flags.c_contiguous for array in arrays.values())
    files.write(tmp_path / "a", arrays, {})
    read, _ = files.read(tmp_path / "a")
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)


def test_every_dtype_and_shape_comes_back_bit_for_bit(tmp_path):
    model, other = Block(0), Block(1)
    model.half.data = np.array([0x7E01, 0x0001], np.uint16).view(np.float16)  # a NaN with a payload, a denormal number
    model.layers[1].num_batches_tracked.data += 2**40
    nn.save_weights(model, tmp_path / "w")
    nn.load_weights(other, tmp_path / "w")
    assert bits(other) == bits(model)


def test_a_parameter_without_axes_comes_back_from_a_file(tmp_path):
    class Scale(nn.Module):
        def __init__(self, value):
            self.factor = nn.Parameter(value)

    nn.save_weights(Scale(3.0), tmp_path / "weights.safetensors")
    other = Scale(0.0)
    nn.load_weights(other, tmp_path / "weights.safetensors")
    assert other.factor.item() == 3.0


def test_a_module_without_weights_has_a_file_too(tmp_path):
    nn.save_weights(nn.ReLU(), tmp_path / "w")
    nn.load_weights(nn.ReLU(), tmp_path / "w")


def test_metadata_come_back_and_say_what_wrote_them(tmp_path):
    path = tmp_path / "w"
    nn.save_weights(nn.MLP([2, 1]), path, {"accuracy": "0.97", "ünï": "\n\0\"'"})
    metadata = nn.read_metadata(path)
    assert metadata.pop("wengert").endswith(" MLP")
    assert metadata == {"accuracy": "0.97", "ünï": "\n\0\"'"}


def test_the_same_weights_make_the_same_file(tmp_path):
    for name in "ab":
        nn.save_weights(nn.MLP([2, 5, 1], rng=0), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("metadata", [{"epoch": 3}, {3: "epoch"}, {"loss": float("nan")}, {"none": None}])
def test_metadata_that_are_not_strings_are_refused(tmp_path, metadata):
    with pytest.raises(TypeError, match="metadata are strings"):
        nn.save_weights(nn.Linear(2, 1), tmp_path / "w", metadata)
    assert not list(tmp_path.iterdir())


def test_what_the_format_does_not_have_is_refused_by_name(tmp_path):
    class Odd(nn.Module):
        def __init__(self, name, value):
            setattr(self, name, nn.Parameter(value))

    for value in (np.zeros(2, complex), np.zeros(2, np.longdouble)):
        with pytest.raises(TypeError, match=rf"phase is {value.dtype}, which a safetensors file cannot hold"):
            nn.save_weights(Odd("phase", value), tmp_path / "w")
    with pytest.raises(ValueError, match="cannot be called '__metadata__'"):
        nn.save_weights(Odd("__metadata__", np.zeros(2)), tmp_path / "w")
    with pytest.raises(ValueError, match="cannot be written as safetensors"):
        nn.save_weights(nn.Linear(2, 1), tmp_path / "w", {"a": "\ud800"})
    assert not list(tmp_path.iterdir())


def test_names_like_paths_are_names_only(tmp_path):
    class Odd(nn.Module):
        def __init__(self):
            self.parts = {"../../evil": nn.Parameter([1.0]), "/etc/passwd": nn.Parameter([2.0])}

    folder = tmp_path / "inner"
    folder.mkdir()
    nn.save_weights(Odd(), folder / "w")
    nn.load_weights(Odd(), folder / "w")
    assert [f.name for f in tmp_path.rglob("*")] == ["inner", "w"]


# What is refused


def test_a_file_that_is_broken_or_does_not_fit_changes_nothing(tmp_path):
    model = nn.MLP([3, 4, 1], rng=0)
    before = bits(model)
    path = tmp_path / "weights.safetensors"
    nn.save_weights(nn.MLP([3, 5, 1]), path)
    with pytest.raises(ValueError, match=r"weights\.safetensors: .*nothing was loaded"):
        nn.load_weights(model, path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ValueError, match="is not a whole safetensors file"):
        nn.load_weights(model, path)
    with pytest.raises(FileNotFoundError):
        nn.load_weights(model, tmp_path / "missing")
    with pytest.raises(OSError, match="Is a directory" if os.name == "posix" else None):
        nn.load_weights(model, tmp_path)
    assert bits(model) == before


def entry(**changes):
    return {"weight": {"dtype": "F32", "shape": [1, 1], "data_offsets": [0, 4], **changes}}


LIES = {
    "nothing": b"",
    "less than a length": b"\1\2\3",
    "a length alone": struct.pack("<Q", 0),
    "a header of 2**60 bytes": file_of({}, length=2**60),
    "a header of 2**64 - 1 bytes": file_of({}, length=2**64 - 1),
    "no JSON": file_of(b"weights, dear reader"),
    "a list": file_of([]),
    "null": file_of(b"null"),
    "no UTF-8": file_of(b'{"\xff":1}'),
    "nested without end": file_of(b'{"a":' * 100_000),
    "lists without end": file_of(b"[" * 100_000),
    "data that belong to nothing": file_of({}, b"abcd"),
    "more data than said": file_of(entry(), bytes(8)),
    "less data than said": file_of(entry(), bytes(3)),
    "a negative offset": file_of(entry(data_offsets=[-4, 0]), bytes(4)),
    "offsets beyond the end": file_of(entry(data_offsets=[2**40, 2**40 + 4]), bytes(4)),
    "offsets backwards": file_of(entry(data_offsets=[4, 0]), bytes(4)),
    "a hole": file_of(entry(data_offsets=[4, 8]), bytes(8)),
    "two arrays in one place": file_of({**entry(), "bias": entry()["weight"]}, bytes(4)),
    "2**60 bytes of data": file_of(entry(shape=[2**58, 1], data_offsets=[0, 2**60]), bytes(4)),
    "a size beyond all integers": file_of(entry(shape=[2**62, 8]), bytes(4)),
    "a negative length": file_of(entry(shape=[-1, -1]), bytes(4)),
    "a broken length": file_of(entry(shape=[1.0, 1.0]), bytes(4)),
    "an empty array of 2**62 columns": file_of(entry(shape=[0, 2**62], data_offsets=[0, 0])),
    "an empty array of 2**63 columns": file_of(entry(shape=[2**63, 0], data_offsets=[0, 0])),
    "a hundred axes": file_of(entry(shape=[1] * 100), bytes(4)),
    "an unknown dtype": file_of(entry(dtype="F31"), bytes(4)),
    "a dtype that is an object": file_of(entry(dtype="O"), bytes(4)),
    "a dtype that NumPy has not": file_of(entry(dtype="F8_E4M3"), bytes(1)),
    "another dtype": file_of(entry(dtype="I32"), bytes(4)),
    "the same name twice": file_of(b"{" + b",".join([json.dumps(entry())[1:-1].encode()] * 2) + b"}", bytes(4)),
    "metadata that are numbers": file_of({"__metadata__": {"a": 1}, **entry()}, bytes(4)),
    "metadata that are NaN": file_of(b'{"__metadata__":{"a":NaN},' + json.dumps(entry())[1:].encode(), bytes(4)),
    "metadata that are a list": file_of({"__metadata__": ["a"], **entry()}, bytes(4)),
    "half a character": file_of(b'{"__metadata__":{"a":"\\ud800"},' + json.dumps(entry())[1:].encode(), bytes(4)),
    "another name": file_of({"weights": entry()["weight"]}, bytes(4)),
    "another shape": file_of(entry(shape=[1]), bytes(4)),
    "a pickle": b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x041/0.\x85R.",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_hostile_file_is_one_clear_error(tmp_path, lie):
    model = nn.Linear(1, 1, bias=False, rng=0)
    before = bits(model)
    (tmp_path / "w").write_bytes(LIES[lie])
    with pytest.raises(ValueError, match=re.escape(str(tmp_path / "w"))) as caught:
        nn.load_weights(model, tmp_path / "w")
    assert type(caught.value) is ValueError
    assert bits(model) == before


def test_the_header_of_the_hostile_files_is_otherwise_right(tmp_path):
    (tmp_path / "w").write_bytes(file_of(entry(), bytes(4)))
    model = nn.Linear(1, 1, bias=False, rng=0)
    nn.load_weights(model, tmp_path / "w")
    assert model.weight.item() == 0


def test_a_boolean_that_is_neither_true_nor_false_is_refused(tmp_path):
    class Masked(nn.Module):
        def __init__(self):
            self.mask = nn.Buffer([True, False])

    header = {"mask": {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]}}
    (tmp_path / "w").write_bytes(file_of(header, b"\0\1"))
    nn.load_weights(Masked(), tmp_path / "w")
    (tmp_path / "w").write_bytes(file_of(header, b"\0\2"))
    with pytest.raises(ValueError, match="a boolean in mask that is neither 0 nor 1"):
        nn.load_weights(Masked(), tmp_path / "w")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for load in (nn.read_metadata, lambda path: nn.load_weights(nn.Linear(1, 1), path)):
        with pytest.raises(ValueError, match="pipe is not a file"):
            load(tmp_path / "pipe")


@pytest.mark.parametrize("content", [b"", b"\1\2\3", file_of({}, length=2**60), file_of([]), file_of(b"[" * 100_000)])
def test_metadata_of_what_is_no_such_file_are_refused(tmp_path, content):
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(ValueError, match="is not a whole safetensors file"):
        nn.read_metadata(tmp_path / "w")


def test_a_damaged_byte_anywhere_gives_other_values_or_one_error(tmp_path):
    model, path = nn.Linear(2, 1, rng=0), tmp_path / "w"
    nn.save_weights(model, path, {"a": "b"})
    whole = path.read_bytes()
    damaged = [whole[:k] for k in range(len(whole))] + [whole + b"\0", whole + whole]
    for k in range(len(whole)):
        damaged += [whole[:k] + bytes([whole[k] ^ flip]) + whole[k + 1 :] for flip in (1, 16, 255)]
    start = bits(model)
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            nn.load_weights(model, path)
        except ValueError as error:
            refused += 1
            if type(error) is not ValueError:
                raise
            assert bits(model) == start
        else:
            assert bits(model).keys() == start.keys()
            start = bits(model)
    assert len(whole) < refused < len(damaged)


# What is there after a crash


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "weights.safetensors"
    nn.save_weights(nn.Linear(2, 1, rng=0), path)
    old = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    for name in ("os.fsync", "os.replace"):
        with monkeypatch.context() as patch:
            patch.setattr(name, fail)
            with pytest.raises(OSError, match="disk full"):
                nn.save_weights(nn.Linear(2, 1, rng=1), path)
        assert path.read_bytes() == old
        assert len(list(tmp_path.iterdir())) == 1


def test_what_cannot_be_a_file_is_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder"):
        nn.save_weights(nn.Linear(2, 1), tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        nn.save_weights(nn.Linear(2, 1), tmp_path / "missing" / "w")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="needs links and modes")
def test_a_link_stays_and_a_file_is_as_readable_as_any(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "plain").write_bytes(b"")
    (tmp_path / "latest").symlink_to(tmp_path / "runs" / "w")
    nn.save_weights(nn.Linear(2, 1), tmp_path / "latest")
    assert (tmp_path / "latest").is_symlink()
    assert [f.name for f in (tmp_path / "runs").iterdir()] == ["w"]
    assert (tmp_path / "runs" / "w").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_what_a_killed_process_left_is_removed_after_an_hour(tmp_path):
    path = tmp_path / "w"
    nn.save_weights(nn.Linear(2, 1), path)
    now = path.stat().st_mtime
    mine, other = ".w.0123456789abcdef.part", [".w.part", ".w.mine.part", ".v.0123456789abcdef.part"]
    for name in (mine, *other):
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (now - 3500, now - 3500))
    nn.save_weights(nn.Linear(2, 1), path)
    assert (tmp_path / mine).exists()
    for name in (mine, *other):
        os.utime(tmp_path / name, (now - 3700, now - 3700))
    nn.save_weights(nn.Linear(2, 1), path)
    assert {f.name for f in tmp_path.iterdir()} == {"w", *other}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_at_any_moment_leaves_one_of_the_versions(tmp_path):
    script = """
    import os, random, signal, sys, time
    import nn

    def model(k):
        return nn.Linear(200, 100, init=nn.init.Constant(float(k)))

    path, other = sys.argv[1], model(-1)
    nn.save_weights(model(0), path)  # imports what it needs
    random.seed(0)
    seen = set()
    for k in range(60):
        child = os.fork()
        if not child:
            n = 1000 * k
            while True:
                nn.save_weights(model(n), path)
                n += 1
        time.sleep(random.uniform(0.002, 0.02))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        nn.load_weights(other, path)
        value = other.weight.data[0, 0]
        assert (other.weight.data == value).all(), value
        seen.add(int(value))
        assert max(seen) == value, (seen, value)
    print(len(seen))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "w")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20
    assert len(list(tmp_path.iterdir())) <= 1 + 60


def test_without_safetensors_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    (tmp_path / "w").write_bytes(file_of({}))
    for use in (nn.save_weights, nn.load_weights):
        with pytest.raises(ImportError, match=r'pip install "wengert\[examples\]"'):
            use(nn.ReLU(), tmp_path / "w")
