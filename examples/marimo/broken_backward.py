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
    # The backward pass is a graph

    Unfold it, make a mistake in it, and let the check find it.
    """)
    return


@app.cell
def _():
    import nodeflow as nf

    graph = nf.sample("xor")
    wired = nf.unfold(graph)
    made = sorted(wired.nodes.keys() - graph.nodes.keys())
    print(f"{len(graph.nodes)} nodes, and {len(made)} that unfolding adds")
    wired
    return nf, wired


@app.cell
def _(nf, wired):
    def faults(checked):
        return [key for key, node in checked.nodes.items() if node.status == "fault"]


    assert faults(nf.check(wired)) == []
    print("as unfolded, every gradient is right")
    return (faults,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    The hidden layer has sigmoids: the slope of tanh is a mistake.
    """)
    return


@app.cell
def _(faults, nf, wired):
    broken = wired.set("hidden.delta", activation="tanh")
    print("with the slope of tanh, wrong at", ", ".join(faults(nf.check(broken))))
    assert faults(nf.check(broken))
    return (broken,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    It trains all the same, to other weights. See where the two part: both pages stand after the first
    `hidden.delta`.
    """)
    return


@app.cell
def _(nf, wired):
    right = nf.Widget(wired)
    right.moment = {"epoch": 0, "sample": 0, "node": "hidden.delta"}
    right
    return (right,)


@app.cell
def _(broken, nf):
    wrong = nf.Widget(broken)
    wrong.moment = {"epoch": 0, "sample": 0, "node": "hidden.delta"}
    wrong
    return (wrong,)


@app.cell
def _(right, wrong):
    print(right.run["hidden.delta.delta"], wrong.run["hidden.delta.delta"])
    return


if __name__ == "__main__":
    app.run()
