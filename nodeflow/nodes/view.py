"""Views: nodes that show a value and have no output."""

from __future__ import annotations

from typing import Annotated

from nodeflow.declare import IndexValue, Many, Range, Value, node


@node(
    "view",
    formula="value",
    outputs=(),
    aliases=("text", "print", "watch", "note", "comment"),
    view_module="nodeflow.views.panel",
    notes=True,
)
def panel(value: Many) -> None:
    """Show any value as text."""


@node(
    "view",
    formula="value over time",
    outputs=(),
    aliases=("chart", "line", "graph"),
    view_module="nodeflow.views.plot",
    over_time=True,
)
def plot(value: Many) -> None:
    """Draw a value as a line while training runs."""


@node(
    "view",
    formula="rows as tiles",
    outputs=(),
    aliases=("picture", "tiles", "hidden units"),
    view_module="nodeflow.views.image",
)
def image(value: Value) -> None:
    """Show each row as a grey picture."""


@node(
    "view",
    formula="value as bars",
    outputs=(),
    aliases=("histogram", "shares"),
    view_module="nodeflow.views.bars",
)
def bars(value: Value) -> None:
    """Show the numbers of a row as bars."""


@node(
    "view",
    formula="value as rows",
    outputs=(),
    aliases=("spreadsheet",),
    view_module="nodeflow.views.table",
)
def table(value: Many) -> None:
    """Show values as rows and columns."""


@node(
    "view",
    formula="a over the plane of x",
    outputs=(),
    aliases=("decision regions",),
    view_module="nodeflow.views.boundary",
    slow=True,
)
def boundary(x: Value, a: Value) -> None:
    """Colour the plane of two inputs by the output of the network."""


@node(
    "view",
    formula="counts of a by y",
    outputs=(),
    aliases=("confusion matrix",),
    view_module="nodeflow.views.confusion",
    slow=True,
)
def confusion(a: Value, y: Value) -> None:
    """Count which class was taken for which.

    A row of the table is an actual class, a column a predicted one; up to 5,000 training rows are
    counted, with the weights of now.
    """


@node(
    "view",
    formula="|Θⱼᵢ δⱼ| / Σ |Θⱼᵢ δⱼ|",
    outputs=(),
    aliases=("responsibility", "who did it"),
    view_module="nodeflow.views.blame_shares",
)
def blame_shares(delta: Value, weights: Value) -> None:
    """Show how much of an error each neuron before a layer answers for, the most first.

    Of all Θⱼᵢ δⱼ of the first sample a neuron has those of its own weights: its share is the sum
    of their sizes over the sum of all.
    """


@node(
    "view",
    formula="a over x",
    outputs=(),
    aliases=("graph of a function", "slope", "tangent"),
    view_module="nodeflow.views.function_plot",
    slow=True,
)
def function_plot(x: Value, *a: Value, low: float = -6.0, high: float = 6.0) -> None:
    """Draw values as functions of one number x, with the point that it has now and the slope there.

    Up or down, and by how much: the slope is measured from just below to just above the point.
    """


@node(
    "view",
    formula="a over x, through the points (x, y)",
    outputs=(),
    aliases=("fit",),
    view_module="nodeflow.views.curve",
    slow=True,
)
def curve(x: Value, a: Value, y: Value, *, beyond: Annotated[float, Range(0, 10)] = 0.5) -> None:
    """Draw points, the function that is fitted to them, and in grey what lies beyond them.

    `beyond` is how far it is drawn past the last point on either side, in shares of their range.
    """


@node(
    "view",
    formula="J over two numbers",
    outputs=(),
    aliases=("cost surface", "local minima"),
    view_module="nodeflow.views.landscape",
    slow=True,
)
def landscape(
    *parameter: Value, low: float = -5.0, high: float = 5.0, index: IndexValue = None
) -> None:
    """Draw J over two numbers of parameters, its minima, and where training stands.

    Everything else stays as it is. Of more than two numbers `index` chooses two, counted from 0
    through the wired parameters.
    """


@node(
    "view",
    formula="{name: numbers}",
    outputs=(),
    aliases=("weights", "dict", "parameters"),
    view_module="nodeflow.views.dictionary",
)
def dictionary(values: Many = None) -> None:
    """Show parameters as a dictionary of numbers by name; without a wire all of the graph."""
