"""WebAssembly for a page: the assembly that machine code is made of, for a browser's machine.

LLVM's object file is a module already, but that it exports nothing: its symbol table is in a
section of the linker's. So nothing is linked; the functions that a page calls are exported by
their places, and what only a linker reads is left out. Rows do not jump to each other here, since
not every browser has such jumps: a loop calls one after the other, by its place in the table of
functions, of which 0 ends a run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from inspect import signature
from typing import Any

from nodeflow.engine.kernel import drive
from nodeflow.engine.kernel.compiler import ROW_SIGNATURE, WIDTH, Module
from nodeflow.engine.kernel.language import CONTEXT
from nodeflow.engine.kernel.machine_code import (
    Sizes,
    _keep,
    _llvm,
    _or_unavailable,
    _read,
    cache_folder,
)
from nodeflow.engine.kernel.registry import BY_NUMBER, END, Row
from nodeflow.engine.kernel.sources import KernelFunction

_TRIPLE = "wasm32-unknown-unknown"
_FEATURES = "+simd128,+bulk-memory,+bulk-memory-opt,+sign-ext,+nontrapping-fptoint"
"""What Chromium 91, Firefox 89, Safari 16.4 and newer have."""
_CUSTOM, _EXPORT, _DATA = 0, 7, 11
"""Kinds of sections."""
_SYMBOL_TABLE, _UNDEFINED, _NAMED = 8, 0x10, 0x40


class _Rows(Module):
    """Rows that a loop calls one after the other."""

    def row(
        self,
        name: str,
        function: KernelFunction,
        scalar: KernelFunction | None,
        *,
        public: bool = False,
    ) -> None:
        super().row(name, function, scalar, public=public)
        jump = self.parts[-1]
        *_, only = jump.partition("define internal void @do.")
        body = only[: only.index("\n}\n") + 3]
        self.parts[-1] = f"define void @row.{body.replace(' alwaysinline', '', 1)}"

    def walk(self) -> None:
        """Add the loop, and the functions that run rows with it."""
        given = "ptr %cells, ptr %at, ptr %context, i64 %samples"
        self.parts.append(
            f"define internal void @walk{ROW_SIGNATURE} nounwind {{\n"
            "entry:\n  br label %next\n"
            "next:\n  %at = phi ptr [%row, %entry], [%after, %do]\n"
            "  %function = load ptr, ptr %at\n"
            "  %over = icmp eq ptr %function, null\n"
            "  br i1 %over, label %end, label %do\n"
            f"do:\n  call void %function({given})\n"
            f"  %after = getelementptr inbounds i64, ptr %at, i64 {WIDTH}\n  br label %next\n"
            "end:\n  ret void\n}\n"
            f"define void @run{ROW_SIGNATURE} nounwind {{\n"
            "  call void @walk(ptr %cells, ptr %row, ptr %context, i64 %samples)\n  ret void\n}\n"
        )

    def alone(self, name: str, function: KernelFunction) -> None:
        """Add a scalar function as one that a page calls."""
        inner = self.scalar(function, eight=False)
        given = ", ".join(f"double %{at}" for at in range(len(signature(function).parameters)))
        self.parts.append(
            f'define double @"of.{name}"({given}) nounwind {{\n'
            f"  %found = call double {inner}({given})\n  ret double %found\n}}\n"
        )

    def runner(self, part: str) -> None:
        self.parts.append(
            f"define internal void @run_{part}(ptr %cells, ptr %context) nounwind {{\n"
            f"  %place = getelementptr i64, ptr %context, i64 {CONTEXT.index(part)}\n"
            "  %row = load ptr, ptr %place\n"
            f"  %held = getelementptr i64, ptr %context, i64 {CONTEXT.index('samples')}\n"
            "  %samples = load i64, ptr %held\n"
            "  call void @walk(ptr %cells, ptr %row, ptr %context, i64 %samples)\n"
            "  ret void\n}\n"
        )


def kernel(
    real: str, operations: Sequence[int], functions: Mapping[str, KernelFunction] | None = None
) -> bytes:
    """Return a module with the rows of some operations, by number, and the drive.

    It exports `run`, `train`, `shuffle`, each row as `row.NAME`, and scalar functions as `of.NAME`
    by the names that they are given. `real` is "double" or "float". Raises `Unavailable` where
    LLVM cannot be had.
    """
    module = _Rows(real)
    module.walk()
    for part in ("head", "tail", "test"):
        module.runner(part)
    module.entry(drive.train)
    module.entry(drive.shuffle)
    for number in sorted(set(operations) - {END}):
        operation = BY_NUMBER[number]
        module.row(f"{operation.symbol}{number}", operation.function, operation.scalar)
    for name, function in sorted((functions or {}).items()):
        module.alone(name, function)
    return _compiled(module.text())


def row_name(number: int) -> str:
    """Return the name under which `kernel` exports the row of an operation."""
    return f"row.{BY_NUMBER[number].symbol}{number}"


def straight(real: str, parts: Mapping[str, Sequence[Row]], sizes: Sizes) -> bytes:
    """Return a module whose `train` has the rows of head and tail written out.

    `sizes` are those of passes and updates. What it evaluates test rows with is a function of the
    module `kernel`, which a page hands in as `run`.
    """
    module = Module(real)
    for part, rows in parts.items():
        called = [(BY_NUMBER[n].function, BY_NUMBER[n].scalar, operands) for n, *operands in rows]
        module.straight(part, called, *sizes)
    module.parts.append(f"declare void @run{ROW_SIGNATURE}\n")
    walker = _Rows(real)
    walker.runner("test")
    module.parts += [part.replace("@walk", "@run") for part in walker.parts]
    module.entry(drive.train)
    return _compiled(module.text())


def _compiled(text: str) -> bytes:
    with _or_unavailable():
        from llvmlite import __version__

        name = hashlib.sha256(f"{__version__}\n{_FEATURES}\n{text}".encode()).hexdigest()[:32]
        folder = cache_folder()
        file = folder / f"page-{name}.wasm" if folder else None
        found = _read(file)
        if found is None:
            found = exporting(_object(text))
            _keep(file, found)
        return found


def _object(text: str) -> bytes:
    llvm = _llvm()
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    module = llvm.parse_assembly(f'target triple = "{_TRIPLE}"\n{text}')
    machine = llvm.Target.from_triple(_TRIPLE).create_target_machine(
        cpu="generic", features=_FEATURES, opt=2, reloc="static", codemodel="default"
    )
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.loop_unrolling = False
    options.slp_vectorization = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    found: bytes = machine.emit_object(module)
    return found


# --- the sections of a module -------------------------------------------------------------------
# (WebAssembly, design: BinaryEncoding.md, and tool-conventions: Linking.md)


def exporting(code: bytes) -> bytes:
    """Return LLVM's object file as a module that exports its functions by their names."""
    sections = list(_sections(code))
    exports: list[tuple[str, int]] = []
    for kind, content in sections:
        if kind == _CUSTOM:
            reader = _Reader(content)
            if reader.text() == "linking":
                exports = list(_functions(reader))
    body = b"".join(_whole(*e) for e in exports)
    export = _number(len(exports)) + body
    found = [code[:8]]
    for kind, content in sections:
        if kind == _CUSTOM:
            continue
        if kind > _EXPORT and export:
            found.append(bytes([_EXPORT]) + _number(len(export)) + export)
            export = b""
        found.append(bytes([kind]) + _number(len(content)) + content)
    if export:
        found.append(bytes([_EXPORT]) + _number(len(export)) + export)
    return b"".join(found)


def _whole(name: str, index: int) -> bytes:
    text = name.encode()
    return _number(len(text)) + text + b"\0" + _number(index)


def _sections(code: bytes) -> Iterator[tuple[int, bytes]]:
    reader = _Reader(code, 8)
    while reader.at < len(code):
        kind, size = reader.byte(), reader.number()
        yield kind, reader.take(size)


def _functions(reader: _Reader) -> Iterator[tuple[str, int]]:
    """Yield the functions that are defined for others, from the linker's section."""
    reader.number()  # the version
    while reader.at < len(reader.data):
        kind, size = reader.byte(), reader.number()
        part = _Reader(reader.take(size))
        if kind != _SYMBOL_TABLE:
            continue
        for _ in range(part.number()):
            what, flags = part.byte(), part.number()
            if what in (0, 2, 4, 5):  # function, global, event, table
                index = part.number()
                name = part.text() if not flags & _UNDEFINED or flags & _NAMED else ""
                if what == 0 and not flags & (_UNDEFINED | 0x2):  # defined, not local
                    yield name, index
            elif what == 1:  # data
                part.text()
                if not flags & _UNDEFINED:
                    for _ in range(3):
                        part.number()
            else:  # a section
                part.number()


class _Reader:
    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def take(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self) -> int:
        found = shift = 0
        while True:
            byte = self.byte()
            found |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return found

    def text(self) -> str:
        return self.take(self.number()).decode()


def _number(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def data_end(code: bytes) -> int:
    """Return how many bytes at the beginning of the memory a module's own tables take."""
    end = 0
    for kind, content in _sections(code):
        if kind != _DATA:
            continue
        reader = _Reader(content)
        for _ in range(reader.number()):
            reader.number()  # active, in memory 0
            if reader.byte() != 0x41:
                raise ValueError("a data segment that does not begin at a constant")
            at = reader.number()
            reader.byte()
            end = max(end, at + len(reader.take(reader.number())))
    return end


__all__: Sequence[Any] = ("data_end", "exporting", "kernel", "row_name", "straight")
