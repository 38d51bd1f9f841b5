"""benchmarks/run.py and page.py: a small run works, a failure is a result, the kept page is what the results give."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
KEPT = BENCHMARKS / "results" / "peers.json"
MODULES = ("card", "environments", "found", "measuring", "page", "pictures", "problems", "tables", "training", "peers")


@pytest.fixture
def modules(monkeypatch):
    """Imports the benchmarks' modules by name as they do themselves; they are forgotten after the test."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    forget()
    yield importlib.import_module
    forget()


def forget():
    """Take the benchmarks' modules away again: their names are not ours alone."""
    for name in [name for name in sys.modules if name.split(".")[0] in MODULES]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """What a quick run finds, and the folder with its page."""
    folder = tmp_path_factory.mktemp("quick")
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "run.py", "--quick", "--out", folder / "peers.json", "--docs", folder],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "peers.json").read_text()), folder


def test_a_quick_run_does_every_task_without_a_failure(quick):
    found = quick[0]["found"]
    assert [f for f in found if "failure" in f] == []
    tasks = {"chain", "hessian", "product", "network", "memory", "products", "tree", "import"}
    assert {f["task"] for f in found} == tasks
    assert {f["task"] for f in found if f["peer"] == "wengert"} == tasks - {"product"}


def test_a_quick_run_writes_a_page_whose_pictures_are_there(quick):
    _, folder = quick
    shown = re.findall(r"!\[[^]]+\]\((\S+)\)", (folder / "benchmarks.md").read_text())
    assert len(shown) == len(list(folder.glob("images/benchmarks/*.svg"))) >= 4
    assert all((folder / path).exists() for path in shown)


def test_the_pictures_of_the_same_results_are_the_same(quick, modules, tmp_path):
    results, folder = quick
    modules("page").write(results, tmp_path)
    for path in folder.glob("images/benchmarks/*.svg"):
        assert (tmp_path / "images" / "benchmarks" / path.name).read_text() == path.read_text()


def test_the_kept_page_is_what_the_kept_results_give(modules):
    found = modules("found").Results(json.loads(KEPT.read_text(encoding="utf-8")))
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert page == modules("page").words(found), "run `python benchmarks/page.py`"
    for path in re.findall(r"!\[[^]]+\]\((\S+)\)", page):
        picture = (ROOT / "docs" / path).read_text(encoding="utf-8")
        assert f"results {modules('found').digest(found)}" in picture, "run `python benchmarks/page.py`"


def test_no_number_of_the_reading_stands_in_the_program(modules):
    """Other results, another reading."""
    given = json.loads(KEPT.read_text(encoding="utf-8"))
    found = modules("found")
    before = modules("page").reading(found.Results(given))
    for one in given["found"]:
        if one["peer"] == "wengert" and "seconds" in one:
            one["seconds"] = {part: [t * 7 for t in times] for part, times in one["seconds"].items()}
    after = modules("page").reading(found.Results(given))
    assert before[0] != after[0]


def test_a_library_that_cannot_be_installed_is_refused_with_the_reason(modules, tmp_path):
    environments = modules("environments")
    peer = environments.Peer("Nothing", "nothing", "nothing", "import nothing", ("./there-is-no-such-folder",))
    with pytest.raises(environments.NotInstalled, match=r"there-is-no-such-folder|[Ee]rror"):
        environments.interpreter(peer, tmp_path)
    with pytest.raises(environments.NotInstalled, match="has not been made"):
        environments.interpreter(peer, tmp_path, install=False)


def test_what_is_missing_stands_on_the_page(quick, modules):
    results = {
        **quick[0],
        "peers": [*quick[0]["peers"], {"label": "Nothing", "reason": "not installed: no such thing"}],
    }
    results["found"] = [
        *results["found"],
        {"task": "products", "case": {"n": 1000}, "peer": "wengert", "failure": "RecursionError: too deep"},
    ]
    page = modules("page").words(modules("found").Results(results))
    assert "* Nothing: not installed: no such thing." in page
    assert "* wengert, 10³ operations one behind the other: RecursionError: too deep." in page


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # of PyTorch's own, in `torch.func`
@pytest.mark.parametrize(("name", "needs"), [("wengert", "numpy"), ("pytorch", "torch"), ("mygrad", "mygrad")])
def test_a_library_computes_what_numpy_by_hand_does(modules, name, needs):
    pytest.importorskip(needs)
    peers, bare, peer = modules("peers"), modules("peers.by_hand"), modules(f"peers.{name}")
    tasks = [("chain", 5, 8, False), ("chain", 5, 8, True), ("products", 9), ("tree", 9)]
    for task in [*tasks, *(("repeated", kind) for kind in modules("problems").STEPS)]:
        expected = peers.both(peers.computation(bare, *task))()
        found = peers.both(peers.computation(peer, *task))()
        assert len(found) == len(expected)
        for a, b in zip(found, expected):
            np.testing.assert_allclose(a, b, rtol=1e-12)
    for a, b in zip(peer.network([3, 4, 1], 5).values(3)[0], bare.network([3, 4, 1], 5).values(3)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    if peer.hessian:
        np.testing.assert_allclose(peer.hessian(6)(), bare.hessian(6)(), rtol=1e-10, atol=1e-10)


def worker(modules, program):
    """A process that serves what a program says."""
    code = f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r})\nfrom measuring import *\n{program}"
    return modules("measuring").Worker([sys.executable, "-c", code])


def test_a_worker_answers_and_an_error_of_a_library_is_an_answer(modules):
    measuring = modules("measuring")
    program = "serve({'twice': lambda x: 2 * x, 'fail': lambda: 1 / 0, 'print': lambda: print('noise')})"
    with worker(modules, program) as process:
        assert process.ask("twice", 4) == 8
        with pytest.raises(measuring.Failure, match="ZeroDivisionError: division by zero"):
            process.ask("fail")
        assert process.ask("print") is None
        assert process.ask("twice", "a") == "aa"


def test_a_worker_that_ends_or_does_not_end_is_a_failure(modules):
    measuring = modules("measuring")
    with (
        worker(modules, "import os; serve({'end': lambda: os.kill(os.getpid(), 11)})") as process,
        pytest.raises(measuring.Failure, match="SIGSEGV"),
    ):
        process.ask("end")
    with (
        worker(modules, "raise SystemExit('no such library')") as process,
        pytest.raises(measuring.Failure, match="no such library"),
    ):
        process.ask("anything")
    with (
        worker(modules, "import time; serve({'sleep': time.sleep})") as process,
        pytest.raises(measuring.Failure, match=r"longer than 0\.5 s"),
    ):
        process.ask("sleep", 60, limit=0.5)


def test_arrays_come_through_with_all_their_digits(modules):
    measuring = modules("measuring")
    for array in (np.random.default_rng(0).normal(size=(3, 2)), np.array(0.1), np.float32([1 / 3]), np.zeros((0, 2))):
        back = measuring.decoded(json.loads(json.dumps(measuring.encoded(array))))
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        assert back.tobytes() == array.tobytes()
