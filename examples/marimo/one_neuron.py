import marimo

__generated_with = "0.25.2"
app = marimo.App()


@app.cell
def _():
    import marimo as mo

    return (mo,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    # One neuron

    One input, one weight, one target: small enough to follow every number of an update. A graph at the
    end of a cell is its drawing.
    """)
    return


@app.cell
def _():
    import nodeflow as nf

    x = nf.constant(value=[1.5], id="x")
    y = nf.constant(value=[0.5], id="y")
    w = nf.parameter(value=[[0.8]], id="w")
    cost = nf.squared_error(nf.weighted_sum(x, w, id="sum"), y, id="cost")
    graph = nf.Graph.of(nf.gradient_descent(cost, rate=0.1, id="train"), name="one neuron")
    graph
    return graph, nf


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    Every step of the first update: forward, backward, update. The backward pass is made of nodes too,
    and each writes its formula with the numbers in it.
    """)
    return


@app.cell
def _(graph, nf):
    run = nf.Run(graph)
    steps = []
    while run.update == 0:
        steps.append(run.step())
    for step in steps:
        print(f"{step.phase:8}  {step.node:18}  {step.formula}")
    return (run,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    The derivative is 2·(1.5·w − 0.5)·1.5 = 4.5·w − 1.5, so an update is w ← w − 0.1·(4.5·w − 1.5). Nine
    more, at full speed, and the same by hand:
    """)
    return


@app.cell
def _(run):
    run.train(updates=9)
    by_hand = 0.8
    for _ in range(10):
        by_hand -= 0.1 * (4.5 * by_hand - 1.5)
    found = run.weights["w.value"].item()
    print(f"w = {found:.12f}, by hand {by_hand:.12f}; 1/3 costs nothing")
    assert abs(found - by_hand) < 1e-15
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    The run where it stands now, with its values in the drawing:
    """)
    return


@app.cell
def _(run):
    run
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    And as a page that computes, here in the notebook. Step with → and ←, train, change a number. What it
    shows is in `widget.moment` and `widget.weights`; both can be assigned.
    """)
    return


@app.cell
def _(graph, nf):
    widget = nf.Widget(graph)
    widget
    return (widget,)


@app.cell
def _(widget):
    widget.moment = 40
    print(widget)
    print(widget.moment, widget.weights["w.value"])
    return


if __name__ == "__main__":
    app.run()
