"""Train at full speed, go back to any moment, and find the numbers of that moment to the bit."""
# ruff: noqa: INP001, T201

from pathlib import Path

import numpy as np

import nodeflow as nf

graph = nf.load(Path(__file__).parent.parent / "graphs" / "xor.json")

live = nf.Run(graph)
live.train(epochs=20)
while live.step().node != "hidden_a":  # into the middle of a forward pass
    pass
seen = live["hidden_a.a"]

run = nf.Run(graph)
run.train(epochs=300)
print(f"after {run.epoch} epochs: cost {run.history[-1]['cost']:.6f}")

run.goto(epoch=20, node="hidden_a")
print(f"back in epoch {run.epoch}, before '{run.node}': hidden_a.a = {run['hidden_a.a']}")
print("the same bits:", np.array_equal(run["hidden_a.a"], seen))

run.train(epochs=280)
print(f"and on to epoch {run.epoch} again: cost {run.history[-1]['cost']:.6f}")
