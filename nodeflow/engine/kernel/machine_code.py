"""Machine code for the kernel: compiled once for this processor, a row at a time, and kept.

Each operation is an object file of its own in the user's cache folder, named by a digest of the
kernel's source files, of LLVM's version and of the processor: nothing in the cache can be out of
date. What is not there yet is compiled when a tape first needs it. Where the folder cannot be
written, or a file in it is damaged, the code is compiled again; nothing else changes.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.kernel import drive
from nodeflow.engine.kernel.compiler import Module
from nodeflow.engine.kernel.registry import BY_NUMBER, END, Operation, Row


@cache
def _llvm() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@cache
def _processor() -> tuple[str, str]:
    llvm = _llvm()
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


@cache
def _digest() -> str:
    """Return a digest of all that machine code depends on."""
    from llvmlite import __version__

    found = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        found.update(file.read_bytes())
    found.update("\n".join((__version__, *_processor())).encode())
    return found.hexdigest()[:16]


def cache_folder() -> Path:
    """Return where machine code is kept; `NODEFLOW_CACHE` names another folder."""
    given = os.environ.get("NODEFLOW_CACHE")
    if given:
        return Path(given) / "kernel"
    from platformdirs import user_cache_path

    return user_cache_path("nodeflow") / "kernel"


def compiled(text: str, *, level: int = 2) -> bytes:
    """Compile assembly for this processor; return an object file."""
    llvm = _llvm()
    module = llvm.parse_assembly(text)
    name, features = _processor()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=name, features=features, opt=level, reloc="pic", codemodel="default", jit=True
    )
    options = llvm.create_pipeline_tuning_options(speed_level=level)
    # Loops that matter are written for eight lanes; others are short, and would only get slower.
    options.loop_vectorization = options.loop_unrolling = False
    options.slp_vectorization = level > 1
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    found: bytes = machine.emit_object(module)
    return found


class Loaded:
    """Machine code in memory, for one precision."""

    def __init__(self, real: str) -> None:
        self.real = real
        """"double" or "float", as LLVM names them."""
        self._lock = RLock()
        self._libraries: list[Any] = []  # what is loaded lives as long as they do
        self._addresses: NDArray[np.int64] = np.zeros(0, np.int64)
        self._functions: dict[str, Any] = {}

    @cached_property
    def _jit(self) -> Any:
        llvm = _llvm()
        machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
        return llvm.create_lljit_compiler(machine)

    def load(self, name: str, code: bytes, *symbols: str) -> list[int]:
        """Load an object file; return the addresses of some of its symbols."""
        llvm = _llvm()
        with self._lock:
            builder = llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
            for symbol in symbols:
                builder = builder.export_symbol(symbol)
            library = builder.link(self._jit, f"{name}.{len(self._libraries)}")
            self._libraries.append(library)
            return [library[symbol] for symbol in symbols]

    def _ready(self, name: str, make: Any, *symbols: str) -> list[int]:
        """Load code from the cache folder, or compile it and put it there."""
        file = cache_folder() / f"{name}-{self.real}-{_digest()}.o"
        try:
            code = _checked(file.read_bytes())
        except OSError:
            code = None
        if code is not None:
            return self.load(name, code, *symbols)
        code = compiled(make())
        _keep(file, code)
        return self.load(name, code, *symbols)

    def addresses(self, numbers: Iterable[int]) -> NDArray[np.int64]:
        """Return where the code of each operation lies, by number; 0 where nobody asked yet."""
        with self._lock:
            if len(self._addresses) < len(BY_NUMBER):
                grown = np.zeros(len(BY_NUMBER), np.int64)
                grown[: len(self._addresses)] = self._addresses
                self._addresses = grown
            for number in numbers:
                if self._addresses[number] == 0:
                    operation = BY_NUMBER[number]
                    symbol = f"row.{operation.name}"
                    (found,) = self._ready(
                        operation.name, lambda op=operation: self._row(op), symbol
                    )
                    self._addresses[number] = found
            return self._addresses

    def _row(self, operation: Operation) -> str:
        module = Module(self.real)
        if operation.number == END:
            module.end()
        else:
            module.row(operation.name, operation.function, operation.scalar, public=True)
        return module.text()

    def function(self, name: str) -> Any:
        """Return `train`, `run` or `shuffle`, to be called with pointers and numbers."""
        with self._lock:
            if name not in self._functions:
                whole, pointer = ctypes.c_int64, ctypes.c_void_p
                kinds = {
                    "train": (pointer, pointer),
                    "run": (pointer, pointer, pointer, whole),
                    "shuffle": (pointer, whole, whole, whole),
                }
                found = self._ready("drive", self._drive, *kinds)
                for (symbol, kind), address in zip(kinds.items(), found, strict=True):
                    self._functions[symbol] = ctypes.CFUNCTYPE(None, *kind)(address)
            return self._functions[name]

    def straight(self, parts: Mapping[str, Sequence[Row]], samples: int) -> Any:
        """Compile `train` for given rows of head and tail; return the function.

        A row is the number of an operation and its operands; passes have `samples` samples.
        """
        module = Module(self.real)
        for part, rows in parts.items():
            module.straight(
                part,
                [(BY_NUMBER[n].function, BY_NUMBER[n].scalar, operands) for n, *operands in rows],
                samples,
            )
        module.runner("test")
        module.entry(drive.train)
        (address,) = self.load("straight", compiled(module.text()), "train")
        return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(address)

    def _drive(self) -> str:
        module = Module(self.real)
        for part in ("head", "tail", "test"):
            module.runner(part)
        module.run()
        module.entry(drive.train)
        module.entry(drive.shuffle)
        return module.text()


CALL = ctypes.CFUNCTYPE(None, ctypes.c_int64)


@cache
def loaded(real: str) -> Loaded:
    """Return the machine code of a precision; there is one a process."""
    return Loaded(real)


_MARK = b"nodeflow object\n"


def _checked(data: bytes) -> bytes | None:
    """Return the code in a cached file, None where it is not whole."""
    head = len(_MARK) + 32
    code = data[head:]
    whole = data[:head] == _MARK + hashlib.sha256(code).digest()
    return code if whole else None


def _keep(file: Path, code: bytes) -> None:
    """Put code into the cache folder, all of it or nothing; where that fails, live without."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as temporary:
            temporary.write(_MARK + hashlib.sha256(code).digest() + code)
        Path(temporary.name).replace(file)
    except OSError:
        return
