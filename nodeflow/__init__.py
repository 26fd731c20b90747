"""nodeflow: take neural networks apart, node by node.

    import nodeflow as nf

    graph = nf.load("graphs/wheat-seeds.json")
    run = nf.Run(graph)
    run.train(epochs=25)

Every node type of the library is a function here too: `nf.sigmoid(array)` computes,
`nf.sigmoid(wire)` builds a node. Heavy imports wait until they are needed.
"""

from __future__ import annotations

import sys

if sys.argv and sys.argv[0].replace("\\", "/").rpartition("/")[2].split(".")[0] in (
    "nodeflow",
    "-m",
):
    # The command is starting: until it listens, Ctrl-C ends it without a traceback.
    from nodeflow.streams import hold_interrupts

    hold_interrupts()

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Check": "nodeflow.engine.verdicts",
    "Graph": "nodeflow.graph",
    "Node": "nodeflow.graph",
    "NodeflowError": "nodeflow.errors",
    "Player": "nodeflow.playback.player",
    "Run": "nodeflow.engine.run",
    "Step": "nodeflow.engine.step",
    "Training": "nodeflow.graph",
    "Widget": "nodeflow.export.widget",
    "Wire": "nodeflow.graph",
    "check": "nodeflow.engine.check",
    "collapse": "nodeflow.derive",
    "explode": "nodeflow.derive",
    "fold": "nodeflow.derive",
    "folds": "nodeflow.sweeps",
    "from_keras": "nodeflow.interchange.keras",
    "from_sklearn": "nodeflow.interchange.sklearn",
    "from_torch": "nodeflow.interchange.torch",
    "hold": "nodeflow.data.memory",
    "load": "nodeflow.files",
    "node": "nodeflow.declare",
    "sample": "nodeflow.examples",
    "save": "nodeflow.files",
    "sweep": "nodeflow.sweeps",
    "to_keras": "nodeflow.interchange.keras",
    "to_sklearn": "nodeflow.interchange.sklearn",
    "to_torch": "nodeflow.interchange.torch",
    "unfold": "nodeflow.derive",
    "with_data": "nodeflow.derive.feeding",
    "with_rate": "nodeflow.derive.rates",
}
__all__ = [
    "Check",
    "Graph",
    "Node",
    "NodeflowError",
    "Player",
    "Run",
    "Step",
    "Training",
    "Widget",
    "Wire",
    "__version__",
    "check",
    "collapse",
    "explode",
    "fold",
    "folds",
    "from_keras",
    "from_sklearn",
    "from_torch",
    "hold",
    "load",
    "node",
    "sample",
    "save",
    "sweep",
    "to_keras",
    "to_sklearn",
    "to_torch",
    "unfold",
    "with_data",
    "with_rate",
]

if TYPE_CHECKING:
    from nodeflow.data.memory import hold
    from nodeflow.declare import node
    from nodeflow.derive import collapse, explode, fold, unfold
    from nodeflow.derive.feeding import with_data
    from nodeflow.derive.rates import with_rate
    from nodeflow.engine.check import check
    from nodeflow.engine.run import Run
    from nodeflow.engine.step import Step
    from nodeflow.engine.verdicts import Check
    from nodeflow.errors import NodeflowError
    from nodeflow.examples import sample
    from nodeflow.export.widget import Widget
    from nodeflow.files import load, save
    from nodeflow.graph import Graph, Node, Training, Wire
    from nodeflow.interchange.keras import from_keras, to_keras
    from nodeflow.interchange.sklearn import from_sklearn, to_sklearn
    from nodeflow.interchange.torch import from_torch, to_torch
    from nodeflow.playback.player import Player
    from nodeflow.sweeps import folds, sweep


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        # The library comes first: a graph is of little use without its node types.
        import_module("nodeflow.nodes")
        import_module("nodeflow.plugins.enabling").load_enabled()
        found = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return found
    if name.startswith("_"):
        raise AttributeError(f"module 'nodeflow' has no attribute '{name}'")
    # Types are not kept as attributes: plugins come and go.
    if "nodeflow.nodes" in sys.modules and name in sys.modules["nodeflow.declare"].CATALOG:
        return sys.modules["nodeflow.declare"].CATALOG[name]
    if find_spec(f"{__name__}.{name}") is not None:
        return import_module(f"{__name__}.{name}")
    import_module("nodeflow.nodes")
    import_module("nodeflow.plugins.enabling").load_enabled()
    catalog = import_module("nodeflow.declare").CATALOG
    if name in catalog:
        return catalog[name]
    raise AttributeError(f"module 'nodeflow' has no attribute '{name}'")


def __dir__() -> list[str]:
    import_module("nodeflow.nodes")
    return sorted([*__all__, *import_module("nodeflow.declare").CATALOG])
