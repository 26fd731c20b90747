"""Layers are the lines: the classic picture with the layers' names where they belong."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load
from nodeflow.editor.canvas.neurons import Map, neuron_map


def classic() -> Map:
    """Return the map of the trained wheat network."""
    run = nf.Run(load("wheat-seeds"))
    run.train(25)
    return neuron_map(load("wheat-seeds"), run.weights)


def _draw(to: Path) -> None:
    found = classic()
    with plots.figure(to, wide=7.2, high=4.2) as axes:
        for line in found.lines:
            (x0, y0), (x1, y1) = line.start, line.end
            colour = plots.COLOURS[1] if (line.weight or 0) >= 0 else plots.COLOURS[0]
            axes.plot((x0, x1), (y0, y1), color=colour, lw=0.4 + 3.2 * line.share, alpha=0.75,
                      zorder=1)  # fmt: skip
        axes.scatter([n.x for n in found.neurons], [n.y for n in found.neurons], s=170,
                     color="white", edgecolor="black", zorder=2)  # fmt: skip
        right = max(n.x for n in found.neurons)
        for one in found.neurons:
            if one.name:
                side = -14 if one.x < right else 14
                axes.text(one.x + side, one.y, one.name, ha="right" if side < 0 else "left",
                          va="center", fontsize=8)  # fmt: skip
        top = min(n.y for n in found.neurons)
        for label in found.labels:
            axes.text(label.x, top - 34, label.text, ha="center", fontsize=9, weight="bold")
        axes.set(xlim=(-130, right + 110), ylim=(max(n.y for n in found.neurons) + 30, top - 60))
        axes.set_axis_off()


def exhibit() -> Exhibit:
    """Measure the map."""
    found = classic()
    columns = [
        sum(one.x == x for one in found.neurons) for x in sorted({n.x for n in found.neurons})
    ]
    weights = nf.Run(load("wheat-seeds")).weights
    count = sum(np.size(value) for key, value in weights.items() if key.startswith("theta"))
    return Exhibit(
        title="Layers are the lines",
        about=(
            "In the classic picture a network has an input layer, a hidden layer and an output "
            "layer, and they are columns of dots. An architect who took one apart objected: an "
            "input computes nothing, and what is called a layer in every formula, Θ⁽¹⁾, Θ⁽²⁾, lies "
            "between the columns. In nodeflow's map the layers are the lines. Their names stand on "
            "them, a 7-5-3 has two layers, and what looks like an input layer is the output x of "
            "the data: the numbers as they come."
        ),
        graphs=("wheat-seeds",),
        commands=(
            "nodeflow edit graphs/wheat-seeds.json",
            "nodeflow nodes weighted_sum",
        ),
        look=(
            "Three columns of dots, two layers of lines: hidden is 5×7, output is 3×5.",
            "Thickness is the size of a weight, colour its sign; each line is one number of Θ.",
            (
                "A neuron's bias is no line: it belongs to the dot where the lines meet. Drawn as "
                "a line from a dot that is always 1, it would be one more column of Θ."
            ),
        ),
        numbers=(
            Number("columns of dots", len(columns), "{:.0f}"),
            Number("layers, by their labels", len(found.labels), "{:.0f}"),
            Number("lines", len(found.lines), "{:.0f}"),
            Number("weights, 5 · 7 + 3 · 5", count, "{:.0f}"),
        ),
        pictures=(Picture("layers-are-lines", "The wheat network after 25 epochs.", _draw),),
    )
