"""Files of PyTorch: exported programs and state dictionaries.

A pickle of objects is never opened.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nodeflow.disk import reading
from nodeflow.errors import FileError, InterchangeError
from nodeflow.interchange.asked import Asked, network_of_arrays
from nodeflow.interchange.layers import Network
from nodeflow.interchange.torch.program import MISSING
from nodeflow.interchange.torch.reading import network_in


def read(path: Path, asked: Asked) -> Network:
    """Return the network of an exported program, or of a state dictionary."""
    with reading(path), path.open("rb") as stream:
        head = stream.read(4)
    if path.suffix.lower() == ".pt2":
        return network_in(path, str(path))
    if head[:2] != b"PK" and head[:1] != b"\x80":
        raise FileError("is no file of PyTorch", file=str(path))
    if _is_script(path):
        raise FileError(
            "is a TorchScript archive, which is code and never run; in Python "
            f"torch.save(torch.jit.load('{path.name}').state_dict(), 'NAME.pt') keeps its weights, "
            "and torch.export.save of its module keeps the network",
            file=str(path),
        )
    return _state(path, asked)


def _is_script(path: Path) -> bool:
    """Return whether a file is what torch.jit.save writes: it holds code."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name or name.endswith("/constants.pkl")
                   for name in archive.namelist())  # fmt: skip


def _state(path: Path, asked: Asked) -> Network:
    """Return the layers of a state dictionary, through PyTorch's reader of weights alone."""
    try:
        import torch
    except ImportError:
        raise InterchangeError(
            f"{path} is a pickle, which only PyTorch's reader of weights may open; "
            f"{MISSING[0].lower()}{MISSING[1:]}, or save it as .safetensors"
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a pickle's version, which is not opened at all
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # noqa: BLE001 (whatever it says: a pickle of objects is not opened)
        raise FileError(
            "is damaged, or holds more than weights, and a pickle of objects is never opened; save "
            "module.state_dict(), or better an exported program: torch.export.save(torch.export."
            "export(module, (example,)), 'NAME.pt2')",
            file=str(path),
        ) from None
    state, notes = _weights_in(found, torch.Tensor, path)
    arrays, kinds = {}, []
    for key, value in state.items():
        if isinstance(value, torch.Tensor) and value.ndim > 0:
            arrays[key] = value.detach().to(torch.float64).numpy()
            kinds.append(str(value.dtype).removeprefix("torch."))
    network = network_of_arrays(arrays, asked, "PyTorch")
    others = [kind for kind in dict.fromkeys(kinds) if kind != "float64"]
    notes += [f"{kind} was converted to float64" for kind in others]
    return replace(network, notes=(*notes, *network.notes))


_WRAPPERS = ("module", "_orig_mod", "model")
"""What DataParallel, torch.compile and Lightning put before the names of weights."""


def _weights_in(found: Any, tensor: type, path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the weights in a file by their names, and what is to be said of where they lay.

    A checkpoint holds a dictionary of weights beside its epoch and its optimizer.
    """
    if not isinstance(found, Mapping):
        raise FileError("holds no dictionary of weights", file=str(path))
    notes = []
    if not any(isinstance(value, tensor) for value in found.values()):
        inside = {str(key): value for key, value in found.items() if isinstance(value, Mapping)
                  and value and all(isinstance(one, tensor) for one in value.values())}  # fmt: skip
        if len(inside) != 1:
            which = f"several dictionaries of weights ({', '.join(inside)}); save one of them"
            raise FileError(
                f"holds {which if inside else 'no dictionary of weights'}", file=str(path)
            )
        ((key, found),) = inside.items()
        notes.append(f"the weights are those that the checkpoint holds as '{key}'")
    state = {str(key): value for key, value in found.items()}
    while (
        state
        and (word := next(iter(state)).partition(".")[0]) in _WRAPPERS
        and all(key.startswith(f"{word}.") for key in state)
    ):
        state = {key.removeprefix(f"{word}."): value for key, value in state.items()}
    return state, notes
