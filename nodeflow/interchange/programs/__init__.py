"""Networks as programs of their own, in NumPy, PyTorch or JAX, as a person would write them.

The recipe is the plan of a graph: its nodes in order, with those of the backward pass. Each line
of a program is a node.
"""

from nodeflow.interchange.programs.writing import MOST_NUMBERS, Program, write, written

__all__ = ["MOST_NUMBERS", "Program", "write", "written"]
