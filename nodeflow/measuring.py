"""What a new network's defaults come to, measured on rows set apart; rates that were not given.

For targets that are numbers a rate that suits one table spoils another. So a few are tried, each
on other rows of the training part than it learnt from, and the gentlest that is as good as the
best is taken. The rows that the network sets apart for testing are not looked at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nodeflow.data import Options, Reading, Split, Table, load, split
from nodeflow.data.memory import hold, release
from nodeflow.engine.run import Run
from nodeflow.errors import RunError
from nodeflow.explain.quality import FEWEST_ROWS, Quality, ends, quality
from nodeflow.graph import Graph

RATES = ((0.003, 16_000), (0.01, 32_000), (0.03, 64_000))
"""Learning rates, and how many samples are seen with each."""
_PARTS = 4
_AS_GOOD = 0.01
"""R² by which a faster rate must be better."""
_MOST_WORK = 3e9
"""Multiplications that measuring may take, about a few seconds."""


@dataclass(frozen=True)
class Measured:
    """A new network, how its table was read, what it comes to, and how its rate was found."""

    graph: Graph
    reading: Reading | None
    quality: Quality | None
    why: str = ""
    """How the rate was found, "" if it was given."""
    unmeasured: str = ""
    """Why the network was not measured, "" if it was."""

    @property
    def lines(self) -> list[str]:
        """What is to be said about the network's data and defaults, one sentence per line."""
        said = []
        if self.reading is not None:
            said.append(self.reading.summary)
            said += [f"· {note}" for note in self.reading.notes]
        if self.quality is not None:
            said.append(f"measured: {self.quality.sentence}")
            if self.quality.fault and self.quality.fault != self.quality.sentence:
                said.append(f"· {self.quality.fault}")
        elif self.unmeasured:
            said.append(f"not measured: {self.unmeasured}")
        return said

    def as_dict(self) -> dict[str, Any]:
        """Return what `new --json` says of it."""
        reading, good = self.reading, self.quality
        return {
            "target": None if reading is None else reading.summary.removeprefix("target: "),
            "notes": [] if reading is None else list(reading.notes),
            "measured": None if good is None else good.as_dict(),
            "why": self.why or self.unmeasured,
        }


def measured(graph: Graph, *, given: Mapping[str, Any]) -> Measured:
    """Return a network with defaults that were measured on rows set apart.

    `given` are the arguments that it was made with: a rate or epochs that are not None stay. The
    graph is returned as it is where nothing is open, and is not measured where that would take
    long.
    """
    key = next(iter(graph.datasets), None)
    if key is None:
        return Measured(graph, None, None)
    settings = graph.settings(key)
    table = load(settings["source"], options=Options.of(settings), folder=graph.folder)
    why = ""
    try:
        if given.get("rate") is None and _learns_numbers(graph):
            graph, why = _best_rate(graph, table, epochs=given.get("epochs") is None)
        if _work(graph, len(table.x) * graph.training.epochs) > _MOST_WORK:
            return Measured(graph, table.reading, None, why, "it would take long")
        run = Run(graph)
        run.train()
    except RunError as error:
        return Measured(graph, table.reading, None, why, f"training failed ({error})")
    return Measured(graph, table.reading, quality(run), why)


def choices(graph: Graph, given: Mapping[str, Any], found: Measured | None) -> list[str]:
    """Return why each choice of a new network was made, a sentence each."""
    key = next(iter(graph.datasets), None)
    data = {} if key is None else graph.settings(key)
    output = next((graph.nodes[one].type for one in graph.nodes if one == "output_a"), "")
    cost = graph.nodes["cost"].type if "cost" in graph.nodes else ""
    trainer = next(iter(graph.of_family("trainer")), None)
    said = []

    def say(name: str, value: object, why: str) -> None:
        was_given = given.get(name) is not None
        said.append(f"{name} {value}: {'as given' if was_given else why}")

    if data:
        shape = "-".join(map(str, _sizes(graph)))
        say(
            "layers",
            shape,
            "the data's inputs and outputs, between them √(inputs · outputs), 4–100",
        )
        say("scale", data["scale"], "minmax for classes, standard for numbers, none for pixels")
        say("scale_target", data["scale_target"], "standard for numbers, whatever their unit is")
        say("test", f"{data['test']:g}", "a quarter of more than 20 rows is set apart")
    say("output", output, "sigmoid for classes, identity for numbers, softmax for shares")
    say("cost", cost, "squared_error, or categorical_cross_entropy after softmax")
    if trainer is not None and "rate" in graph.settings(trainer):
        why = "0.3 where all activations have bounds, 0.03 otherwise, 0.01 for adam"
        tried = "" if found is None else found.why
        say("rate", f"{graph.settings(trainer)['rate']:g}", tried or why)
    say("epochs", graph.training.epochs, "8,000 samples are seen, of numbers 16,000 and more")
    say("batch", graph.training.batch, "one sample an update; all for minimize")
    return said


def _sizes(graph: Graph) -> list[int]:
    """Return the sizes of a network of layers, from inputs to outputs."""
    shapes = [
        graph.settings(key)["shape"]
        for key in sorted(graph.parameters, key=lambda key: (len(key), key))
        if len(graph.settings(key)["shape"] or ()) == 2
    ]
    return [shapes[0][1], *(shape[0] for shape in shapes)] if shapes else []


def _learns_numbers(graph: Graph) -> bool:
    found = ends(graph)
    return (
        found is not None
        and graph.settings(found[0])["scale_target"] != "none"
        and len(_descents(graph)) == 1
    )


def _descents(graph: Graph) -> tuple[str, ...]:
    """Return the trainers whose steps grow with the gradients: their rate has to fit the data."""
    return graph.where(lambda type_: type_.moves is not None and not type_.steady)


def _work(graph: Graph, samples: int) -> float:
    """Return about how many multiplications training on so many samples takes."""
    weights = sum(math.prod(graph.settings(key)["shape"] or (1,)) for key in graph.parameters)
    return 6.0 * weights * samples


def _best_rate(graph: Graph, table: Table, *, epochs: bool) -> tuple[Graph, str]:
    """Return the graph with the best of RATES, tried on parts of its training rows."""
    found = ends(graph)
    tried = sum(_work(graph, samples) for _, samples in RATES) * _PARTS
    if found is None or tried > _MOST_WORK:
        return graph, ""
    key, trainer = found[0], _descents(graph)[0]
    rows = split(table, test=graph.settings(key)["test"], seed=graph.training.seed)
    if len(rows.x) < FEWEST_ROWS:
        return graph, ""

    def made(rate: float, samples: int) -> Graph:
        return with_rate(graph, trainer, rate, samples, len(rows.x), epochs=epochs)

    scores = np.array(
        [[_score(made(*one), key, part, rows) for part in range(_PARTS)] for one in RATES]
    ).mean(axis=1)
    best = next(i for i, score in enumerate(scores) if score >= scores.max() - _AS_GOOD)
    shown = ", ".join(
        f"{one:g}: {score:.2f}" for (one, _), score in zip(RATES, scores, strict=True)
    )
    why = f"the best of those tried on {_PARTS} parts of the training rows (R² {shown})"
    return made(*RATES[best]), why


def with_rate(
    graph: Graph, trainer: str, rate: float, samples: int, rows: int, *, epochs: bool
) -> Graph:
    """Return the graph with a rate, and with the epochs in which so many samples are seen."""
    before = graph.settings(trainer)["rate"]
    about = graph.about.replace(f"with rate {before:g},", f"with rate {rate:g},")
    graph = replace(graph.set(trainer, rate=rate), about=about)
    if not epochs:
        return graph
    many = max(20, math.ceil(samples / rows))
    return replace(graph, training=replace(graph.training, epochs=many))


def _score(graph: Graph, key: str, part: int, rows: Split) -> float:
    """Return R² on one quarter of the rows of a network that learnt from the others."""
    order = np.random.default_rng([part // 4, len(rows.x)]).permutation(len(rows.x))
    mine = np.arange(len(order)) % 4 == part % 4
    away, stay = order[mine], order[~mine]
    source = hold((rows.x[stay], rows.y[stay], rows.x[away], rows.y[away]), "measured")
    plain = {name: getattr(Options(), name) for name in Options.of(graph.settings(key)).given()}
    plain |= {"source": source, "target_kind": "numbers", "test": 0.0}
    try:
        run = Run(graph.set(key, **plain))
        run.train()
        found = quality(run)
    except RunError:
        return -math.inf
    finally:
        release(source)
    return -math.inf if found is None or found.test is None else found.test
