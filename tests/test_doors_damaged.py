"""Damaged files of other programs: a graph, or one sentence."""

from __future__ import annotations

import os

import numpy as np
import pytest
from test_doors_unusual import BRANCHED, onnx_file

import nodeflow as nf

os.environ.setdefault("KERAS_BACKEND", "torch")
pytestmark = [
    pytest.mark.programs("torch", "onnx", "onnxruntime", "keras"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning",
                               "ignore::UserWarning"),
]  # fmt: skip


def spoil(document, r):
    """Change a few places of a document at random."""
    places = []

    def walk(part):
        if isinstance(part, dict | list):
            for key in part if isinstance(part, dict) else range(len(part)):
                places.append((part, key))
                walk(part[key])

    walk(document)
    for at in r.permutation(len(places))[: int(r.integers(1, 4))]:
        part, key = places[at]
        wrong = (None, {}, [], "zz", -3, 10**9, [part[key]], float("nan"))
        part[key] = wrong[int(r.integers(len(wrong)))]
    return document


def archives(source, path, changed, r, count):
    """Yield a zip archive again and again, with one of its documents spoilt."""
    import json
    import zipfile

    with zipfile.ZipFile(source) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    name = next(name for name in parts if name.endswith(changed))
    for _ in range(count):
        with zipfile.ZipFile(path, "w") as new:
            for key, data in parts.items():
                spoilt = json.dumps(spoil(json.loads(data), r)) if key == name else data
                new.writestr(key, spoilt)
        yield path


def damaged_keras(folder, r):
    import keras

    into = [keras.Input((3,)), keras.Input((3,))]
    dense = keras.layers.Dense(3, activation="tanh")
    joined = keras.layers.Add()([dense(into[0]), dense(into[1]) * 2])
    keras.Model(into, keras.layers.Dot(axes=1)([joined, into[0]])).save(folder / "old.keras")
    yield from archives(folder / "old.keras", folder / "m.keras", "config.json", r, 60)


def damaged_torch(folder, r):
    import torch

    module = torch.nn.Sequential(
        torch.nn.Linear(4, 6), torch.nn.GLU(), torch.nn.LayerNorm(3)
    ).eval()
    torch.export.save(torch.export.export(module, (torch.zeros(2, 4),)), folder / "old.pt2")
    yield from archives(folder / "old.pt2", folder / "m.pt2", "models/model.json", r, 60)


def damaged_onnx(folder, r):
    import onnx
    from google.protobuf import json_format

    for nodes, arrays in BRANCHED.values():
        onnx_file(folder / "m.onnx", nodes, arrays, [("x", "FLOAT", ["n", 6])],
                  [("y", "FLOAT", None)])  # fmt: skip
        whole = json_format.MessageToDict(onnx.load(folder / "m.onnx"))
        for _ in range(20):
            copy = json_format.MessageToDict(json_format.ParseDict(whole, onnx.ModelProto()))
            try:
                spoilt = json_format.ParseDict(spoil(copy, r), onnx.ModelProto())
            except json_format.ParseError:
                continue
            (folder / "m.onnx").write_bytes(spoilt.SerializeToString())
            yield folder / "m.onnx"


@pytest.mark.parametrize("damaged", [damaged_keras, damaged_torch, damaged_onnx])
def test_a_damaged_file_is_one_sentence(damaged, tmp_path):
    """Whatever stands in a file: a graph, or an error of nodeflow."""
    from importlib import import_module

    from nodeflow.interchange import Asked, graph_of

    reader = import_module(f"nodeflow.interchange.{damaged.__name__.removeprefix('damaged_')}")
    refused = 0
    for path in damaged(tmp_path, np.random.default_rng(0)):
        try:
            graph_of(reader.read(path, Asked()))
        except nf.NodeflowError:
            refused += 1
    assert refused > 5
