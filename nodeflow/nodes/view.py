"""Views: nodes that show a value and have no output."""

from __future__ import annotations

from nodeflow.declare import Many, Value, node


@node("view", formula="value", outputs=(), aliases=("text", "print", "watch", "note", "comment"))
def panel(value: Many) -> None:
    """Show any value as text."""


@node("view", formula="value over time", outputs=(), aliases=("chart", "line", "graph"))
def plot(value: Many) -> None:
    """Draw a value as a line while training runs."""


@node("view", formula="rows as tiles", outputs=(), aliases=("picture", "tiles", "hidden units"))
def image(value: Value) -> None:
    """Show each row as a grey picture."""


@node("view", formula="value as bars", outputs=(), aliases=("histogram", "shares"))
def bars(value: Value) -> None:
    """Show the numbers of a row as bars."""


@node("view", formula="value as rows", outputs=(), aliases=("spreadsheet",))
def table(value: Many) -> None:
    """Show values as rows and columns."""


@node("view", formula="a over the plane of x", outputs=(), aliases=("decision regions",))
def boundary(x: Value, a: Value) -> None:
    """Colour the plane of two inputs by the output of the network."""


@node("view", formula="counts of a by y", outputs=(), aliases=("confusion matrix",))
def confusion(a: Value, y: Value) -> None:
    """Count which class was taken for which."""
