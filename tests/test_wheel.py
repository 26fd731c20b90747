"""What is in the wheel, and that it works where it is installed: away from the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import nodeflow as nf

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "nodeflow"
OURS = {".py", ".pyi", ".typed", ".json", ".ttf", ".js", ".css", ".html", ".svg"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (found,) = folder.glob("*.whl")
    return found


def test_everything_of_the_package_is_in_the_wheel(wheel) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    files = {
        str(Path("nodeflow") / path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix in OURS
    }
    assert files <= names
    assert "nodeflow/py.typed" in names
    assert "nodeflow/engine/kernel/scalar.py" in names, "the kernel compiles its own source"


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Return the Python of an environment with the wheel, and with what it needs from ours."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=os.name != "nt", with_pip=False)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    own = site_packages(folder)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(own)
    # As lines of another folder's .pth files are not read, nodeflow itself is only the wheel's.
    others = f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n"
    own.joinpath("others.pth").write_text(others, encoding="utf-8")
    for path in sorted(own.joinpath("nodeflow").rglob("*"), reverse=True):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return python


def site_packages(folder: Path) -> Path:
    return Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))


EPOCHS = 5000  # more than Python would do before machine code is loaded
GRAPH = """
import nodeflow as nf
x, y = nf.dataset("xor", id="data")
a = nf.sigmoid(nf.weighted_sum(x, nf.parameter(shape=(3, 2), id="theta1"), id="sum1"), id="hidden")
a = nf.sigmoid(nf.weighted_sum(a, nf.parameter(shape=(1, 3), id="theta2"), id="sum2"), id="output")
cost = nf.cross_entropy(a, y, id="cost")
nf.save(nf.Graph.of(nf.gradient_descent(cost, rate=0.5, id="train")), "xor.json")
print(nf.__file__)
"""


@pytest.mark.parametrize("cache", ["empty", "cannot be made"])
def test_the_wheel_trains_where_only_the_graph_can_be_written(installed, tmp_path, cache) -> None:
    """A home lies below a file, so that nobody can make it, not even root."""
    (tmp_path / "file").write_text("")
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTHON", "NODEFLOW", "XDG", "COV"))
    }
    environment |= {
        "HOME": str(tmp_path / "file" / "home"),
        "NODEFLOW_CACHE": str(tmp_path / "cache" if cache == "empty" else tmp_path / "file"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def run(*arguments: str) -> str:
        found = subprocess.run(
            [installed, *arguments], cwd=tmp_path, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
        said.extend(found.stderr.splitlines())
        return found.stdout

    said: list[str] = []

    own = site_packages(installed.parent.parent)
    before = {path: path.stat().st_mtime_ns for path in own.rglob("*")}
    assert Path(run("-c", GRAPH).strip()) == own / "nodeflow" / "__init__.py"
    told = json.loads(run("-m", "nodeflow", "train", "xor.json", "--epochs", f"{EPOCHS}", "--json"))
    assert told["epochs"] == EPOCHS
    run_ = nf.Run(nf.load(tmp_path / "xor.json"))
    run_.train(epochs=EPOCHS)
    assert told["weights"] == {key: value.tolist() for key, value in run_.weights.items()}
    assert {path: path.stat().st_mtime_ns for path in own.rglob("*")} == before
    kept = list((tmp_path / "cache").rglob("*.o"))
    assert bool(kept) == (cache == "empty")
    assert len(said) == (cache == "cannot be made")  # once, and nothing else
    assert all("machine code cannot be kept" in line for line in said)
