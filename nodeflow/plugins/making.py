"""A new plugin: a package that works, with one node type, its manifest and its test."""

from __future__ import annotations

import json
import keyword
import re
import tempfile
from pathlib import Path

from nodeflow import disk
from nodeflow.errors import FileError, PluginError

_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")

_PROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "0.1.0"
description = "Node types for nodeflow"
requires-python = ">=3.11"
dependencies = ["nodeflow"]

[project.entry-points."nodeflow.nodes"]
{name} = "{module}"

[tool.hatch.build.targets.wheel]
packages = ["{module}"]
"""
_MODULE = '''"""Node types of {name}: the exponential linear unit, to begin with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nodeflow.declare import Blame, Output, Value, node
from nodeflow.engine.kernel.language import Double
from nodeflow.engine.kernel.scalar import expm1
from nodeflow.engine.lowering import compute_by
from nodeflow.nodes.arithmetic import times
from nodeflow.nodes.expression import expression


@node(
    "activation",
    formula="a = z if z > 0 else e^z − 1",
    shapes="elementwise",
    calculation="max(z, 0) + (exp(min(0, z)) - 1)",
)
def {type}(z: Value) -> Value:
    """Pass positive weighted sums, and bend negative ones smoothly to −1.

    D.-A. Clevert, T. Unterthiner and S. Hochreiter, 2016.
    """
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


@{type}.backward
def _(blame: Blame, z: Output, a: Output) -> Mapping[str, Any]:
    # Above 0 the slope is 1, below it is e^z = a + 1.
    return {{"z": times(blame, expression(a, formula="min(1, a + 1)"))}}


def {type}_of_a_number(z: Double) -> Double:
    """Return the same for one number, in the kernel's language: so it trains at full speed."""
    return z if z > 0.0 else expm1(z)


compute_by({type}, {type}_of_a_number)
'''
_TEST = '''"""The new node type: its numbers, its slope, its manifest."""

from pathlib import Path

import numpy as np

import {module}
import nodeflow as nf
from nodeflow.plugins import manifest_of


def test_its_numbers():
    z = np.array([[-1.0, 0.0, 2.0]])
    assert np.allclose({module}.{type}(z), [[np.exp(-1) - 1, 0, 2]])


def test_its_slope():
    x, y = nf.dataset(source="xor")
    z = nf.weighted_sum(x, nf.parameter(shape=(3, 2)))
    a = nf.weighted_sum({module}.{type}(z), nf.parameter(shape=(1, 3)))
    graph = nf.Graph.of(nf.gradient_descent(nf.squared_error(a, y)))
    assert nf.check(graph).valid


def test_the_manifest_tells_what_is_there():
    path = Path({module}.__file__).with_name("nodeflow-plugin.json")
    assert path.read_text("utf-8") == manifest_of([{module}.{type}])
'''
_README = """# {name}

Node types for nodeflow.

    pip install -e .
    nodeflow plugins enable {name}
    nodeflow nodes {type}
    pytest

After a change of ports, settings or formulas, the manifest is written anew:

    python - <<PYTHON
    from pathlib import Path
    import {module}
    from nodeflow.plugins import manifest_of
    text = manifest_of([{module}.{type}])
    Path("{module}/nodeflow-plugin.json").write_text(text, "utf-8")
    PYTHON
"""


def make(name: str, folder: Path) -> list[Path]:
    """Write the package NAME into a folder, and return its files; raises `PluginError`."""
    if _NAME.fullmatch(name) is None or keyword.iskeyword(name):
        raise PluginError(
            f"'{name}' is no name of a package: small letters and digits, parted by - or _"
        )
    root = folder / name
    if root.exists():
        raise FileError("is there already; choose another name", file=str(root))
    module = name.replace("-", "_")
    said = {"name": name, "module": module, "type": f"{module}_elu"}
    files = {
        Path("pyproject.toml"): _PROJECT.format(**said),
        Path("README.md"): _README.format(**said),
        Path(module, "__init__.py"): _MODULE.format(**said),
        Path(module, "nodeflow-plugin.json"): _manifest(said["type"]),
        Path("tests", f"test_{module}.py"): _TEST.format(**said),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # All of it or nothing: half a package would be in the way of the next try.
        with tempfile.TemporaryDirectory(dir=folder, prefix=".nodeflow-") as aside:
            made = Path(aside) / name
            for path, text in files.items():
                file = made / path
                file.parent.mkdir(parents=True, exist_ok=True)
                disk.write(file, text.encode())
            made.rename(root)
    except OSError as error:
        why = (error.strerror or "the system refused").lower()
        raise FileError(f"cannot be written ({why})", file=str(root)) from None
    return [root / path for path in files]


def _manifest(type_: str) -> str:
    port = {"many": False, "optional": False, "feedback": False}
    document = {
        "format": "nodeflow-plugin",
        "version": 1,
        "types": [
            {
                "name": type_,
                "family": "activation",
                "formula": "a = z if z > 0 else e^z − 1",
                "inputs": [{"name": "z", **port}],
                "outputs": [{"name": "a", **port}],
                "settings": [],
                "aliases": [],
                "backward": True,
                "no_backward": "",
                "help": "Pass positive weighted sums, and bend negative ones smoothly to −1.\n\n"
                "D.-A. Clevert, T. Unterthiner and S. Hochreiter, 2016.",
            }
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
