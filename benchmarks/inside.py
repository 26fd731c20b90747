"""What is measured in a process of its own, with whatever build of nodeflow is on the path.

python inside.py TASK ARGUMENT…: the last line that it prints is what was measured, as JSON. It is
run with this build and with an older one: so it needs nothing but what both have.
"""

from __future__ import annotations

import json
import math
import resource
import sys
import time
from pathlib import Path


def editor(graph: str) -> int:
    """Press Play in the editor, at full speed; return the epoch seen when the first was done."""
    from nodeflow import files

    try:
        from nodeflow.editor.run.session import Session
        from nodeflow.editor.state.runcommands import Play

        session, pressed = Session(), Play(math.inf)
    except ModuleNotFoundError:  # where the build before has it
        from nodeflow.editor.session import Session  # type: ignore[import-not-found, no-redef]

        session, pressed = Session(), None

    session.open(files.load(Path(graph)))
    if pressed is None:
        session.play(math.inf)
    else:
        session.do(pressed)
    try:
        while True:
            live = session.poll()
            if live is not None and live.problem:
                raise SystemExit(live.problem)
            if live is not None and live.epoch >= 1:
                return live.epoch
            time.sleep(1 / 60)
    finally:
        session.close()


def growth(graph: str, small: str) -> float:
    """Return the seconds from a graph's text to the end of one pass, in a warm process.

    Warm is one that has trained a small graph for so long that its machine code is there.
    """
    from nodeflow import files
    from nodeflow.engine.run import Run

    Run(files.loads(Path(small).read_text(encoding="utf-8"))).train(updates=2_000)
    text = Path(graph).read_text(encoding="utf-8")
    start = time.perf_counter()
    Run(files.loads(text)).train(updates=1)
    return time.perf_counter() - start


def first_call(graph: str, other: str, epochs: str) -> float:
    """Return the seconds that a graph takes to prepare and train, where another was before it."""
    from nodeflow import files
    from nodeflow.engine.run import Run

    before = Run(files.load(Path(other)))
    end = time.perf_counter() + 0.5
    while time.perf_counter() < end:
        before.train(20)
    made = files.load(Path(graph))
    start = time.perf_counter()
    Run(made).train(int(epochs))
    return time.perf_counter() - start


def memory(*epochs: str) -> list[tuple[int, int]]:
    """Return what the run keeps after so many epochs, and the process at its largest, in bytes."""
    from nodeflow.engine.run import Run
    from nodeflow.graph import Graph
    from nodeflow.nodes.cost import squared_error
    from nodeflow.nodes.source import constant, parameter
    from nodeflow.nodes.trainer import gradient_descent

    cost = squared_error(parameter(value=(0.8,), id="w"), constant(value=(0.5,)))
    run = Run(Graph.of(gradient_descent(cost, rate=1e-7)))
    unit = 1 if sys.platform == "darwin" else 1024
    found = []
    for end in map(int, epochs):
        while run.epoch < end:
            run.train(min(end - run.epoch, 1_000_000))
        largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
        found.append((run.history_bytes + run.checkpoint_bytes, largest))
    return found


if __name__ == "__main__":
    task = {"editor": editor, "growth": growth, "first_call": first_call, "memory": memory}
    print(json.dumps(task[sys.argv[1]](*sys.argv[2:])))  # type: ignore[operator]
