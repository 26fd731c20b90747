"""Taking apart: what explaining a step costs, asking why a weight changed, exploding a layer."""

from __future__ import annotations

import time
from statistics import median

from benchmarks.harness import Result, Row, Target
from benchmarks.wheat import graph
from nodeflow.derive import explode, fold, unfold
from nodeflow.engine.run import Run
from nodeflow.explain import account, explain, why
from nodeflow.networks import network
from nodeflow.workings.shown import duration


def _seconds(action, rounds: int) -> float:
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        found.append(time.perf_counter() - start)
    return median(found)


def run(*, quick: bool = False) -> Result:
    """Explain every step of some samples, ask why, and take a large layer apart."""
    rounds = 2 if quick else 20
    result = Result("explaining", "explaining steps, and taking graphs apart")
    made, shown = graph()
    result.title = f"{shown}: explaining steps and weights; 784-30-10: taking it apart"
    live = Run(made)
    steps = []
    for _ in range(len(live.order) * rounds):
        step = live.step()
        start = time.perf_counter()
        explain(live, step).text  # noqa: B018  (written when it is asked for)
        account(live, step)
        steps.append(time.perf_counter() - start)
    trained = Run(made)
    trained.train(20)
    asked = _seconds(lambda: why(trained, "theta1.value", (0, 0), (0, 10)), rounds)
    digits = network("784-30-10")
    apart = _seconds(lambda: explode(digits, "hidden"), rounds)
    whole = _seconds(lambda: fold(unfold(digits)), rounds)
    result.rows = [
        Row(f"one step, formula and account, median of {len(steps)}", median(steps)),
        Row("the worst", max(steps)),
        Row("why a weight changed over 10 epochs", asked),
        Row("784-30-10, exploded to 30 neurons", apart),
        Row("784-30-10, unfolded and folded", whole),
    ]
    result.targets = [
        Target("a step, median", 1.0, median(steps) * 1e3, unit=" ms"),
        Target("why, 10 epochs", 200.0, asked * 1e3, unit=" ms"),
        Target("784-30-10 to neurons", 1000.0, apart * 1e3, unit=" ms"),
    ]
    result.notes.append(f"the longest explanation took {duration(max(steps))}")
    return result
