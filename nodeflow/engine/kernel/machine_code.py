"""Machine code for the kernel: compiled once for this processor, a row at a time, and kept.

Each operation is an object file of its own in the user's cache folder, named by a digest of the
kernel's source files, of LLVM's version and of the processor: nothing in the cache can be out of
date. Operations that joined while the program runs are named by a digest of their own assembly
besides. What is not there yet is compiled when a tape first needs it. Where the folder cannot be
written, or a file in it is damaged, the code is compiled again; nothing else changes. What was not
used for a month is deleted when something new is kept, and so is what was used least recently
beyond 64 MB.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache, cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.kernel import drive
from nodeflow.engine.kernel.compiler import Module
from nodeflow.engine.kernel.notices import say_once
from nodeflow.engine.kernel.registry import BY_NUMBER, END, Operation, Row

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


Sizes: TypeAlias = tuple[int, int | None]
"""Samples of a pass, and of an update: None where the last one of an epoch may have fewer."""


class Unavailable(Exception):
    """Machine code cannot be made here; the message says why, and what would mend it."""


class Abandoned(Exception):
    """Nobody waits any longer for what is being compiled."""


@contextmanager
def _or_unavailable() -> Iterator[None]:
    """Turn whatever keeps LLVM from making machine code into `Unavailable`."""
    try:
        yield
    except ImportError as error:
        raise Unavailable(
            f"llvmlite cannot be imported ({_line(error)}); `pip install llvmlite` mends it"
        ) from error
    except MemoryError as error:
        raise Unavailable(
            "there is not enough memory to compile; closing other programs mends it"
        ) from error
    except (OSError, RuntimeError) as error:
        raise Unavailable(
            f"LLVM cannot compile here ({_line(error)}); "
            "`pip install --force-reinstall llvmlite` may mend it"
        ) from error


def _line(error: BaseException) -> str:
    lines = str(error).split("\n")
    return " ".join(lines[0].split()) or type(error).__name__


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
    return digest_of(_sources())


def _sources() -> Traversable:
    """Return the folder of the kernel's source files; it may lie in a zip."""
    folder = Path(__file__).parent
    if folder.is_dir():
        return folder
    from importlib.resources import files

    return files("nodeflow.engine.kernel")


def digest_of(folder: Traversable) -> str:
    """Return a digest of a kernel's source files, of LLVM's version and of the processor."""
    from llvmlite import __version__

    found = hashlib.sha256()
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".py"):
            found.update(file.read_bytes())
    found.update("\n".join((__version__, *_processor())).encode())
    return found.hexdigest()[:16]


def cache_folder() -> Path | None:
    """Return where machine code is kept; None where there is no such place.

    `NODEFLOW_CACHE` names another folder.
    """
    given = os.environ.get("NODEFLOW_CACHE")
    if given:
        return Path(given) / "kernel"
    from platformdirs import user_cache_path

    try:
        found = user_cache_path("nodeflow") / "kernel"
    except (OSError, RuntimeError, KeyError):
        return None
    # Where nobody knows a home, "~" stands for itself.
    return found if found.is_absolute() else None


def compiled(
    text: str,
    *,
    level: int = 2,
    gather: bool = True,
    wanted: Callable[[], bool] = lambda: True,
) -> bytes:
    """Compile assembly for this processor; return an object file.

    `gather` lets LLVM compute scalars that are alike side by side, in lanes.
    Raises `Abandoned` where it is no longer `wanted`, asked between the parts of the work.
    """
    llvm = _llvm()
    module = llvm.parse_assembly(text)
    name, features = _processor()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=name, features=features, opt=level, reloc="pic", codemodel="default", jit=True
    )
    options = llvm.create_pipeline_tuning_options(speed_level=level)
    # Loops that matter are written for eight lanes; others are short, and would only get slower.
    options.loop_vectorization = options.loop_unrolling = False
    options.slp_vectorization = gather and level > 1
    builder = llvm.create_pass_builder(machine, options)
    if not wanted():
        raise Abandoned
    builder.getModulePassManager().run(module, builder)
    if not wanted():
        raise Abandoned
    found: bytes = machine.emit_object(module)
    return found


class Loaded:
    """Machine code in memory, for one precision."""

    def __init__(self, real: str) -> None:
        self.real = real
        """"double" or "float", as LLVM names them."""
        self._lock = RLock()
        self._libraries: list[Any] = []
        self._count = 0
        self._addresses: NDArray[np.int64] = np.zeros(0, np.int64)
        self._functions: dict[str, Any] = {}

    @cached_property
    def _jit(self) -> Any:
        llvm = _llvm()
        machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
        return llvm.create_lljit_compiler(machine)

    def load(self, name: str, code: bytes, *symbols: str) -> tuple[Any, list[int]]:
        """Load an object file; return the library and the addresses of some of its symbols.

        The code is there for as long as the library is.
        """
        llvm = _llvm()
        with self._lock:
            builder = llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
            for symbol in symbols:
                builder = builder.export_symbol(symbol)
            self._count += 1
            library = builder.link(self._jit, f"{name}.{self._count}")
            return library, [library[symbol] for symbol in symbols]

    def _ready(self, name: str, make: Callable[[], str], *symbols: str) -> list[int]:
        """Load code from the cache folder, or compile it and put it there; keep it for good."""
        with _or_unavailable():
            folder, digest = cache_folder(), _digest()
            file = folder / f"{name}-{self.real}-{digest}.o" if folder else None
            code = _read(file)
            if code is None:
                code = compiled(make())
                # A source file that was edited meanwhile may be part of what was compiled.
                if digest_of(_sources()) == digest:
                    _keep(file, code)
            library, found = self.load(name, code, *symbols)
        self._libraries.append(library)
        return found

    def addresses(self, numbers: Iterable[int]) -> NDArray[np.int64]:
        """Return where the code of each operation lies, by number; 0 where nobody asked yet."""
        with self._lock:
            if len(self._addresses) < len(BY_NUMBER):
                grown = np.zeros(len(BY_NUMBER), np.int64)
                grown[: len(self._addresses)] = self._addresses
                self._addresses = grown
            for number in numbers:
                if self._addresses[number] == 0:
                    self._addresses[number] = self._address(BY_NUMBER[number])
            return self._addresses

    def _address(self, operation: Operation) -> int:
        symbol = f"row.{operation.symbol}"
        if not operation.joined:
            return self._ready(operation.name, lambda: self._row(operation), symbol)[0]
        text = self._row(operation)
        name = f"joined-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        return self._ready(name, lambda: text, symbol)[0]

    def _row(self, operation: Operation) -> str:
        module = Module(self.real)
        if operation.number == END:
            module.end()
        else:
            module.row(operation.symbol, operation.function, operation.scalar, public=True)
        return module.text()

    def function(self, name: str) -> Any:
        """Return `train`, `each`, `run` or `shuffle`, to be called with pointers and numbers."""
        with self._lock:
            if name not in self._functions:
                whole, pointer = ctypes.c_int64, ctypes.c_void_p
                kinds = {
                    "train": (pointer, pointer),
                    "each": (pointer, pointer, whole),
                    "run": (pointer, pointer, pointer, whole),
                    "shuffle": (pointer, whole, whole, whole),
                }
                found = self._ready("drive", self._drive, *kinds)
                for (symbol, kind), address in zip(kinds.items(), found, strict=True):
                    self._functions[symbol] = ctypes.CFUNCTYPE(None, *kind)(address)
            return self._functions[name]

    def straight(
        self,
        parts: Mapping[str, Sequence[Row]],
        sizes: Sizes,
        wanted: Callable[[], bool] = lambda: True,
    ) -> Any:
        """Compile `train` for given rows of head, tail and test; return the function.

        A row is the number of an operation and its operands; `sizes` are those of training. The
        code is there for as long as the function is. Raises `Abandoned` where it is no longer
        `wanted`.
        """
        with _or_unavailable():
            module = Module(self.real)
            for part, rows in parts.items():
                called = [
                    (BY_NUMBER[number].function, BY_NUMBER[number].scalar, operands)
                    for number, *operands in rows
                ]
                module.straight(part, called, *((None, None) if part == "test" else sizes))
            module.entry(drive.train)
            # Its sums are chains that run beside each other; gathering their terms from all over
            # the weights takes longer (a tenth of the wheat network's time).
            code = compiled(module.text(), gather=False, wanted=wanted)
            file = self._straight_file(parts, sizes)
            if file is not None:
                _keep(file, code)
            return self._train(code)

    def straight_from_cache(self, parts: Mapping[str, Sequence[Row]], sizes: Sizes) -> Any | None:
        """Return what `straight` compiled before, in this process or another; None if nothing."""
        with _or_unavailable():
            code = _read(self._straight_file(parts, sizes))
            return None if code is None else self._train(code)

    def _straight_file(self, parts: Mapping[str, Sequence[Row]], sizes: Sizes) -> Path | None:
        folder, numbers = cache_folder(), [row[0] for rows in parts.values() for row in rows]
        if folder is None or any(BY_NUMBER[number].joined for number in numbers):
            return None
        # The numbers of operations are those of this process.
        named = {
            part: [(BY_NUMBER[number].name, operands) for number, *operands in rows]
            for part, rows in parts.items()
        }
        name = hashlib.sha256(repr((named, sizes)).encode()).hexdigest()[:16]
        return folder / f"straight-{name}-{self.real}-{_digest()}.o"

    def _train(self, code: bytes) -> Any:
        library, (address,) = self.load("straight", code, "train")
        function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(address)
        function.__dict__["library"] = library
        return function

    def _drive(self) -> str:
        module = Module(self.real)
        for part in ("head", "tail", "test"):
            module.runner(part)
        module.run()
        module.each()
        module.entry(drive.train)
        module.entry(drive.shuffle)
        return module.text()


CALL = ctypes.CFUNCTYPE(None, ctypes.c_int64)


_lock = RLock()
_loaded: dict[str, Loaded] = {}


def loaded(real: str) -> Loaded:
    """Return the machine code of a precision; there is one a process."""
    with _lock:
        if real not in _loaded:
            _loaded[real] = Loaded(real)
        return _loaded[real]


_MARK = b"nodeflow object\n"
_DAY = 86_400.0
_UNUSED = 30 * _DAY
"""Seconds after which code that nobody has read is deleted: mostly that of earlier kernels."""
_MOST_BYTES = 64_000_000
"""The most bytes in the cache: all operations are 2 MB, a graph's own code is 10 to 60 kB."""


def _read(file: Path | None) -> bytes | None:
    """Return the code in a cached file, None where there is none, or it is not whole."""
    if file is None:
        return None
    try:
        data = file.read_bytes()
    except OSError:
        return None
    with suppress(OSError):  # its time tells, to the day, when it was used last
        if time.time() - file.stat().st_mtime > _DAY:
            os.utime(file)
    head = len(_MARK) + 32
    code = data[head:]
    whole = data[:head] == _MARK + hashlib.sha256(code).digest()
    return code if whole else None


def _keep(file: Path | None, code: bytes) -> None:
    """Put code into the cache folder, all of it or nothing; where that fails, say so once."""
    if file is None:
        _say_not_kept("there is no home folder, so machine code is not kept")
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as temporary:
            try:
                temporary.write(_MARK + hashlib.sha256(code).digest() + code)
                temporary.close()
                Path(temporary.name).replace(file)
            except BaseException:
                Path(temporary.name).unlink(missing_ok=True)
                raise
        if file.parent not in _pruned:
            _pruned.add(file.parent)
            _prune(file.parent)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        _say_not_kept(f"machine code cannot be kept in {file.parent} ({reason})")


_pruned: set[Path] = set()
"""Folders that this process has looked through: it keeps little itself besides what lies there."""


def _prune(folder: Path) -> None:
    """Delete what nobody has used for long, and what was used least recently if it is too much.

    Other processes may do the same at the same time, or read what is deleted: they have it, or
    compile it again. What cannot be deleted stays.
    """
    found: list[tuple[float, int, str]] = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):  # it was deleted meanwhile
                about = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(about.st_mode):
                    found.append((about.st_mtime, about.st_size, entry.path))
    now, left = time.time(), sum(size for _, size, _ in found)
    for used, size, path in sorted(found):
        # What is being written has another name, for a moment; nobody will finish one of yesterday.
        unfinished = not path.endswith((".o", ".wasm"))
        too_much = left > _MOST_BYTES and not unfinished
        if too_much or now - used > (_DAY if unfinished else _UNUSED):
            with suppress(OSError):
                Path(path).unlink(missing_ok=True)
                left -= size


def _say_not_kept(what: str) -> None:
    say_once(
        "cache",
        f"{what}: every start takes longer, since it is compiled anew; "
        "NODEFLOW_CACHE names another folder",
    )
