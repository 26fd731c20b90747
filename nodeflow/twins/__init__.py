"""Twins: a network as another program trains it, each difference from the textbook in sight.

`twin(graph, program)` gives a graph with that program's weights after every update; `compare`
tells which program leads from a graph's start to weights that somebody has.
"""

from nodeflow.twins.comparing import Likeness, compare, read_weights
from nodeflow.twins.network import laid_out, read
from nodeflow.twins.rules import RULES, Rule, twin

__all__ = ["RULES", "Likeness", "Rule", "compare", "laid_out", "read", "read_weights", "twin"]
