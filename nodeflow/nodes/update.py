"""The update: a step against the gradient."""

from __future__ import annotations

from nodeflow.declare import Value, node


@node(
    "update",
    formula="Θ ← Θ − αD",
    outputs=("value",),
    shapes="s, s, 1 -> s",
    aliases=("descend", "learn", "step"),
)
def weight_update(parameter: Value, gradient: Value, rate: Value) -> Value:
    """Nudge a parameter against its gradient; its feedback wire goes to `parameter.next`."""
    return parameter - rate.reshape(()) * gradient
