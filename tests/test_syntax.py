"""Several threads read formulas and compile code, while others do what they want."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nodeflow.engine.kernel import products
from nodeflow.syntax import expression_in, statements_in

SOURCE = Path(products.__file__).read_text(encoding="utf-8")


class Finalized:
    """A cycle whose end lets Python change threads."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        for _ in range(300):
            pass


def parse(deep: int) -> int:
    """Parse at some depth of the stack, with garbage to collect."""
    if deep:
        return parse(deep - 1)
    for _ in range(60):
        Finalized()
    return len(statements_in(SOURCE))


def test_threads_parse_beside_each_other() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(3) as pool:
            found = list(pool.map(parse, [0, 5, 20] * 10))
    finally:
        sys.setswitchinterval(before)
    assert set(found) == {len(statements_in(SOURCE))}
    assert expression_in("1 + x").op.__class__.__name__ == "Add"  # type: ignore[attr-defined]
