"""FANN's training data: rows, inputs and outputs in the first line, then both of each row in turn.

Inputs and outputs of a row stand in lines of their own: where they are as many, as in a table.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from nodeflow.data.options import Options
from nodeflow.data.reading import check_size, reading
from nodeflow.data.sheet import Column, Sheet

_HEAD = rb"\s*(\d{1,9})[ \t]+(\d{1,9})[ \t]+(\d{1,9})[ \t]*\r?\n"


def fann_sheet(path: Path, options: Options) -> Sheet | None:
    """Return the columns of FANN's training data; None if the file is something else."""
    if options.skip:
        return None
    check_size(path)
    with reading(path), path.open("rb") as stream:
        match = re.match(_HEAD, stream.read(100))
        if match is None:
            return None
        rows, inputs, outputs = map(int, match.groups())
        stream.seek(match.end())
        words = stream.read().split()
    width = inputs + outputs
    if 0 in (rows, inputs, outputs) or len(words) != rows * width:
        return None
    try:
        values = np.array(words, np.float64).reshape(rows, width)
    except ValueError:
        return None
    columns = [Column(f"x{i + 1}", values=values[:, i]) for i in range(inputs)]
    columns += [
        Column(f"y{i + 1}", values=values[:, inputs + i], role="target") for i in range(outputs)
    ]
    note = f"FANN's training data, as row 1 says: rows {rows}, inputs {inputs}, outputs {outputs}"
    return Sheet(path.name, tuple(columns), range(2, 2 * rows + 2, 2), "fann", notes=(note,))
