"""Questions that end in many runs: each of them a sweep, with medians and quartiles over seeds."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import nodeflow as nf
from gallery import plots
from gallery.exhibit import GRAPHS, Exhibit, Number, Picture, load
from nodeflow.networks import network
from nodeflow.sweeps import Summary, Sweep

RATES = (0.1, 0.3, 1.0, 3.0, 10.0)
INITS = ("uniform", "normal", "glorot", "naive_bayes")
REACHED = "train_accuracy >= 0.95"
LAMBDAS = (0.0, 0.001, 0.003, 0.01, 0.02)
BATCHES = (1, 5, 20, "all")
APART = (0.9, 0.8, 0.6, 0.3)
SEEDS = 12
FEW = 3
Three = tuple[float, float, float]


@cache
def plateau() -> Sweep:
    """Return runs of the plateau at several rates, to the end of it."""
    return nf.sweep(
        load("plateau"), {"train.rate": RATES}, seeds=SEEDS, epochs=20_000, until="cost < 0.02"
    )


@cache
def starts() -> Sweep:
    """Return runs on iris from several starts of weights and biases."""
    graph = load("starts-naive-bayes")
    return nf.sweep(graph, {"*1.init": INITS}, seeds=SEEDS, epochs=50, until=REACHED)


@cache
def layers(depth: int) -> Sweep:
    """Return runs of networks with so many hidden layers, on fewer and more rows of iris."""
    graph = network(
        (4, *(5,) * depth, 3), data="iris", folder=GRAPHS, test=0.5, rate=0.3, batch=1,
        init="glorot", scale="minmax",
    )  # fmt: skip
    return nf.sweep(graph, {"data.test": APART}, seeds=SEEDS, epochs=60)


@cache
def penalties() -> Sweep:
    """Return runs on few digits with several λ."""
    return nf.sweep(load("lambda"), {"λ.value": LAMBDAS}, seeds=FEW, epochs=40)


@cache
def batches() -> Sweep:
    """Return runs on few digits in batches of several sizes."""
    return nf.sweep(load("lambda"), {"training.batch": BATCHES}, seeds=FEW, epochs=40)


def quartiles(found: Sweep, what: str) -> list[Three]:
    """Return first quartile, median and third quartile of each combination."""
    return [three for one in found.summaries() if (three := one.quartiles[what]) is not None]


def _band(axes: Any, places: Any, threes: list[Three], **how: Any) -> None:
    low, middle, high = zip(*threes, strict=True)
    (line,) = axes.plot(places, middle, "o-", markersize=4, **how)
    axes.fill_between(places, low, high, color=line.get_color(), alpha=0.15, linewidth=0)


def _rates(to: Path) -> None:
    with plots.figure(to, columns=2, wide=8.6) as (left, right):
        _band(left, RATES, quartiles(plateau(), "epochs_to"))
        left.set(xscale="log", yscale="log", xlabel="learning rate",
                 ylabel="epochs to a cost below 0.02")  # fmt: skip
        summaries = starts().summaries()
        for place, one in enumerate(summaries):
            three = one.quartiles["epochs_to"]
            if three is not None:
                right.plot([place, place], three[::2], linewidth=6, alpha=0.3, color="C0")
                right.plot(place, three[1], "o", color="C0")
            right.annotate(f"{one.reached} of {one.runs}", (place, 1), fontsize=8, ha="center",
                           va="top", xycoords=("data", "axes fraction"))  # fmt: skip
        right.set_xticks(range(len(INITS)), [name.replace("_", " ") for name in INITS])
        right.set(ylabel="epochs to 95 % on iris", xlim=(-0.5, len(INITS) - 0.5), ylim=(0, 27))


def _layers(to: Path) -> None:
    with plots.figure(to) as axes:
        rows = [round(150 * (1 - apart)) for apart in APART]
        for depth in (1, 2, 3):
            label = f"{depth} hidden layer{'s' * (depth > 1)}"
            _band(axes, rows, _percent(quartiles(layers(depth), "test_accuracy")), label=label)
        axes.set(xlabel="training rows", ylabel="accuracy on test rows in %")
        axes.legend(fontsize=8, loc="lower right")


def _digits(to: Path) -> None:
    with plots.figure(to, columns=2, wide=8.6) as (left, right):
        for axes, found, names in (
            (left, penalties(), [f"{one:g}" for one in LAMBDAS]),
            (right, batches(), [str(one) for one in BATCHES]),
        ):
            for what, label in (("train_accuracy", "training"), ("test_accuracy", "test")):
                _band(axes, range(len(names)), _percent(quartiles(found, what)), label=label)
            axes.set_xticks(range(len(names)), names)
        left.set(xlabel="λ", ylabel="accuracy in %")
        right.set(xlabel="samples an update")
        left.legend(fontsize=8)


def _percent(threes: list[Three]) -> list[Three]:
    return [(100 * low, 100 * middle, 100 * high) for low, middle, high in threes]


def _median(one: Summary, what: str) -> float:
    three = one.quartiles[what]
    return float("nan") if three is None else three[1]


def _accuracies(found: Sweep, name: str, form: str) -> list[Number]:
    return [
        Number(f"{name} {one.settings[found.plan.names[0]]}: accuracy on {rows} rows, median",
               100 * _median(one, what), form, within=1.5)
        for one in found.summaries()
        for rows, what in (("training", "train_accuracy"), ("test", "test_accuracy"))
    ]  # fmt: skip


def exhibit() -> Exhibit:
    """Measure the five questions."""
    rates, begins = plateau().summaries(), starts().summaries()
    return Exhibit(
        title="Questions that end in many runs",
        about=(
            '"The learning rate warrants further investigation", "initial weights matter quite a '
            'bit": each question is a sweep, a run for every value and seed. What is told are '
            "medians over the seeds, and quartiles as bands; runs that never got there are "
            "counted, not averaged. Accuracies of hidden layers and rows are those of iris."
        ),
        graphs=("plateau", "starts-naive-bayes", "lambda"),
        commands=(
            ("nodeflow sweep graphs/plateau.json --set train.rate=0.1:10:log5 --seeds 12 "
            '--until "cost < 0.02"'),
            ('nodeflow sweep graphs/starts-naive-bayes.json --set "*1.init=uniform,naive_bayes" '
            f'--seeds 12 --epochs 50 --until "{REACHED}"'),
            "nodeflow sweep graphs/lambda.json --set λ.value=0,0.001,0.01 --seeds 3 --epochs 40",
            "nodeflow sweep graphs/lambda.json --set training.batch=1,20,all --seeds 3 --epochs 40",
        ),
        look=(
            ("Ten times the rate ends the plateau in about a tenth of the epochs: it is a matter "
            "of patience and no trap. How long it lasts follows from the start as well."),
            ("naive_bayes starts weights and bias from class means, variances and shares of the "
            "training rows. It is there after an epoch, the others need twenty."),
            ("With 15 rows the second and the third hidden layer are a burden, with 105 none is "
            "an advantage: iris has nothing that one layer could not tell apart."),
            ("λ takes from training and test rows alike: on the other digits no λ is better than "
            "none."),
            ("A batch of all rows has made 40 updates where single rows made 7,200, and is still "
            "on its way; batches of 5 are the best on both, after a fifth of the updates."),
        ),
        numbers=(
            *(Number(f"rate {one.settings['train.rate']:g}: epochs to a cost below 0.02, median",
                     _median(one, "epochs_to"), "{:.0f}", within=_median(one, "epochs_to") / 5)
              for one in rates),
            *(Number(f"{one.settings['*1.init']}: starts of {one.runs} that reach 95 % in 50 "
                     "epochs", one.reached or 0, "{:.0f}", within=1) for one in begins),
            *(Number(f"{one.settings['*1.init']}: epochs to 95 %, median",
                     _median(one, "epochs_to"), "{:.1f}", within=2) for one in begins),
            *(Number(f"{depth} hidden layer{'s' * (depth > 1)}, {round(150 * (1 - apart))} rows: "
                     "accuracy on test rows, median", 100 * _median(one, "test_accuracy"),
                     "{:.1f} %", within=3)
              for depth in (1, 2, 3)
              for apart, one in zip(APART, layers(depth).summaries(), strict=True)
              if apart in (0.9, 0.3)),
            *_accuracies(penalties(), "λ =", "{:.1f} %"),
            *_accuracies(batches(), "batch", "{:.1f} %"),
        ),
        pictures=(
            Picture("many-rates", "Epochs over the rate, and by the start; how many of 12 starts "
                    "got there.", draw=_rates),
            Picture("many-layers", "Hidden layers and rows of data.", draw=_layers),
            Picture("many-digits", "λ, and the size of a batch: training and test rows.",
                    draw=_digits),
        ),
    )  # fmt: skip
