"""Explanations of a run: formulas with numbers, who answers for an error, why a weight changed.

What is found is data first; the sentences are made from it. Indices count from 0 as in the arrays,
subscripts and names of neurons in texts from 1. What is asked for is imported then.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "Apply": "nodeflow.workings.parts",
    "Contribution": "nodeflow.explain.tracing",
    "Explanation": "nodeflow.explain.steps",
    "Line": "nodeflow.workings.lines",
    "Number": "nodeflow.workings.parts",
    "Part": "nodeflow.workings.parts",
    "Reason": "nodeflow.explain.saturation",
    "Shares": "nodeflow.explain.attribution",
    "Why": "nodeflow.explain.tracing",
    "account": "nodeflow.explain.sentences",
    "evaluate": "nodeflow.workings.parts",
    "explain": "nodeflow.explain.steps",
    "remark": "nodeflow.explain.sentences",
    "shares": "nodeflow.explain.attribution",
    "where_blame_dies": "nodeflow.explain.saturation",
    "why": "nodeflow.explain.tracing",
}
__all__ = [
    "Apply",
    "Contribution",
    "Explanation",
    "Line",
    "Number",
    "Part",
    "Reason",
    "Shares",
    "Why",
    "account",
    "evaluate",
    "explain",
    "remark",
    "shares",
    "where_blame_dies",
    "why",
]

if TYPE_CHECKING:
    from nodeflow.explain.attribution import Shares, shares
    from nodeflow.explain.saturation import Reason, where_blame_dies
    from nodeflow.explain.sentences import account, remark
    from nodeflow.explain.steps import Explanation, explain
    from nodeflow.explain.tracing import Contribution, Why, why
    from nodeflow.workings.lines import Line
    from nodeflow.workings.parts import Apply, Number, Part, evaluate


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nodeflow.explain' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
