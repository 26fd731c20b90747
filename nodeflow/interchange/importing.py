"""From a file of another program to a graph: which format it is, and how far it was verified."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nodeflow.disk import reading
from nodeflow.errors import FileError, InterchangeError, NodeflowError, nearest
from nodeflow.graph import Graph
from nodeflow.interchange.asked import Asked
from nodeflow.interchange.building import graph_of, inputs_of
from nodeflow.interchange.layers import Network
from nodeflow.interchange.verifying import Other, Refused, Verified, by_the_other, verified

FORMATS = {
    "torch": (".pt2", ".pt", ".pth", ".ckpt"),
    "safetensors": (".safetensors",),
    "onnx": (".onnx",),
    "keras": (".keras", ".h5"),
    "mat": (".mat",),
    "brainjs": (".json",),
    "fann": (".net",),
    "snns": (".net",),
    "weka": (".txt",),
}
"""Formats by the name of their module, with the endings of their files."""
_ALL = ("--layers", "--activation", "--output")
_HEARD = {"safetensors": _ALL, "torch": _ALL, "keras": _ALL, "mat": ("--activation", "--output")}
"""Options that say what a file of weights alone does not."""
_PACKED = (".gz", ".z", ".bz2", ".xz", ".lzma", ".lz4")
_PROGRAMS = {"torch": "PyTorch", "onnx": "onnxruntime", "keras": "Keras"}
"""Programs that are asked what their own files compute."""
_PICKLES = (".pkl", ".pickle", ".joblib", ".sav", ".model")


@dataclass(frozen=True)
class Imported:
    """A network that came in."""

    graph: Graph
    network: Network
    format: str
    verified: Verified | None
    unverified: str = ""
    """Why the other program, which is installed, did not compute what its own file says."""
    weights_alone: bool = False
    """Whether the file says nothing of how its weights are connected."""
    unheard: tuple[str, ...] = ()
    """Options that were given and say nothing: the file itself says what the network is."""

    @property
    def costless(self) -> bool:
        """Whether the source names no cost, so that the usual one stands there."""
        network = self.network
        return network.cost is None and all(end.cost is None for end in network.outputs)

    @property
    def unasked(self) -> str:
        """Why no other program was asked."""
        if self.weights_alone:
            return "weights alone say nothing of how they are connected, so nobody can be asked"
        if self.format in _PROGRAMS:
            return f"{_PROGRAMS[self.format]} is not installed"
        return "the program that wrote it cannot be asked from here"

    def as_dict(self) -> dict[str, Any]:
        """Return what `nodeflow import --json` prints."""
        from nodeflow.derive.sizes import sizes_of

        return {
            "format": self.format,
            "layers": sizes_of(self.graph),
            "nodes": len(self.graph.nodes),
            "not_imported": [one.as_dict() for one in self.network.missing],
            "verified": None if self.verified is None else self.verified.as_dict(),
        }


def imported(path: Path, *, format_: str | None = None, asked: Asked | None = None) -> Imported:
    """Read a network of another program; raises `FileError` or `InterchangeError`."""
    asked = asked or Asked()
    kind = _format(path, format_)
    with reading(path):
        path.stat()  # a file that is not there is told before a library that is not
    network, graph = opened(path, kind, asked)
    found, why = None, ""
    if not network.missing:
        try:
            found = _verified(kind, path, graph, asked, network)
        except Refused as error:  # the file was read all the same
            why = str(error)
    whole = path.suffix.lower() in (".pt2", ".keras")
    heard = _HEARD.get("" if whole else kind, ())
    unheard = tuple(option for option in asked.options() if option not in heard)
    return Imported(graph, network, kind, found, why, bool(heard), unheard)


def opened(path: Path, kind: str, asked: Asked) -> tuple[Network, Graph]:
    """Return the network in a file of a format, and a graph of it.

    A file of another program has no form that we could check first. Whatever a damaged one makes
    fail, in our reader or in a library below it, is one sentence.
    """
    reader = import_module(f"nodeflow.interchange.{kind}")
    try:
        network: Network = reader.read(path, asked)
        return network, graph_of(network)
    except NodeflowError:
        raise
    except Exception as error:
        if os.environ.get("NODEFLOW_DEBUG"):
            raise
        why = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise FileError(
            f"it is damaged, or of a version that is not known here ({why}): write it once more "
            "by the program that made it",
            file=str(path),
        ) from error


def _format(path: Path, said: str | None) -> str:
    if said is not None:
        if said not in FORMATS:
            raise InterchangeError(f"there is no format '{said}'{nearest(said, FORMATS)}")
        return said
    ending = path.suffix.lower()
    inner = path.with_suffix("").suffix.lower() if ending in _PACKED else ending
    if inner in _PICKLES or _is_pickle(path, ending):
        raise InterchangeError(
            f"{path} is a pickle, which could run anything and is never opened; in Python "
            "nf.from_sklearn(estimator), nf.from_torch(module, example) or nf.from_keras(model) "
            "take the object itself"
        )
    fitting = [name for name, endings in FORMATS.items() if ending in endings]
    if len(fitting) > 1:
        from nodeflow.interchange import snns

        with reading(path), path.open("rb") as stream:
            first = stream.readline(80).decode("utf-8", "replace")
        return "snns" if first.startswith(snns.FIRST_LINE) else "fann"
    if not fitting:
        known = ", ".join(sorted({one for endings in FORMATS.values() for one in endings}))
        raise FileError(
            f"its ending says nothing of a format; there is {known}, or --from FORMAT",
            file=str(path),
        )
    return fitting[0]


def _is_pickle(path: Path, ending: str) -> bool:
    """Return whether a file of no ending that is known begins as a pickle does."""
    if any(ending in endings for endings in FORMATS.values()) or not path.is_file():
        return False
    with path.open("rb") as stream:
        head = stream.read(2)
    return len(head) == 2 and head[0] == 0x80 and head[1] in range(2, 6)


# --- verifying ------------------------------------------------------------------------------------


def _verified(
    kind: str, path: Path, graph: Graph, asked: Asked, network: Network
) -> Verified | None:
    check: Callable[[Path, Graph, Network], tuple[str, Other, int | None] | None] | None = {
        "torch": _by_torch, "onnx": _by_onnxruntime, "keras": _by_keras,
    }.get(kind)  # fmt: skip
    if check is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other programs say to their own developers
        found = check(path, graph, network)
        if found is None:
            return None
        against, other, fixed = found
        return verified(graph, against, other, inputs=inputs_of(network), rows=fixed or asked.rows)


def _by_torch(path: Path, graph: Graph, _network: Network) -> tuple[str, Other, int | None] | None:
    if path.suffix.lower() != ".pt2":
        return None
    try:
        import torch
    except ImportError:
        return None
    from nodeflow.interchange.torch import checked_against

    # The program is made of operators alone; no code of the file is run.
    with by_the_other():
        program = torch.export.load(str(path))
        module = program.module()
    by_name = {node.name: node.meta["val"].shape for node in program.graph.nodes
               if node.name in program.graph_signature.user_inputs}  # fmt: skip
    sizes = [by_name[name] for name in program.graph_signature.user_inputs if name in by_name]
    # It may take so many rows, and no others.
    fixed = next((int(one[0]) for one in sizes if one and isinstance(one[0], int)), None)
    shapes = [tuple(int(size) for size in one[1:]) for one in sizes]
    against = f"torch {torch.__version__.partition('+')[0]}"
    return against, checked_against(module, graph, shapes), fixed


def _by_onnxruntime(
    path: Path, _graph: Graph, network: Network
) -> tuple[str, Other, int | None] | None:
    from nodeflow.interchange.onnx import checked_against

    other = checked_against(path, network)
    return None if other is None else (f"onnxruntime {version('onnxruntime')}", other, None)


def _by_keras(path: Path, graph: Graph, network: Network) -> tuple[str, Other, int | None] | None:
    if path.suffix.lower() != ".keras":
        return None
    try:
        import keras
    except ImportError:
        return None
    from nodeflow.interchange.keras import checked_against
    from nodeflow.interchange.keras.older import NOTE

    if NOTE in network.notes:
        raise Refused("Keras 3 takes its hard sigmoid for another one")
    with by_the_other():
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    return f"keras {keras.__version__}", checked_against(model, graph), None
