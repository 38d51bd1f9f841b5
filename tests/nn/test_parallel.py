"""`nn.parallel`: several processes compute what one would. Here the processes are threads, with a transport of theirs.

What MPI adds is in test_parallel_mpi.py.
"""

import numpy as np
import pytest
import stand_in
from ranks_in_threads import close, everything, in_threads
from small_trainings import data, same

import nn
import optim
from autograd import Tensor
from autograd.devices import move
from nn.parallel import Alone
from nn.share import Share, all_sum, current_share, drawn, working_on

# The same as one process


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_a_training_is_that_of_one_process(size):
    """45 rows in batches of 16: the last has 13. 16 validation rows in batches of 7: the last has 2, for 3 ranks too
    few."""
    history, model, optimizer = everything(None)
    for other, copy, adam in in_threads(size, everything):
        close(dict(other), dict(history))
        close(copy.state_dict(), model.state_dict())
        assert adam.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]


@pytest.mark.parametrize("size", [5, 14, 43])
def test_batches_of_any_size_are_shared(size):
    """45 = 9·5 = 3·14 + 3 = 43 + 2: for three ranks even, just enough, and too few."""
    history, model, _ = everything(None, size=size, epochs=2)
    for other, copy, _ in in_threads(3, lambda ranks: everything(ranks, size=size, epochs=2)):
        close(dict(other), dict(history))
        close(copy.state_dict(), model.state_dict())


def test_accumulated_batches_are_shared_too_and_make_one_message_for_each_update():
    history, model, _ = everything(None, accumulate=2)
    sizes = []

    def program(ranks):
        result = everything(ranks, accumulate=2)
        sizes.append(sum(size > 80 for size in ranks.transport.calls))
        return result

    for other, copy, _ in in_threads(2, program):
        close(dict(other), dict(history))
        close(copy.state_dict(), model.state_dict())
    assert sizes == [8, 8]  # 4 epochs of 3 batches, in 2 updates


@pytest.mark.parametrize("make", [nn.CrossEntropyLoss, nn.NLLLoss])
def test_examples_to_be_ignored_may_all_be_in_one_share(make):
    scores, target = np.random.default_rng(0).normal(size=(6, 3)), np.array([-100, 0, -100, 1, 2, 0])

    def program(ranks):
        found = []
        for part, classes in ranks.shares([(scores, target)]):
            z = Tensor(part, requires_grad=True)
            loss = make()(z, classes)
            ranks.backward(loss)
            found += [ranks.mean(float(loss)), z.grad]
        return found

    value, gradient = program(Alone())
    for size in (2, 3):
        found = in_threads(size, program)
        close({"loss": [loss for loss, _ in found]}, {"loss": [value] * size})
        close({"": np.concatenate([g for _, g in found])}, {"": gradient})


def test_all_ranks_have_the_same_bits():
    (history, model, adam), *others = in_threads(3, lambda ranks: everything(ranks, dtype=np.float32))
    for other, copy, optimizer in others:
        assert dict(other) == dict(history)
        same(copy.state_dict(), model.state_dict())
        for a, b in zip(adam.state, optimizer.state):
            same(a, b)


def test_single_precision_agrees_with_one_process_to_rounding():
    def program(ranks):
        X, y = data(64)
        model = nn.MLP([3, 8, 1], rng=0)
        sgd = optim.SGD(model.parameters(), lr=0.1)
        loader = nn.DataLoader((X, y), batch_size=20, shuffle=True, rng=1)
        history = nn.fit(model, sgd, nn.BCEWithLogitsLoss(), loader, epochs=3, progress=False, ranks=ranks)
        return history, model

    history, model = program(None)
    for other, copy in in_threads(2, program):
        close(dict(other), dict(history), rtol=1e-5)
        close(copy.state_dict(), model.state_dict(), rtol=1e-4)


def test_unseeded_models_and_loaders_start_as_those_of_rank_0():
    def program(ranks):
        X, y = data(32)
        model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(), nn.Linear(4, 1))
        sgd = optim.SGD(model.parameters(), lr=0.1)
        loader = nn.DataLoader((X, y), batch_size=8, shuffle=True)
        history = nn.fit(model, sgd, nn.BCEWithLogitsLoss(), loader, epochs=2, progress=False, ranks=ranks)
        return history, model.state_dict()

    (history, state), (other, copy) = in_threads(2, program)
    assert dict(history) == dict(other)
    same(state, copy)


def test_a_loop_of_ones_own():
    X, y = data(30)

    def program(ranks):
        model = nn.MLP([3, 5, 1], rng=ranks.rank, dtype=np.float64)
        ranks.broadcast(model)
        sgd = optim.SGD(model.parameters(), lr=0.5)
        values = []
        for rows in ranks.shares(np.split(np.arange(30), [7, 8, 20])):
            loss = nn.BCEWithLogitsLoss()(model(X[rows].astype(float)), y[rows].astype(float))
            values.append(ranks.mean(loss.item()))
            sgd.zero_grad()
            ranks.backward(loss)
            ranks.sum_gradients(model.parameters())
            sgd.step()
        ranks.check_equal(model=model)
        return values, model.state_dict()

    values, state = program(Alone())
    for other, copy in in_threads(3, program):
        np.testing.assert_allclose(other, values, rtol=1e-12)
        close(copy, state)


def test_metrics_see_the_outputs_in_the_order_of_the_batches():
    seen = []

    def program(ranks):
        X = np.arange(22.0).reshape(11, 2)
        loader = nn.DataLoader((X, X[:, :1]), batch_size=4)
        model = nn.Linear(2, 1, dtype=np.float64, rng=0)
        metrics = {"rows": lambda output, target: seen.append(target[:, 0]) or len(output)}
        sgd = optim.SGD(model.parameters(), lr=0.0)
        return nn.fit(
            model, sgd, nn.MSELoss(), loader, validation=loader, epochs=1, metrics=metrics, progress=False, ranks=ranks
        )

    assert [h["rows"] for h in in_threads(4, program)] == [[11]] * 4
    assert len(seen) == 2, "rank 0 alone computes them, once for the training and once for the validation set"
    for order in seen:
        np.testing.assert_array_equal(order, np.arange(0, 22, 2))


def test_early_stopping_is_the_decision_of_all():
    def program(ranks):
        stopping = nn.EarlyStopping(patience=1)
        history, model, _ = everything(ranks, epochs=40, callbacks=[stopping])
        return history.epochs, stopping.best_epoch, model.state_dict()

    epochs, best, state = program(None)
    assert epochs < 40
    for other in in_threads(3, program):
        assert other[:2] == (epochs, best)
        close(other[2], state)


# Layers


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (lambda: nn.BatchNorm1d(3, dtype=np.float64), (7, 3)),
        (lambda: nn.BatchNorm1d(3, momentum=None, affine=False, dtype=np.float64), (7, 3, 2)),
        (lambda: nn.BatchNorm2d(2, track_running_stats=False, dtype=np.float64), (5, 2, 3, 3)),
        (lambda: nn.InstanceNorm1d(2, affine=True, track_running_stats=True, dtype=np.float64), (5, 2, 4)),
        (lambda: nn.Dropout(0.4, rng=3), (7, 3)),
        (lambda: nn.Dropout2d(0.4, rng=3), (5, 2, 3, 3)),
    ],
)
def test_a_layer_computes_of_its_share_what_it_would_of_the_whole(module, shape):
    x = np.random.default_rng(0).normal(size=shape)

    def program(ranks):
        layer, whole = module(), Tensor(x, requires_grad=True)
        outputs = []
        for _ in range(2):
            for rows in ranks.shares([np.arange(len(x))]):
                y = layer(whole[rows])
                outputs.append(y.numpy())
                ranks.backward((y**2 * np.cos(x[rows])).mean())
        total = [whole]
        ranks.sum_gradients(total)
        return np.concatenate(outputs[:1]), np.concatenate(outputs[1:]), whole.grad, layer.state_dict()

    first, second, gradient, state = program(Alone())
    for size in (2, 3):
        results = in_threads(size, program)
        np.testing.assert_allclose(np.concatenate([r[0] for r in results]), first, rtol=1e-10)
        np.testing.assert_allclose(np.concatenate([r[1] for r in results]), second, rtol=1e-10)
        for result in results:
            np.testing.assert_allclose(result[2], gradient, rtol=1e-9, atol=1e-12)
            close(result[3], state)


def test_batch_norm_of_half_precision_is_shared_too():
    x = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float16)

    def program(ranks):
        layer = nn.BatchNorm1d(3, dtype=np.float16)
        (y,) = [layer(x[rows]).numpy() for rows in ranks.shares([np.arange(6)])]
        return y

    whole = program(Alone())
    shared = np.concatenate(in_threads(2, program))
    assert shared.dtype == np.float16
    np.testing.assert_allclose(shared.astype(float), whole.astype(float), atol=2e-3)


def test_the_sum_over_processes_has_derivatives_of_every_order():
    def program(ranks):
        x = Tensor(np.array([1.0 + ranks.rank, 3.0]), requires_grad=True)
        for _ in ranks.shares([np.arange(2)]):
            total = all_sum(x, current_share())
            g = (total**3).sum().gradient(x, create_graph=True)  # the losses of both depend on x
            second = (g * g).sum().gradient(x)
        return x.numpy(), g.numpy(), second.numpy()

    for _, first, second in in_threads(2, program):
        s = np.array([3.0, 6.0])
        np.testing.assert_allclose(first, 2 * 3 * s**2)  # Σ over ranks of d(s³)/dx
        np.testing.assert_allclose(second, 2 * 2 * (6 * s**2) * 12 * s)


def test_several_numbers_for_each_row_are_drawn_as_by_one_process():
    def program(ranks):
        layer, x = nn.Dropout(0.5, rng=0), np.ones((5, 3, 2))
        (y,) = [layer(x[rows].reshape(-1, 2)) for rows in ranks.shares([np.arange(5)])]
        return y

    np.testing.assert_array_equal(np.concatenate(in_threads(2, program)), program(Alone()))


def test_what_is_no_row_of_the_batch_is_drawn_alike_by_all():
    def program(ranks):
        rng = np.random.default_rng(0)
        (numbers,) = [drawn(rng.random, (7,)) for _ in ranks.shares([np.arange(5)])]
        return numbers

    first, second = in_threads(2, program)
    np.testing.assert_array_equal(first, second)


def test_outside_the_loop_there_is_no_share():
    def program(ranks):
        for _ in ranks.shares([np.arange(5)]):
            assert current_share().rows == 5
        assert current_share() is None
        for call in (lambda: ranks.mean(1.0), lambda: ranks.backward(Tensor(1.0)), lambda: ranks.rows(2)):
            with pytest.raises(RuntimeError, match="inside a loop"):
                call()
        return True

    assert in_threads(2, program) == [True, True]
    with working_on(Share(4, slice(0, 2), 0.5, np.copy)):
        assert current_share().whole(6) == 12
    assert current_share() is None


def test_a_training_on_a_device_is_that_on_the_host():
    X, y = data(30)

    def program(ranks, device):
        model = nn.Sequential(
            nn.Linear(3, 8, bias=False, rng=0),
            nn.BatchNorm1d(8),
            nn.ReLU(),
            nn.Dropout(0.2, rng=0),
            nn.Linear(8, 2, rng=1),
        ).to(device)
        sgd = optim.SGD(model.parameters(), lr=0.1)
        loader = nn.DataLoader((X, y[:, 0].astype(int)), batch_size=8, rng=0, shuffle=True, device=device)
        loss = nn.CrossEntropyLoss(weight=[1.0, 2.0]).to(device)
        history = nn.fit(
            model, sgd, loss, loader, validation=loader, epochs=2, metrics=["accuracy"], progress=False, ranks=ranks
        )
        return dict(history), {name: move(array, "cpu") for name, array in model.state_dict().items()}

    history, state = in_threads(2, lambda ranks: program(ranks, "cpu"))[0]
    for other, copy in in_threads(2, lambda ranks: program(ranks, "standin")):
        close(other, history, rtol=1e-5)
        close(copy, state, rtol=1e-4)


def test_no_step_on_a_device_waits_for_it():
    X, y = (move(array, "standin") for array in data(8))

    def program(ranks):
        model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.Dropout(0.2, rng=0), nn.Linear(4, 1, rng=1))
        sgd = optim.SGD(model.to("standin").parameters(), lr=0.1)
        loss, waiting = nn.BCEWithLogitsLoss(pos_weight=[2.0]).to("standin"), []
        for x, target in ranks.shares([(X, y)] * 3):
            with stand_in.counted() as transfers:
                value = loss(model(x), target, sample_weight=target[:, 0] + 1)
                sgd.zero_grad()
                ranks.mean(value.data)
                ranks.backward(value)
                ranks.sum_gradients(model.parameters())
                sgd.step()
            waiting.append(transfers["to host"])
        return waiting

    assert in_threads(2, program) == [[0, 0, 0]] * 2
