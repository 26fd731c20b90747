"""Files of Keras: `.keras` archives, the older `.h5`, and `.weights.h5`."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from nodeflow.disk import reading
from nodeflow.errors import FileError, InterchangeError
from nodeflow.interchange.asked import Asked, network_of_arrays
from nodeflow.interchange.keras.arrays import OlderArrays, StoredArrays
from nodeflow.interchange.keras.compiled import with_compiled
from nodeflow.interchange.keras.older import is_older, modern
from nodeflow.interchange.keras.reading import network_in
from nodeflow.interchange.layers import DAMAGED, Network

_MOST_BYTES = 2**31


def read(path: Path, asked: Asked) -> Network:
    """Return the network of a `.keras` archive or of a file of weights."""
    with reading(path):
        path.open("rb").close()
    if path.name.endswith(".h5"):
        whole = _whole(path)
        return whole or network_of_arrays(_dense_arrays(path), asked, "Keras")
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > _MOST_BYTES:
                raise FileError("unpacked, it has more than 2 GiB", file=str(path))
            config = json.loads(archive.read("config.json"))
            weights = io.BytesIO(archive.read("model.weights.h5"))
            said = "metadata.json" in archive.namelist() and json.loads(
                archive.read("metadata.json")
            )
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError):
        raise FileError(
            "is no model of Keras 3: it has no config.json and model.weights.h5", file=str(path)
        ) from None
    with _opened(weights, path) as file:
        try:
            version = said.get("keras_version") if isinstance(said, dict) else None
            config = modern(config) if version and is_older(version) else config
            network = network_in(config, StoredArrays(file, "", config["config"]), "Keras")
            return with_compiled(network, config.get("compile_config") or {})
        except DAMAGED as error:
            why = f"{type(error).__name__}: {error}"
            raise FileError(
                f"is damaged, or of a Keras that is not known here ({why})", file=str(path)
            ) from None


def _whole(path: Path) -> Network | None:
    """Return the network of a model in the older form, one HDF5 file; None if it has weights alone.

    `model.save("NAME.h5")` writes the configuration as JSON beside the weights by layer.
    """
    with _opened(path, path) as file:
        if "model_config" not in file.attrs:
            return None
        try:
            config = json.loads(file.attrs["model_config"])
            said = _older_training(file.attrs.get("training_config"))
            if is_older(file.attrs.get("keras_version")):
                config, said = modern(config), modern(said)
            network = network_in(config, OlderArrays(file["model_weights"]), "Keras")
            return with_compiled(network, said)
        except DAMAGED as error:
            why = f"{type(error).__name__}: {error}"
            raise FileError(
                f"is damaged, or of a Keras that is not known here ({why})", file=str(path)
            ) from None


def _older_training(text: Any) -> dict[str, Any]:
    """Return what a model was compiled with, from the attribute of the older form."""
    said = json.loads(text) if text else {}
    optimizer = said.pop("optimizer_config", None)
    return said if optimizer is None else {**said, "optimizer": optimizer}


def _opened(source: Any, path: Path) -> Any:
    try:
        import h5py
    except ImportError:
        raise InterchangeError("h5py is not installed; pip install 'nodeflow[keras]'") from None
    try:
        return h5py.File(source, "r")
    except OSError as error:
        raise FileError(f"cannot be read as HDF5 ({error})", file=str(path)) from None


def _dense_arrays(path: Path) -> dict[str, Any]:
    """Return kernels and biases of a file of weights, by layer."""
    found: dict[str, Any] = {}
    with _opened(path, path) as file:

        def visit(name: str, item: Any) -> None:
            if not hasattr(item, "shape") or name.startswith("optimizer"):
                return
            layer, _, place = name.removeprefix("layers/").rpartition("/")
            layer = layer.removesuffix("/vars").replace("/", ".")
            what = {"0": "kernel", "1": "bias"}.get(place, place)
            found[f"{layer}.{what}"] = item[()]

        file.visititems(visit)
    return found
