"""What several processes are told if they are not equal; and what the first of them does alone."""

import threading

import numpy as np
import pytest
from ranks_in_threads import everything, in_threads
from small_trainings import data, same

import nn
import optim


def refused(program, words, size=2):
    """Every rank is told, and so none waits."""
    told = []

    def each(ranks):
        with pytest.raises(RuntimeError, match=words):
            program(ranks)
        told.append(ranks.rank)

    in_threads(size, each)
    assert len(told) == size


def small_fit(ranks, *, hidden=4, n=20, batch=5, seed=0, order=0, change=0.0, epochs=2, **options):
    X, y = data(n, seed=seed)
    model = nn.MLP([3, hidden, 1], rng=0)
    sgd = optim.SGD(model.parameters(), lr=0.1 + change)
    loader = nn.DataLoader((X, y), batch_size=batch, shuffle=True, rng=order)
    return nn.fit(model, sgd, nn.BCEWithLogitsLoss(), loader, epochs=epochs, progress=False, ranks=ranks, **options)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("hidden", r"rank 0 has linear1.weight float32\[4, 3\]; rank 1 has linear1.weight float32\[5, 3\]"),
        ("n", "rank 1 has a loader of 21 examples in batches of 5"),
        ("batch", "rank 1 has a loader of 20 examples in batches of 6"),
        ("seed", "a loader of examples"),
        ("change", "optimizer.param_groups"),
        ("epochs", "rank 0 has fit.epochs 2; rank 1 has fit.epochs 3"),
        ("accumulate", "rank 1 has fit.accumulate 2"),
    ],
)
def test_ranks_that_do_not_train_the_same_are_told_at_the_start(option, words):
    base = {"hidden": 4, "n": 20, "batch": 5, "seed": 0, "change": 0, "epochs": 2, "accumulate": 1}[option]
    refused(lambda ranks: small_fit(ranks, **{option: base + ranks.rank}), words)


def test_ranks_that_measure_or_call_something_else_are_told_at_the_start():
    refused(lambda ranks: small_fit(ranks, metrics=["accuracy", "f1"][ranks.rank :]), r"\['loss', 'f1'\]")
    refused(lambda ranks: small_fit(ranks, callbacks=[nn.Callback()] * ranks.rank), r"rank 0 has fit.callbacks \[\]")


def test_a_number_of_ranks_is_not_ranks():
    with pytest.raises(TypeError, match=r"with nn\.Ranks"):
        small_fit(2)


def test_another_order_in_a_loop_of_ones_own_is_told():
    def program(ranks):
        loader = nn.DataLoader((np.zeros((4, 1)), np.zeros(4)), shuffle=True, rng=ranks.rank)
        list(ranks.shares(loader))

    refused(program, "rng is in the state .* the same seed")


@pytest.mark.parametrize("sizes", [((4, 4), (4, 4, 4)), ((4, 4), (4, 3)), ((), (4,))])
def test_batches_out_of_step_are_told(sizes):
    refused(lambda ranks: list(ranks.shares([np.zeros(n) for n in sizes[ranks.rank]])), "the same batches")


def test_a_parameter_that_differs_is_named():
    class Meddling(nn.Callback):
        def __init__(self, rank):
            self.rank = rank

        def on_epoch_end(self, run):
            if self.rank == 1 and run.epoch == 2:
                run.model.linear2.weight.data[0, 1] += 1e-6

    refused(
        lambda ranks: small_fit(ranks, callbacks=[Meddling(ranks.rank)]),
        r"the ranks are not equal: rank 0 has model.linear2.weight \w+; rank 1 has model.linear2.weight",
    )


def test_a_buffer_or_a_generator_of_its_own_that_differs_is_named():
    class Mean(nn.Module):
        def __init__(self):
            self.mean = nn.Buffer(np.zeros(3, np.float32))

        def forward(self, x):
            self.mean.data = x.mean(0)
            return x

    def program(ranks, layer):
        X, y = data(20)
        model = nn.Sequential(layer, nn.Linear(3, 1, rng=0))
        sgd = optim.SGD(model.parameters(), lr=0.1)
        nn.fit(model, sgd, nn.BCEWithLogitsLoss(), nn.DataLoader((X, y)), epochs=1, progress=False, ranks=ranks)

    class Odd(nn.Module):
        def __init__(self):
            self.rng = np.random.default_rng(0)

        def forward(self, x):
            self.rng.random(len(x))
            return x

    refused(lambda ranks: program(ranks, Mean()), r"rank 1 has model\.0\.mean")
    in_threads(2, lambda ranks: program(ranks, Odd()))  # ten rows for each: nothing differs
    refused(lambda ranks: program(ranks, Odd()), r"model\.0\.rng", size=3)


def test_a_loss_that_is_not_finite_is_an_error_in_all_ranks():
    def program(ranks):
        X, y = data(8)
        X[-1] = np.nan  # in the share of the last rank
        model = nn.Linear(3, 1, rng=0)
        sgd = optim.SGD(model.parameters(), lr=0.1)
        with pytest.raises(FloatingPointError, match="nan in batch 1"):
            nn.fit(model, sgd, nn.MSELoss(), [(X, y)], epochs=1, progress=False, ranks=ranks)
        return True

    assert in_threads(3, program) == [True] * 3


def test_what_cannot_be_shared_is_refused():
    def program(ranks):
        for batch in ([3.0], [(np.zeros(3), np.zeros(4))], [()], [np.zeros((0, 2))]):
            with pytest.raises(ValueError, match="with a row for each example"):
                list(ranks.shares(batch))
        with pytest.raises(TypeError, match="broadcast"):
            ranks.broadcast([1, 2])
        return True

    assert in_threads(2, program) == [True] * 2


def test_files_in_memory_and_loaders_of_other_classes_are_shared(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(12.0).reshape(6, 2))

    class Doubled(nn.DataLoader):
        def __iter__(self):
            return ((2 * x, y) for x, y in super().__iter__())

    def program(ranks, kind):
        dataset = nn.Subset(nn.ArrayDataset(np.load(tmp_path / "x.npy", mmap_mode="r"), np.arange(6)), [5, 4, 2, 1, 0])
        return [x[:, 0].tolist() for x, _ in ranks.shares(kind(dataset, batch_size=3))]

    assert in_threads(2, lambda ranks: program(ranks, nn.DataLoader)) == [[[10], [2]], [[8, 4], [0]]]
    assert in_threads(2, lambda ranks: program(ranks, Doubled)) == [[[20], [4]], [[16, 8], [0]]]


def test_one_rank_may_evaluate_in_a_callback():
    """With a loss whose weights are those of the whole batch, which only all ranks together know."""
    X, y = data(20)
    loss = nn.CrossEntropyLoss(weight=[1.0, 2.0])
    loader = nn.DataLoader((X, y[:, 0].astype(int)), batch_size=6)

    class Looking(nn.Callback):
        def on_batch_end(self, run):
            if run.ranks.rank == 0:
                nn.evaluate(run.model, loader, loss)

    def program(ranks):
        model = nn.Linear(3, 2, rng=0)
        sgd = optim.SGD(model.parameters(), lr=0.1)
        return dict(nn.fit(model, sgd, loss, loader, epochs=1, callbacks=[Looking()], progress=False, ranks=ranks))

    first, second = in_threads(2, program)
    assert first == second


def test_batches_may_be_nested():
    batch = {"x": np.arange(4), "more": [np.arange(8).reshape(4, 2), (np.arange(4),)]}
    first, second = in_threads(2, lambda ranks: next(iter(ranks.shares([batch]))))
    np.testing.assert_array_equal(first["more"][0], [[0, 1], [2, 3]])
    np.testing.assert_array_equal(second["more"][1][0], [2, 3])


# Rank 0 alone


def test_what_rank_0_does_alone_is_known_to_all_and_so_is_its_error():
    class Own(Exception):
        def __init__(self, a, b):
            super().__init__(f"{a} and {b}")

    def program(ranks):
        names = []
        assert ranks.first(lambda: names.append(ranks.rank) or 7) == 7
        with pytest.raises(OSError, match="disk"):
            ranks.first(lambda: (_ for _ in ()).throw(OSError("the disk is full")))
        with pytest.raises((Own, RuntimeError), match="1 and 2"):  # an error that cannot be sent is told
            ranks.first(lambda: (_ for _ in ()).throw(Own(1, 2)))
        return names

    assert in_threads(3, program) == [[0], [], []]


class Interrupted(Exception):
    """Stands for a machine that is switched off."""


class Power(nn.Callback):
    def on_batch_end(self, run):
        if (run.epoch, run.batch) == (3, 2):
            raise Interrupted


def test_an_interrupted_training_goes_on_bit_for_bit(tmp_path):
    def whole(ranks):
        return everything(ranks, checkpoint=tmp_path / "whole", callbacks=[nn.EarlyStopping(9)], dtype=np.float32)

    def cut(ranks):
        with pytest.raises(Interrupted):
            everything(ranks, checkpoint=tmp_path / "cut", callbacks=[nn.EarlyStopping(9), Power()], dtype=np.float32)
        return True

    def again(ranks):
        return everything(ranks, checkpoint=tmp_path / "cut", callbacks=[nn.EarlyStopping(9)], dtype=np.float32)

    expected = in_threads(2, whole)
    assert in_threads(2, cut) == [True, True]
    for (history, model, adam), (other, copy, optimizer) in zip(expected, in_threads(2, again)):
        assert dict(history) == dict(other)
        same(model.state_dict(), copy.state_dict())
        for a, b in zip(adam.state, optimizer.state):
            same(a, b)


def test_rank_0_alone_writes_checkpoints_pages_and_says_for_all_that_it_cannot(tmp_path, monkeypatch):
    written, names = [], {}
    real = nn.training.loop.save_checkpoint

    def save(*args, **options):
        written.append(names[threading.get_ident()])
        real(*args, **options)

    monkeypatch.setattr(nn.training.loop, "save_checkpoint", save)

    def program(ranks):
        names[threading.get_ident()] = ranks.rank
        view = nn.TrainingView(tmp_path / f"{ranks.rank}.html")
        everything(ranks, epochs=1, checkpoint=tmp_path / "file", callbacks=[view])
        with pytest.raises(FileNotFoundError, match="there is no folder"):
            everything(ranks, epochs=1, checkpoint=tmp_path / "nowhere" / "file")

    in_threads(2, program)
    assert set(written) == {0}
    assert {path.name for path in tmp_path.iterdir()} == {"file", "0.html"}
