"""Tables of plain numbers are read at once: what comes out is the careful reader's, to the bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from nodeflow.data import Options
from nodeflow.data.deciding import table_of
from nodeflow.data.plain import plain_table
from nodeflow.data.textfile import text_sheet

_CELLS = {
    "fraction": lambda random, _: repr(round(random.uniform(-9, 9), random.randint(0, 5))),
    "tenth": lambda random, _: f"{random.uniform(0, 3):.1f}",
    "whole": lambda random, _: str(random.randint(-5, 3000)),
    "code": lambda random, _: str(random.randint(0, 2)),
    "count": lambda _, row: str(row + 1),
    "id": lambda random, row: str(10 ** random.randint(13, 16) + row),
    "zeros": lambda random, _: f"00{random.randint(1, 99)}",
}


def _text(random: Random) -> str:
    rows, kinds = random.randint(1, 40), random.choices([*_CELLS], k=random.randint(1, 6))
    lines = (",".join(_CELLS[kind](random, row) for kind in kinds) for row in range(rows))
    text = "\n".join(lines) + random.choice(["\n", ""])
    if random.random() < 0.2:
        text = text.replace("\n", "\r\n")
    if random.random() < 0.3:
        place = random.randrange(len(text))
        text = text[:place] + random.choice("-.,\n1 e") + text[place + 1 :]
    return text


@pytest.mark.parametrize("seed", range(4))
def test_a_plain_table_is_what_the_careful_reader_makes_of_it(seed: int, tmp_path: Path) -> None:
    random, path, plain = Random(seed), tmp_path / "table.csv", 0
    for _ in range(200):
        text = _text(random)
        path.write_bytes(text.encode())
        width = text.split("\n")[0].count(",") + 1
        options = Options(target=random.choice([None, None, -1, width - 1]))
        found = plain_table(path, options)
        if found is None:
            continue
        plain += 1
        careful = table_of(text_sheet(path, options), options)
        assert found.x.shape == careful.x.shape, text
        assert found.x.tobytes() == careful.x.tobytes(), text
        assert found.y.shape == careful.y.shape, text
        assert found.y.tobytes() == careful.y.tobytes(), text
        assert (found.features, found.classes) == (careful.features, careful.classes), text
        assert found.reading == careful.reading, text
    assert plain > 10


@pytest.mark.parametrize(
    "options",
    [Options(header="yes"), Options(decimal=","), Options(drop=(0,)), Options(missing="mean")],
)
def test_what_was_said_of_a_table_is_left_to_the_careful_reader(
    options: Options, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("0.5,1.5,1\n0.25,2.5,2\n0.75,3.5,1\n0.5,4.5,2\n", encoding="utf-8")
    assert plain_table(path, Options()) is not None
    assert plain_table(path, options) is None


def test_a_plain_table_is_read_without_the_careful_reader(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("0.5,1.5,1\n0.25,2.5,2\n0.75,3.5,1\n0.5,4.5,2\n", encoding="utf-8")
    code = (
        "import sys; from nodeflow.data import load; load(sys.argv[1]); "
        "print(sorted(name for name in sys.modules if name.startswith('nodeflow.data.')))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    ).stdout
    assert "'nodeflow.data.plain'" in said
    for heavy in ("textfile", "deciding", "analysis", "numerals", "idx"):
        assert f"'nodeflow.data.{heavy}'" not in said
