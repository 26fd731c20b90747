"""ONNX: layers in, and out as a forward pass or as one training step of ordinary operators.

Weights that lie in a file beside the model are read from there. What runtimes refuse in double
precision (LeakyRelu, Softplus) is written from parts. Attributes are float32 in the format, so
numbers of a float64 network go out as tensors.
"""

from nodeflow.interchange.onnx.checking import checked_against
from nodeflow.interchange.onnx.reading import read

__all__ = ["checked_against", "read"]
