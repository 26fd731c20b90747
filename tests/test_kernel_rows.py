"""Rows executed by Python, by machine code and as straight-line code give the same bits."""

from __future__ import annotations

import pytest
from helpers_kernel import EVERY, MACHINE, PYTHON, STRAIGHT, TIMES, Program, executed

PROGRAMS = {"float32": 3 * TIMES, "float64": 8 * TIMES}
"""How many programs of each operation are tried: NumPy's float32 is slow."""
STRAIGHTENED = [("float64", seed) for seed in range(TIMES)] + [
    ("float32", seed) for seed in range(TIMES - 1)
]
"""Each has to be compiled, which takes a tenth of a second and more."""


def program_of(name: str, seed: int, rows: int = 3) -> Program:
    program = Program(seed, samples=1 + seed % 5, wild=seed % 2 == 1)
    for _ in range(rows):
        program.add(name)
    return program


def run(way: str, program: Program, dtype: str):
    return executed(
        way, program.rows, program.cells(dtype), samples=program.samples, width=program.feed
    )


@pytest.mark.parametrize("dtype", PROGRAMS)
@pytest.mark.parametrize("name", EVERY)
def test_python_and_machine_code_give_the_same_bits(name, dtype):
    for seed in range(PROGRAMS[dtype]):
        program = program_of(name, seed)
        assert run(PYTHON, program, dtype).same(run(MACHINE, program, dtype)), seed


@pytest.mark.parametrize("part", range(8))
def test_straight_line_code_gives_the_same_bits(part):
    """Several operations in one program: it is compiled once."""
    for dtype, seed in STRAIGHTENED:
        program = Program(seed, samples=1 + (seed + part) % 5, wild=(seed + part) % 2 == 1)
        for name in EVERY[part::8]:
            program.add(name)
        assert run(MACHINE, program, dtype).same(run(STRAIGHT, program, dtype)), (dtype, seed)
