"""SNNS: the network definition file of the Stuttgart simulator and of JavaNNS.

The file has units with a bias each, and for every target unit its sources with weights, printed
with five decimals: a saved network is not quite the trained one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nodeflow.declare import CATALOG
from nodeflow.disk import reading
from nodeflow.errors import FileError, InterchangeError
from nodeflow.interchange.asked import Asked
from nodeflow.interchange.layers import Activation, Dense, Input, Join, Missing, Network, Step
from nodeflow.interchange.naming import known

FIRST_LINE = "SNNS network definition file"
_FORMULAS = {
    "Act_TanH_Xdiv2": "tanh(max(-9, min(9, z)) / 2)", "Act_Elliott": "z / (1 + abs(z))",
    "Act_LogSym": "sigmoid(z) - 0.5", "Act_StepFunc": "step(z)", "Act_Signum": "2 * step(z) - 1",
    "Act_Signum0": "sign(z)", "Act_Perceptron": "1 - step(0 - z)",
    "Act_CC_Thresh": "1 - step(0 - z)",
    # By their names these would be something else; so the kernel computes them.
    "Act_Exponential": "exp(-0.5 * z^2)", "Act_Softmax": "exp(0 - z)", "Act_Sinus": "sin(0.1 * z)",
}  # fmt: skip
_WITHOUT_BIAS = ("Act_Identity", "Act_StepFunc", "Act_Signum", "Act_Signum0")
"""These take the sum alone, whatever bias stands in the file."""
_OUT = {
    "Out_Identity": "", "Out_Clip_01": "max(0, min(1, z))", "Out_Clip_11": "max(-1, min(1, z))",
    "Out_Threshold05": "1 - step(0.5 - z)",
}  # fmt: skip
_ORDERS = ("Topological_Order", "Serial_Order", "Synchronous_Order", "Synchonous_Order",
           "Random_Order", "BPTT_Order", "")  # fmt: skip
"""Update functions by which each unit computes what its activation says; the third is misspelt in
SNNS itself. Others, such as Dynamic_LVQ, compute distances or resonance instead."""
_LINK = re.compile(r"(\d+)\s*:\s*([^\s,]+)")


@dataclass
class _Unit:
    number: int
    name: str
    bias: float
    kind: str
    """i, o or h: input, output, hidden."""
    activation: str
    out: str


def read(path: Path, _asked: Asked) -> Network:
    """Return the network of a file; raises `FileError`."""
    with reading(path):
        text = path.read_text("utf-8", "replace")
    if not text.startswith(FIRST_LINE):
        raise FileError(f"is no network of SNNS: its first line is not '{FIRST_LINE}'",
                        file=str(path))  # fmt: skip
    try:
        return _network(text)
    except (ValueError, IndexError, KeyError) as error:
        raise FileError(
            f"is damaged, or of a SNNS that is not known here ({type(error).__name__}: {error})",
            file=str(path),
        ) from None


def _network(text: str) -> Network:
    order = _said(text, "update function")
    if order not in _ORDERS:
        raise InterchangeError(
            f"this network of SNNS computes by {order} ({_said(text, 'learning function')}), and "
            "what comes in is layers of weighted sums, which Topological_Order computes"
        )
    if any(len(row) > 9 and row[9].strip() for row in _rows(text, "unit definition section")):
        raise InterchangeError(
            "units of this network have sites, several sums each, and a unit that comes in has one"
        )
    default = _rows(text, "unit default section")
    default_kind = default[0][5].strip() if default else "Act_Logistic"
    default_out = default[0][6].strip() if default and len(default[0]) > 6 else "Out_Identity"
    types = {row[0].strip(): (row[1].strip(), row[2].strip())
             for row in _rows(text, "type definition section")}  # fmt: skip
    units = {}
    for row in _rows(text, "unit definition section"):
        of_type = types.get(row[1].strip(), (default_kind, default_out))
        kind = row[7].strip() if len(row) > 7 and row[7].strip() else of_type[0]
        out = row[8].strip() if len(row) > 8 and row[8].strip() else of_type[1]
        unit = _Unit(int(row[0]), row[2].strip(), float(row[4]), row[5].strip()[:1], kind, out)
        units[unit.number] = unit
    links: dict[int, dict[int, float]] = {}
    for row in _rows(text, "connection definition section"):
        found = _LINK.findall(row[2])
        links.setdefault(int(row[0]), {}).update({int(s): float(w) for s, w in found})
    depths = _depths(units, links)
    layers = [
        sorted(number for number, depth in depths.items() if depth == at)
        for at in range(max(depths.values()) + 1)
    ]
    steps: list[Step] = []
    ends = ["x"]  # what each layer's values are called
    for at, layer in enumerate(layers[1:], 1):
        taken = {source for number in layer for source in links[number]}
        # What reaches over a layer is a shortcut: then the layers that it takes are joined.
        below = [where for where, one in enumerate(layers[:at]) if taken.intersection(one)]
        sources = [number for where in below for number in layers[where]]
        places = {number: place for place, number in enumerate(sources)}
        weights = np.zeros((len(layer), len(sources)), float)
        for row_at, number in enumerate(layer):
            for source, weight in links[number].items():
                weights[row_at, places[source]] = weight
        name = "output" if at == len(layers) - 1 else f"hidden{at}"
        kinds = {(units[number].activation, units[number].out) for number in layer}
        if len(kinds) > 1:
            raise InterchangeError(f"the units of {name} have unlike activations")
        kind, out = kinds.pop()
        bias = np.array([units[number].bias for number in layer])
        if kind == "Act_Perceptron":
            bias = -bias  # it is what the sum has to reach
        takes = () if below == [at - 1] else tuple(ends[where] for where in below)
        if kind in known("snns") or kind in _FORMULAS:
            if takes:
                steps.append(Join(f"{name}.joined", "concatenate", takes))
            steps.append(Dense(name, weights, None if kind in _WITHOUT_BIAS else bias))
            steps += _activation(f"{name}_a", kind, out)
        else:  # a distance, a product: it makes something else of its inputs than a weighted sum
            steps.append(Missing(name, kind, "nodeflow has no counterpart of it"))
        ends.append(steps[-1].name)
    # The simulator reads that sigmoid from a table.
    tabled = any(units[number].activation == "Act_LogisticTbl" for number in units)
    tables = ("SNNS's Act_LogisticTbl is a table, 5e-5 or so from the sigmoid",) if tabled else ()
    return Network(
        tuple(steps), "SNNS", name=_said(text, "network name"),
        names=tuple(units[number].name for number in layers[0]),
        inputs=(Input(width=len(layers[0])),),
        notes=("SNNS prints weights with five decimals", *tables),
    )  # fmt: skip


def _said(text: str, what: str) -> str:
    """Return a line of the head, such as that of the update function; "" where it has none."""
    found = re.search(rf"^{what}[ \t]*:[ \t]*(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _rows(text: str, section: str) -> list[list[str]]:
    """Return the rows of a section's table; a line that ends in a comma goes on in the next."""
    _, found, rest = text.partition(section)
    if not found:
        return []
    rows: list[list[str]] = []
    begun = ""
    ruled = 0
    for line in rest.splitlines()[1:]:
        if re.fullmatch(r"[-|\s]*-[-|]+[-|\s]*", line):
            ruled += 1
            if ruled == 2:
                break
            continue
        if not ruled or not line.strip():
            continue
        if "|" not in line and not begun and rows:
            rows[-1][-1] += " " + line  # what is too long for a line goes on in the next
            continue
        begun += " " + line if begun else line
        if begun.rstrip().endswith(","):
            continue
        rows.append(begun.split("|"))
        begun = ""
    return rows


def _depths(units: dict[int, _Unit], links: dict[int, dict[int, float]]) -> dict[int, int]:
    found: dict[int, int] = {}
    left = dict.fromkeys(units)
    while left:
        ready = [
            number for number in left if all(source in found for source in links.get(number, {}))
        ]
        if not ready:
            raise InterchangeError(
                f"unit {min(left)} feeds itself by way of others: the network is recurrent, and "
                "what comes in is layers, each after those that it takes"
            )
        for number in ready:
            del left[number]
            before = [found[source] for source in links.get(number, {})]
            if not before and units[number].kind != "i":
                raise InterchangeError(f"unit {number} is no input and takes nothing")
            found[number] = max(before, default=-1) + 1
    return found


def _activation(name: str, kind: str, out: str) -> list[Step]:
    """Return what a unit makes of its sum, and what its output function makes of that."""
    if kind in _FORMULAS:
        steps: list[Step] = [Activation(name, formula=_FORMULAS[kind])]
    else:
        ours = CATALOG[known("snns")[kind]]
        steps = [] if ours.passes else [Activation(name, ours.name)]
    if out not in _OUT:
        steps.append(Missing(f"{name}_out", out, "nodeflow has no counterpart of it"))
    elif _OUT[out]:
        steps.append(Activation(f"{name}_out", formula=_OUT[out]))
    return steps
