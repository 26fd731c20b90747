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
    # Back in time

    A run goes to any moment, forward or back, and finds the numbers that were there, to the bit.
    """)
    return


@app.cell
def _():
    import numpy as np

    import nodeflow as nf

    graph = nf.sample("xor")
    widget = nf.Widget(graph)
    widget
    return graph, nf, np, widget


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    What is done in the page is known here, and the other way round: this sends the page to the hidden
    layer of a sample in epoch 20.
    """)
    return


@app.cell
def _(widget):
    widget.moment = {"epoch": 20, "sample": 2, "node": "hidden_a"}
    seen = widget.run["hidden_a.a"]
    seen
    return (seen,)


@app.cell
def _(graph, nf):
    run = nf.Run(graph)
    run.train(epochs=300)
    print(f"after {run.epoch} epochs: cost {run.history[-1]['cost']:.6f}")
    return (run,)


@app.cell
def _(np, run, seen):
    run.goto(epoch=20, sample=2, node="hidden_a")
    print("hidden_a.a =", run["hidden_a.a"])
    assert np.array_equal(run["hidden_a.a"], seen)
    run
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    Another future: other weights from here on, in the page as in Python.
    """)
    return


@app.cell
def _(graph, nf, np, widget):
    widget.weights = {"theta2.value": [[1, -1]]}
    widget.moment = {"epoch": 25}
    other = nf.Run(graph)
    other.goto(epoch=20, sample=2)
    other.set_weights({"theta2.value": [[1, -1]]})
    other.goto(epoch=25)
    for address, value in other.weights.items():
        assert np.array_equal(value, widget.weights[address])
    print(widget)
    return


if __name__ == "__main__":
    app.run()
