"""Thousands of damaged tables: each is read, or refused in one sentence that says what mends it."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path

import numpy as np
import pytest

from nodeflow.data import Options, Table
from nodeflow.data.arff import arff_sheet
from nodeflow.data.deciding import table_of
from nodeflow.data.quick import text_sheet
from nodeflow.errors import DataError
from torture.starts import TABLES, spoilt_table, table_options

MUTATIONS = 10_000 if "NODEFLOW_SEARCH" in os.environ else 2_000
"""`make bits` has them all, and a minute of the search for what falls over has others."""

MENDS = re.compile(
    r"--[a-z]|\b(write|make|add|save|name|close|fill|separate|give|declare|leave|delete|did you "
    r"mean|must be|may be|there (is|are) |end|from 0 to)\b"
)
"""What a sentence says of how to mend the table."""


def outcome(path: Path, options: Options) -> Table | DataError:
    """Return the table in a file, or the fault that refuses it; nothing else is caught."""
    sheet = arff_sheet if path.suffix == ".arff" else text_sheet
    try:
        return table_of(sheet(path, options), options)
    except DataError as error:
        return error


@pytest.mark.parametrize("part", range(10))
def test_damaged_tables(tmp_path, part):
    r = random.Random(part)
    read = 0
    for _ in range(MUTATIONS // 10):
        name = r.choice(sorted(TABLES))
        content = spoilt_table(TABLES[name].encode(), r)
        said = table_options(r)
        path = tmp_path / name
        path.write_bytes(content)
        found = outcome(path, Options(**said).checked())
        if isinstance(found, DataError):
            sentence = str(found)
            assert found.file == name, (content, said)
            assert len(sentence.splitlines()) == 1, (content, said)
            assert len(sentence) < 1000
            assert MENDS.search(sentence), (sentence, content, said)
            continue
        table = found
        read += 1
        assert len(table.x) == len(table.y) > 0, (content, said)
        assert np.isfinite(table.x).all(), (content, said)
        assert np.isfinite(table.y).all(), (content, said)
        assert len(table.features) == table.x.shape[1], (content, said)
        assert table.reading is not None
        assert table.reading.rows >= len(table.x)
    assert read > MUTATIONS // 100  # else the damage is too great to tell anything
