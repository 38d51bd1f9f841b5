"""The history of a training: its table, its report, its picture."""

import pytest

import nn

NAN = float("nan")


def test_the_report_says_when_training_and_validation_part():
    history = nn.History({"loss": [3.0, 2.0, 1.0], "validation loss": [3.0, 2.5, 2.8]})
    assert history.parting() == 2
    assert (
        "lowest, 2.5, after epoch 2.\nSince then it has risen by 12 %, while the training loss fell from 2 to 1:"
        in (history.report())
    )
    assert nn.History({"loss": [3.0, 2.0], "validation loss": [3.0, 2.5]}).parting() is None
    assert "still falling" in nn.History({"loss": [3.0, 2.0], "validation loss": [3.0, 2.5]}).report()
    assert "without a validation set" in nn.History({"loss": [3.0]}).report()
    assert nn.History().report() == "There has been no epoch yet."


def test_a_history_is_one_value_of_each_measure_for_each_epoch():
    history = nn.History()
    history.append({"loss": 1.0, "accuracy": 0.5})
    with pytest.raises(ValueError, match="has loss, accuracy; it was given loss"):
        history.append({"loss": 1.0})
    with pytest.raises(ValueError, match="one value of each"):
        nn.History({"loss": [1.0], "accuracy": []})
    with pytest.raises(KeyError, match="there are loss, accuracy"):
        history["acc"]
    assert dict(history) == {"loss": [1.0], "accuracy": [0.5]}
    assert repr(history) == "epoch  loss  accuracy\n    1     1       0.5"
    assert repr(nn.History({"loss": list(range(100))})).count("\n") == 21


def test_the_plot_has_a_panel_for_each_measure_and_marks_the_parting():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot

    history = nn.History(
        {
            "loss": [3.0, 2.0, 1.0],
            "validation loss": [3.0, 2.5, 2.8],
            "accuracy": [0.1, 0.2, 0.3],
            "confusion": [[], [], []],
        }
    )
    figure = history.plot()
    assert [ax.get_title() for ax in figure.axes] == ["loss", "accuracy"]
    assert [line.get_label() for line in figure.axes[0].lines] == ["training", "validation", "they part"]
    with pytest.raises(ValueError, match="2 axes are needed"):
        history.plot(figure.axes[:1])
    pyplot.close(figure)


def test_the_best_epoch_is_the_first_of_its_kind_and_never_nan():
    history = nn.History({"validation loss": [NAN, 0.5, 0.3, 0.3, NAN], "accuracy": [NAN, 0.1, 0.7, 0.7, 0.2]})
    assert history.best() == 3
    assert history.best("accuracy", "max") == 3
    assert history.best("accuracy", "min") == 2
    with pytest.raises(ValueError, match="mode='min' or mode='max'"):
        history.best("accuracy")
    with pytest.raises(ValueError, match="got 'most'"):
        history.best("accuracy", "most")
    with pytest.raises(ValueError, match="always been NaN"):
        nn.History({"loss": [NAN, NAN]}).best("loss")
    with pytest.raises(ValueError, match="no epoch yet"):
        nn.History({"loss": []}).best("loss")


def test_a_report_of_one_epoch_or_of_nan_claims_nothing():
    one = nn.History({"loss": [3.0], "validation loss": [1.0]}).report()
    assert one.startswith("After 1 epoch the loss")
    assert "falling" not in one
    history = nn.History({"loss": [3.0, 2.0], "validation loss": [NAN, NAN]})
    assert history.parting() is None
    assert "never been one" in history.report()
    assert "lowest, 2, after epoch 1" in nn.History({"loss": [3.0, 2.0], "validation loss": [2.0, NAN]}).report()


def test_nothing_is_drawn_of_no_epochs():
    with pytest.raises(ValueError, match="nothing to draw"):
        nn.History().plot()
