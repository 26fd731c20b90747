"""The cache of machine code, and what happens where there can be no cache, or no machine code."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from helpers_kernel import MACHINE, PYTHON, STRAIGHT, Program, executed, executing
from networks import assert_same, net, walk

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.engine import executor
from nodeflow.engine.kernel import machine_code, notices, registry, rows, straight
from nodeflow.engine.kernel.machine_code import Loaded, Unavailable, digest_of, loaded
from nodeflow.engine.kernel.registry import BY_NUMBER, OPERATIONS, fused
from nodeflow.errors import Slower

ROOT = Path(nf.__file__).parent.parent
NUMBER = OPERATIONS["square"].number


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """Let this process have neither loaded nor said anything, and a cache of its own."""
    monkeypatch.setenv("NODEFLOW_CACHE", str(tmp_path))
    monkeypatch.setattr(machine_code, "_loaded", {})
    monkeypatch.setattr(notices, "_said", set())
    monkeypatch.setattr(executor._Choice, "unavailable", False)
    monkeypatch.setattr(executor._Choice, "spent", executor._PATIENCE + 1)
    return tmp_path / "kernel"


def squares(way: str = MACHINE) -> list[float]:
    row = [NUMBER, 1, 3, 0, 3, 1, 3, 3, 1]
    cells = np.array([0.0, 0.0, 0.0, 2.0, 3.0, 4.0] + [0.0] * 16)
    return executed(way, [row], cells).cells[:3].tolist()


def object_of(folder: Path) -> Path:
    (found,) = folder.glob("square-double-*.o")
    return found


# --- the cache -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:10],
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data + b"\0",
        lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
        lambda data: b"\0" * len(data),
        lambda data: b"another file",
    ],
)
def test_a_damaged_file_is_compiled_again(fresh, monkeypatch, damage):
    assert squares() == [4.0, 9.0, 16.0]
    file = object_of(fresh)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    monkeypatch.setattr(machine_code, "_loaded", {})
    assert squares() == [4.0, 9.0, 16.0]
    assert file.read_bytes() == whole


def test_what_is_whole_is_not_compiled_again(fresh, monkeypatch):
    squares()
    monkeypatch.setattr(machine_code, "_loaded", {})
    monkeypatch.setattr(machine_code, "compiled", None)
    assert squares() == [4.0, 9.0, 16.0]


@pytest.mark.parametrize("kind", ["a file", "no such device", "a folder in the file's place"])
def test_where_the_cache_cannot_be_kept_it_works_and_says_so_once(fresh, monkeypatch, kind):
    if kind == "a file":
        fresh.write_text("")
    elif kind == "no such device":
        monkeypatch.setenv("NODEFLOW_CACHE", "/dev/null/there")
    else:
        monkeypatch.setattr(
            machine_code.Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space"))
        )
    with pytest.warns(Slower) as caught:
        assert squares() == [4.0, 9.0, 16.0]
    (warning,) = caught
    assert "machine code cannot be kept in " in str(warning.message)
    assert "NODEFLOW_CACHE names another folder" in str(warning.message)
    loaded("double").addresses([OPERATIONS["exp"].number])  # no second warning: it would raise
    assert not fresh.is_dir() or not list(fresh.iterdir())


def test_without_a_home_nothing_is_kept(fresh, monkeypatch, tmp_path):
    monkeypatch.delenv("NODEFLOW_CACHE")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _: Path("~/.cache/nodeflow"))
    with pytest.warns(Slower, match="there is no home folder"):
        assert squares() == [4.0, 9.0, 16.0]
    assert not list(tmp_path.iterdir())


def test_an_edited_file_of_the_kernel_has_another_digest(tmp_path):
    folder = Path(machine_code.__file__).parent
    copy = tmp_path / "kernel"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
    digests = {digest_of(folder)}
    assert digest_of(copy) in digests
    for file in sorted(copy.glob("*.py")):
        file.write_text(file.read_text() + "# edited\n")
        digests.add(digest_of(copy))
    assert len(digests) == len(list(copy.glob("*.py"))) + 1


STEEPER = """
import numpy as np
from nodeflow.engine.kernel.machine_code import loaded
from nodeflow.engine.executor import Executor, executed_by
from nodeflow.engine.cells import table
from nodeflow.engine.kernel.registry import OPERATIONS
cells = np.array([0.0, -1.0] + [0.0] * 16)
executor = Executor(cells, np.zeros(1), np.zeros(1, np.int64), np.zeros(8), print)
row = [OPERATIONS["leaky_relu"].number, 1, 1, 0, 1, 1, 1, 1, 1]
with executed_by("machine code"):
    executor.run(table([row]), 0, 1, first=0, samples=1, number=0, count=1)
print(cells[0])
"""


def process(*words: str, cache: Path, path: Path = ROOT, **more) -> subprocess.Popen[str]:
    environment = {
        **os.environ, "NODEFLOW_CACHE": str(cache), "PYTHONPATH": str(path),
        "PYTHONDONTWRITEBYTECODE": "1", **more,
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, *words],
        env=environment,
        cwd=path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_an_edited_helper_is_compiled_anew(tmp_path):
    """The row's own function, and the file that it stands in, stay as they are."""
    shutil.copytree(
        ROOT / "nodeflow", tmp_path / "nodeflow", ignore=shutil.ignore_patterns("__pycache__")
    )
    found = []
    for leak in ("0.01", "0.25"):
        file = tmp_path / "nodeflow" / "engine" / "kernel" / "scalar.py"
        text = file.read_text()
        assert "_LEAK = 0.01" in text
        file.write_text(text.replace("_LEAK = 0.01", f"_LEAK = {leak}"))
        run = process("-c", STEEPER, cache=tmp_path / "cache", path=tmp_path)
        found.append(run.communicate()[0].strip())
    assert found == ["-0.01", "-0.25"]


def test_two_processes_at_once_share_an_empty_cache(tmp_path):
    words = "-m", "nodeflow", "train", str(ROOT / "graphs" / "xor.json"), "--json"
    both = [process(*words, "--float32", cache=tmp_path) for _ in range(2)]
    told = [one.communicate() for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert not any("machine code" in err or "Traceback" in err for _, err in told)
    costs = [out.partition('"seconds"')[0] for out, _ in told]
    assert costs[0] == costs[1]
    files = list((tmp_path / "kernel").iterdir())
    assert files
    assert all(file.suffix == ".o" and machine_code._read(file) for file in files)


def aged(file: Path, days: float, size: int = 1) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(bytes(size))
    then = time.time() - days * 86_400
    os.utime(file, (then, then))
    return file


def test_what_nobody_has_used_for_a_month_is_deleted_when_something_is_kept(fresh):
    stale = [aged(fresh / "square-double-0.o", 31), aged(fresh / "page-0.wasm", 40)]
    stale.append(aged(fresh / "tmp1", 2))  # of a process that was killed while it wrote
    kept = [aged(fresh / "exp-double-0.o", 29), aged(fresh / "tmp2", 0.1)]
    (fresh / "a folder.o").mkdir()
    squares()
    assert [file.name for file in stale if file.exists()] == []
    assert all(file.exists() for file in kept)
    assert object_of(fresh)


def test_what_was_used_least_recently_goes_beyond_a_size(fresh, monkeypatch):
    old = [aged(fresh / f"straight-{days}.o", days, 60_000) for days in (9, 8, 3, 2)]
    monkeypatch.setattr(machine_code, "_MOST_BYTES", 150_000)
    squares()
    assert [file.exists() for file in old] == [False, False, True, True]


def test_what_is_read_counts_as_used(fresh, monkeypatch):
    squares()
    file = object_of(fresh)
    then = time.time() - 29 * 86_400
    os.utime(file, (then, then))
    monkeypatch.setattr(machine_code, "_loaded", {})
    squares()
    assert time.time() - file.stat().st_mtime < 60


def test_what_cannot_be_deleted_stays_and_nothing_is_said(fresh, monkeypatch):
    stale = aged(fresh / "square-double-0.o", 31)
    monkeypatch.setattr(machine_code.Path, "unlink", raising(PermissionError("in use")))
    assert squares() == [4.0, 9.0, 16.0]
    assert stale.exists()


def test_a_worker_says_it_in_a_sentence():
    code = (
        "from nodeflow.engine.kernel import notices\n"
        "notices.say_in_sentences()\nnotices.say_in_sentences()\n"
        "for _ in range(2): notices.say_once('cache', 'it is\\nslow')\n"
        "import warnings\nwarnings.warn('for developers')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    said, *rest = run.stderr.splitlines()
    assert said == "nodeflow: it is slow"
    assert "UserWarning: for developers" in rest[0]


def test_a_command_says_it_on_standard_error(fresh, monkeypatch, capsys):
    monkeypatch.setenv("NODEFLOW_CACHE", "/dev/null/there")
    words = ["train", str(ROOT / "graphs" / "xor.json"), "--epochs", "9", "--float32", "--json"]
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert out.startswith('{"epochs": 9')
    assert [line for line in err.splitlines() if "machine code" in line] == [
        "nodeflow: machine code cannot be kept in /dev/null/there/kernel (not a directory): every "
        "start takes longer, since it is compiled anew; NODEFLOW_CACHE names another folder"
    ]


# --- no machine code -----------------------------------------------------------------------------

CAUSES = {
    "missing": (ImportError("No module named 'llvmlite'"), "`pip install llvmlite` mends it"),
    "no library": (OSError("libllvmlite.so: cannot open"), "LLVM cannot compile here"),
    "no target": (RuntimeError("no target\nmore"), "LLVM cannot compile here (no target)"),
    "no memory": (MemoryError(), "closing other programs mends it"),
}


def raising(error):
    def function(*_, **__):
        raise error

    return function


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("cause", CAUSES)
def test_without_llvm_everything_works_by_python(fresh, monkeypatch, cause, dtype):
    error, sentence = CAUSES[cause]
    graph = net("xor", (2, 3, 1), rate=0.5)
    with executing(MACHINE):
        wanted = nf.Run(graph, batch=3, dtype=dtype)
        wanted.train(3)
    monkeypatch.setattr(machine_code, "_loaded", {})
    monkeypatch.setattr(machine_code, "_llvm", raising(error))
    run = nf.Run(graph, batch=3, dtype=dtype)
    with pytest.warns(Slower) as caught:  # noqa: PT031 (said once, by the first of the two)
        run.train(2)
        walk(run, 3 * run.machine.per_epoch)
    (warning,) = caught
    assert str(warning.message).startswith("everything works, but much more slowly: ")
    assert sentence in str(warning.message)
    assert_same(run.weights, wanted.weights)
    assert run.history == wanted.history


def test_where_one_operation_cannot_be_compiled_the_bits_stay(fresh, monkeypatch):
    """Half of the rows are loaded when it happens; none was executed yet."""
    graph = net("xor", (2, 3, 1), rate=0.5)
    compiled, made = machine_code.compiled, []

    def fails_later(text, **more):
        made.append(text)
        if len(made) > 3:
            raise MemoryError
        return compiled(text, **more)

    monkeypatch.setattr(machine_code, "compiled", fails_later)
    run = nf.Run(graph)
    with pytest.warns(Slower, match="not enough memory"):
        run.train(3)
    with executing(PYTHON):
        other = nf.Run(graph)
        other.train(3)
    assert_same(run.weights, other.weights)


def test_without_straight_line_code_rows_go_on(fresh, monkeypatch):
    monkeypatch.setattr(straight, "_PAYS_AFTER", 0.0)
    monkeypatch.setattr(Loaded, "straight", raising(Unavailable("no memory")))
    straight._line.cache_clear()
    run = nf.Run(net("xor", (2, 3, 1), rate=0.5))
    with pytest.warns(Slower, match="training goes on more slowly than it could: no memory"):
        run.train(2000)
    assert run.history[-1]["epoch"] == 2000
    straight._line.cache_clear()


def test_a_fault_of_our_own_is_not_hidden(fresh, monkeypatch):
    monkeypatch.setattr(machine_code, "compiled", raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        squares()


# --- processes that end ---------------------------------------------------------------------------

INTERRUPTED = """
import os, signal, sys, threading, time
import numpy as np
from nodeflow.engine.cells import END_ROW, table
from nodeflow.engine.kernel.registry import OPERATIONS
from nodeflow.engine.kernel.straight import straight_line

def program(width):
    one = [OPERATIONS["cross_entropy_logits"].number, 1, 0, 1, width, 1, 0, 1, 0, 1, 0]
    return table([one, one, one, END_ROW, END_ROW])

for width in range(17, 60):  # more than there is time for
    straight_line(True, (1, 1), (4, 5), program(width).tobytes())._begun()
time.sleep(float(sys.argv[1]))
timer = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT))
timer.daemon = True  # the process does not wait for it
timer.start()
code = 0
try:
    if sys.argv[2] == "interrupted":
        time.sleep(5)
except KeyboardInterrupt:
    code = 130
print("end", flush=True)
sys.exit(code)
"""


@pytest.mark.parametrize("ending", ["interrupted", "over"])
@pytest.mark.parametrize("delay", ["0.0", "0.3"])
def test_a_command_ends_while_code_is_compiled(tmp_path, ending, delay):
    """Ctrl-C, also one that comes while the process ends: no traceback, and no long wait."""
    run = process("-c", INTERRUPTED, delay, ending, cache=tmp_path)
    assert run.stdout.readline() == "end\n"
    started = time.perf_counter()
    _, err = run.communicate()
    assert time.perf_counter() - started < 20  # one program at most, out of more than forty
    assert err == ""
    assert run.returncode == (130 if ending == "interrupted" else 0)


def test_ctrl_c_while_training_leaves_no_traceback(tmp_path):
    words = "-m", "nodeflow", "train", str(ROOT / "graphs" / "xor.json"), "--epochs", "900000000"
    run = process(*words, cache=tmp_path)
    time.sleep(3)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "Traceback" not in out + err
    assert "Exception" not in out + err
    assert "interrupted" in err


# --- threads --------------------------------------------------------------------------------------


def test_threads_give_the_bits_of_doing_it_alone(fresh):
    """Two train, one steps; all of them compile and load what they need at once."""
    graphs = [
        net("iris", (4, 3, 3), rate=0.3),
        net("iris", (4, 17, 3), act="tanh", last="softmax", cost="categorical_cross_entropy",
            trainer="adam", rate=0.01),
        net("xor", (2, 5, 1), rate=0.5),
    ]  # fmt: skip
    work = [lambda run: run.train(60), lambda run: run.train(20), lambda run: walk(run, 30)]

    def done(number: int):
        run = nf.Run(graphs[number], batch=(1, 4, 2)[number])
        work[number](run)
        return run.weights

    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(done, range(3)))
    for number, found in enumerate(together):
        assert_same(found, done(number))


def test_operations_that_join_at_once_have_different_numbers():
    names = [f"layer.{name}" for name in ("exp", "expm1", "log", "log1p", "sqrt", "square", "erf")]
    ready = threading.Barrier(8)

    def join(_: int) -> list[int]:
        ready.wait()
        return [fused("layer", name.partition(".")[2]).number for name in names]

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(join, range(8)))
    finally:
        sys.setswitchinterval(before)
    assert len({tuple(numbers) for numbers in found}) == 1
    assert len(set(found[0])) == len(names)
    assert [operation.number for operation in BY_NUMBER] == list(range(len(BY_NUMBER)))


def test_there_is_one_set_of_machine_code(fresh):
    ready = threading.Barrier(8)

    def ask(_: int) -> int:
        ready.wait()
        return id(loaded("double"))

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(ask, range(8)))) == 1


def test_straight_line_code_that_nobody_needs_is_freed():
    straight._line.cache_clear()
    program = Program(5)
    program.add("tanh")
    libraries = []
    load = Loaded.load

    def watched(self, *given):
        library, found = load(self, *given)
        libraries.append(weakref.ref(library))
        return library, found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loaded, "load", watched)
        executed(STRAIGHT, program.rows, program.cells("float64"), samples=3)
    (library,) = [one for one in libraries if one() is not None][-1:]
    straight._line.cache_clear()
    gc.collect()
    assert library() is None


def test_another_thread_may_choose_who_executes():
    with executing(PYTHON), ThreadPoolExecutor(1) as threads:
        assert threads.submit(executor._forced.get).result() is None
        assert executor._forced.get() == PYTHON


def test_the_names_of_rows_are_names_of_files():
    assert all(
        set(operation.name) <= set("abcdefghijklmnopqrstuvwxyz_1.")
        for operation in registry.BY_NUMBER
        if not operation.joined
    )


def test_straight_line_code_is_kept_for_the_next_process(tmp_path):
    """A process that trains a graph again begins with what an earlier one compiled."""
    code = """
import nodeflow as nf
from nodeflow.engine.executor import executed_by
from nodeflow.engine.kernel import straight
run = nf.Run(nf.load("graphs/xor.json"))
with executed_by("machine code"):
    if {compiles}:
        straight._PAYS_AFTER = 0
        run.train(epochs=1000)
        straight.wait()
    run.train(epochs=1000)
used = [line for line in lines if line.train is not None]
print(len(used), run.weights["theta1.value"].sum().hex())
"""
    head = """
from nodeflow.engine.kernel import straight
lines, made = [], straight.StraightLine.__init__
def noted(line, *given):
    made(line, *given)
    lines.append(line)
straight.StraightLine.__init__ = noted
"""
    environment = {**os.environ, "NODEFLOW_CACHE": str(tmp_path)}
    found = []
    for compiles in (False, True, False):
        text = head + code.replace("{compiles}", str(compiles))
        done = subprocess.run(
            [sys.executable, "-c", text],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        found.append(done.stdout.split())
    assert [used for used, _ in found] == ["0", "1", "1"]
    assert found[0][1] == found[2][1]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rows_that_are_brought_near_before_they_are_read_stay_in_order(fresh, tmp_path, dtype):
    random = np.random.default_rng(0)
    wide = rows.LONG + 3
    np.savez(tmp_path / "wide.npz", x=random.random((11, wide)), y=np.arange(11) % 3)
    x, y = nf.dataset(source=str(tmp_path / "wide.npz"))
    a = nf.sigmoid(nf.weighted_sum(x, nf.parameter(shape=(3, wide), init="uniform", id="w")))
    graph = nf.Graph.of(nf.gradient_descent(nf.squared_error(a, y), rate=0.1), batch=4)
    found = []
    for who in (MACHINE, PYTHON):
        with executing(who):
            run = nf.Run(graph, dtype=dtype)
            run.train(updates=9)
            found.append(run.weights["w.value"])
    assert np.array_equal(*found)
