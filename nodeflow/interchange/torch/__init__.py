"""PyTorch: modules, exported programs (.pt2), and state dictionaries (.pt, weights only).

A .pt2 is a zip: its program is JSON and its weights are raw numbers, so it is read without PyTorch
and without unpickling; sample inputs in it are not touched. A module is exported first and read
the same way. Weights of `Linear` are (out, in) as here.
"""

from nodeflow.interchange.torch.checking import checked_against
from nodeflow.interchange.torch.files import read
from nodeflow.interchange.torch.module import from_torch, network_of
from nodeflow.interchange.torch.writing import to_torch

__all__ = ["checked_against", "from_torch", "network_of", "read", "to_torch"]
