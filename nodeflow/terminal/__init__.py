"""How results look in a terminal: quiet tables, a progress bar, steps in slow motion.

Colour never says anything alone: a sign or a word says the same. Without a terminal there is
neither colour nor a bar. What is asked for is imported then.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "PHASE_COLOURS": "look",
    "PHASE_SIGNS": "look",
    "StepPrinter": "steps",
    "bar": "bars",
    "clean": "look",
    "console": "look",
    "is_interactive": "keys",
    "play_live": "live",
    "progress": "bars",
    "reading_bar": "bars",
    "stages": "bars",
    "show_blame": "explanations",
    "show_derivative": "explanations",
    "show_dictionary": "explanations",
    "show_saturated": "explanations",
    "show_sides": "explanations",
    "show_views": "explanations",
    "show_why": "explanations",
    "show_check": "results",
    "show_derived": "results",
    "show_difference": "results",
    "show_evaluation": "results",
    "show_library": "library",
    "show_reading": "tables",
    "show_folds": "sweeps",
    "show_sweep": "sweeps",
    "show_training": "results",
    "show_types": "library",
}
__all__ = [
    "PHASE_COLOURS",
    "PHASE_SIGNS",
    "StepPrinter",
    "bar",
    "clean",
    "console",
    "is_interactive",
    "play_live",
    "progress",
    "reading_bar",
    "show_blame",
    "show_check",
    "show_derivative",
    "show_derived",
    "show_dictionary",
    "show_difference",
    "show_evaluation",
    "show_folds",
    "show_library",
    "show_reading",
    "show_saturated",
    "show_sides",
    "show_sweep",
    "show_training",
    "show_types",
    "show_views",
    "show_why",
    "stages",
]

if TYPE_CHECKING:
    from nodeflow.terminal.bars import bar, progress, reading_bar, stages
    from nodeflow.terminal.explanations import (
        show_blame,
        show_derivative,
        show_dictionary,
        show_saturated,
        show_sides,
        show_views,
        show_why,
    )
    from nodeflow.terminal.keys import is_interactive
    from nodeflow.terminal.library import show_library, show_types
    from nodeflow.terminal.live import play_live
    from nodeflow.terminal.look import PHASE_COLOURS, PHASE_SIGNS, clean, console
    from nodeflow.terminal.results import (
        show_check,
        show_derived,
        show_difference,
        show_evaluation,
        show_training,
    )
    from nodeflow.terminal.steps import StepPrinter
    from nodeflow.terminal.sweeps import show_folds, show_sweep
    from nodeflow.terminal.tables import show_reading


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nodeflow.terminal' has no attribute '{name}'")
    return getattr(import_module(f"nodeflow.terminal.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
