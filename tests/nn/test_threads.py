"""Several models, each trained in a thread of its own at the same time, as if each were alone."""

import sys
import threading

import numpy as np
import pytest

import nn
import optim
from autograd import no_grad


def train(seed, steps=60):
    """Everything that has state: dropout, batch normalisation, Adam, momentum; and what is global: modes, counters."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(128, 20)).astype(np.float32)
    y = (X[:, :1] * X[:, 1:2] > 0).astype(np.float32)
    model = nn.Sequential(
        nn.Linear(20, 32, rng=rng),
        nn.BatchNorm1d(32),
        nn.ReLU(),
        nn.Dropout(0.2, rng=rng),
        nn.Linear(32, 300, rng=rng),
        nn.Tanh(),
        nn.Linear(300, 300, rng=rng),  # more than a block of the optimizers
        nn.Linear(300, 1, rng=rng),
    )
    optimizer = (
        optim.Adam(model.parameters(), lr=0.01)
        if seed % 2
        else optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    )
    criterion, losses = nn.BCEWithLogitsLoss(), []
    for _ in range(steps):
        rows = rng.permutation(128)[:32]
        optimizer.zero_grad()
        loss = criterion(model(X[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        with no_grad():
            model.eval()(X)
        model.train()
    return losses, [a.tobytes() for a in model.state_dict().values()]


@pytest.fixture
def impatient():
    """Threads change places as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_three_models_in_three_threads_are_trained_as_alone_bit_for_bit(impatient):
    seeds = (0, 1, 2)
    alone = {seed: train(seed) for seed in seeds}
    together, start = {}, threading.Barrier(len(seeds))

    def work(seed):
        start.wait()
        together[seed] = train(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in seeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone
    assert alone[0] != alone[2]
    assert all(losses[-1] < losses[0] for losses, _ in alone.values())
