"""The stub of the package: what type checkers and editors show of the library's functions.

`python -m gallery.stub --write` renews nodeflow/__init__.pyi from the declarations.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import nodeflow.nodes  # noqa: F401  (the library)
from nodeflow.declare import CATALOG, NodeType, Port, Setting

PACKAGE = Path(__file__).parent.parent / "nodeflow"
STUB = PACKAGE / "__init__.pyi"
_HEAD = '''\
# Made by `make stub` from the declarations of the library.
"""nodeflow: take neural networks apart, node by node."""

from collections.abc import Sequence
from typing import Any, Literal

from numpy.typing import ArrayLike

'''
_KINDS = {
    "number": "float", "integer": "int", "flag": "bool", "text": "str", "formula": "str",
    "array": "ArrayLike", "shape": "Sequence[int]", "index": "int | Sequence[int]",
    "target": "str | int | Sequence[str | int]",
}  # fmt: skip


def stub() -> str:
    """Return the text of the stub."""
    types = [CATALOG[name] for name in sorted(CATALOG)]
    functions = "\n".join(line for type_ in types for line in _function(type_))
    return f"{_HEAD}{_imports()}\n__version__: str\n\n{_WIRE}\n{functions}\n"


_WIRE = '''\
_Wire = Output | ArrayLike
"""What an input takes: a wire builds a node, numbers are computed with."""
'''


def _imports() -> str:
    """Return what the package imports for type checkers, each name as its own."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test)
                 == "TYPE_CHECKING")  # fmt: skip
    lines = ["from nodeflow.declare import Output as Output"]
    for each in block.body:
        if isinstance(each, ast.ImportFrom):
            names = ", ".join(f"{alias.name} as {alias.name}" for alias in each.names)
            lines.append(f"from {each.module} import {names}")
    return "\n".join(sorted(lines)) + "\n"


def _function(type_: NodeType) -> Iterator[str]:
    parameters, result = list(_parameters(type_)), _result(type_)
    line = f"def {type_.name}({', '.join(parameters)}) -> {result}:"
    if len(line) > 100:
        line = f"def {type_.name}(\n    " + ",\n    ".join(parameters) + f",\n) -> {result}:"
    yield line
    yield f'    """{_help(type_)}"""'
    yield ""


def _help(type_: NodeType) -> str:
    inputs = ", ".join(map(str, type_.inputs)) or (
        "the names in it" if type_.dynamic_inputs else ""
    )
    outputs = ", ".join(map(str, type_.outputs))
    parts = [
        *((type_.formula,) if type_.formula else ()),
        f"{inputs} → {outputs}".strip(),
        *(f"{s.name}: {s.range}" for s in type_.settings if s.range is not None),
    ]
    first, *others = type_.help.strip().splitlines()
    body = "\n".join(("    " + line.strip()).rstrip() for line in [*others, "", *parts])
    return f"{first}\n{body}\n    ".replace("\\", "\\\\")


def _result(type_: NodeType) -> str:
    if type_.family == "source":
        return (
            "Output"
            if len(type_.outputs) == 1
            else f"tuple[{', '.join(['Output'] * len(type_.outputs))}]"
        )
    return "Any"


def _parameters(type_: NodeType) -> Iterator[str]:
    if type_.family == "source":
        yield from map(_setting, type_.settings)
        yield "*"
    elif type_.dynamic_inputs:
        yield "*inputs: _Wire"
    else:
        yield from _ports(type_)
        if not any(_spreads(type_, port) for port in type_.inputs):
            yield "*"
    if type_.family == "source":
        yield from (_port(port) for port in type_.inputs)
    else:
        yield from map(_setting, type_.settings)
    yield "id: str | None = None"
    if type_.dynamic_inputs:
        yield "**named: _Wire"


def _spreads(type_: NodeType, port: Port) -> bool:
    return port.many and type_.joined != port.name


def _ports(type_: NodeType) -> Iterator[str]:
    for port in type_.inputs:
        yield f"*{port.name}: _Wire | Sequence[_Wire]" if _spreads(type_, port) else _port(port)


def _port(port: Port) -> str:
    wanted = "_Wire | Sequence[_Wire]" if port.many else "_Wire"
    optional = port.optional or port.feedback
    return f"{port.name}: {wanted} | None = None" if optional else f"{port.name}: {wanted}"


def _setting(setting: Setting) -> str:
    kind = _KINDS.get(setting.kind) or f"Literal[{', '.join(map(repr, setting.choices))}]"
    none = " | None" if setting.default is None else ""
    return f"{setting.name}: {kind}{none} = {setting.default!r}"


def main(arguments: Sequence[str]) -> int:
    """Write the stub, or say whether it is what the declarations make."""
    if "--write" in arguments:
        STUB.write_text(stub(), encoding="utf-8")
        return 0
    return int(STUB.read_text("utf-8") != stub())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
