"""One neuron, wired in Python: every step of its first update, then ten updates at full speed."""
# ruff: noqa: INP001, T201

import nodeflow as nf

x = nf.constant(value=[1.5], id="x")
y = nf.constant(value=[0.5], id="y")
w = nf.parameter(value=[[0.8]], id="w")
cost = nf.squared_error(nf.weighted_sum(x, w, id="sum"), y, id="cost")
graph = nf.Graph.of(nf.gradient_descent(cost, rate=0.1, id="train"), name="one neuron")

run = nf.Run(graph)
while run.update == 0:
    step = run.step()
    print(f"{step.phase:8}  {step.node:18}  {step.formula}")

run.train(updates=9)
print(f"\nw = {run.weights['w.value'].item():.6f} after {run.update} updates; 1/3 costs nothing")
