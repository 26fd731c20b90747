"""Networks for other programs: the layers of a graph with its weights, in their formats."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nodeflow.export import Made
from nodeflow.export.values import trained

if TYPE_CHECKING:
    from nodeflow.export import Job
    from nodeflow.interchange import Network


def _layers(job: Job) -> tuple[Network, str]:
    from nodeflow.interchange import layers_of

    run, which = trained(job)
    return layers_of(job.graph, run.weights), which


def _made(job: Job, what: str, write: Callable[[Network], bytes]) -> Made:
    from nodeflow.interchange.folding import folded

    network, which = _layers(job)
    network = folded(network, what)
    data = write(network)
    said = "; ".join([f"{what} with the weights {which}", *network.notes])
    return Made(data, {"of": which}, said)


def safetensors(job: Job) -> Made:
    """Return the weights as NAME.weight and NAME.bias."""
    from nodeflow.interchange.safetensors import write

    return _made(job, "arrays", write)


def mat(job: Job) -> Made:
    """Return Theta1, Theta2, … for MATLAB and Octave."""
    from nodeflow.interchange.mat import write

    return _made(job, "Theta1, Theta2, …", write)


def fann(job: Job) -> Made:
    """Return the text of a FANN network."""
    from nodeflow.interchange.fann import write

    return _made(job, "a FANN network", write)


def brainjs(job: Job) -> Made:
    """Return the JSON of a brain.js network."""
    from nodeflow.interchange.brainjs import write

    version = 2 if job.options.program == "brainjs2" else 1
    what = f"a network of brain.js {version}"
    return _made(job, what, lambda network: write(network, version=version))


def keras(job: Job) -> Made:
    """Return a Keras archive."""
    import tempfile

    from nodeflow.interchange.keras import to_keras

    run, which = trained(job)
    model = to_keras(job.graph, run.weights)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        data = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.testzip()
    return Made(data, {"of": which}, f"a Keras model with the weights {which}")


def onnx(job: Job) -> Made:
    """Return an ONNX model: forward, or one training step."""
    from nodeflow.interchange.onnx.writing import write

    run, which = trained(job)
    options = job.options
    dtype = np.float32 if options.float32 else np.float64
    data = write(job.graph, run.weights, backward=options.backward, dtype=dtype)
    if not options.backward:
        what = f"forward with the weights {which}"
    elif any(job.graph.nodes[key].mode == "active" for key in job.graph.searches):
        what = "J and its slopes, which minimize searches by: a search has no step of its own"
    else:
        what = "one training step"
    if options.float32:
        what += ", in float32"
    return Made(data, {"of": which, "backward": options.backward}, what)


def program(job: Job) -> Made:
    """Return a program that trains the network."""
    from nodeflow.interchange.programs import written
    from nodeflow.interchange.programs.writing import DATA

    kind: Any = job.options.code or "numpy"
    made = written(job.graph, kind, epochs=job.options.epochs)
    said, beside = f"a program in {kind}", {}
    if made.beside is not None:
        beside[DATA] = made.beside
        said += f", its data beside it in NAME{DATA}"
    return Made(made.text.encode(), {"code": kind}, said, beside)
