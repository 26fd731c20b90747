"""What the benchmarks measure in processes: all children's time, and what outlives a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import builds as made
from benchmarks.builds import Build, Failed, builds, this_build

ROOT = Path(__file__).parent.parent
_BUSY = "import time; end = time.process_time() + {}\nwhile time.process_time() < end: pass"


@pytest.fixture
def build() -> Iterator[Build]:
    with this_build() as one:
        yield one


def test_the_time_of_children_counts_and_of_those_that_nobody_waited_for(build: Build) -> None:
    child = f"import subprocess, sys; p = [sys.executable, '-c', {_BUSY.format(0.3)!r}]; "
    waited = build.run("-c", child + "subprocess.run(p)")
    assert 0.3 < waited.processor < 1.5
    assert waited.outlived == ()
    if sys.platform == "linux":
        left = build.run("-c", child + "subprocess.Popen(p); import time; time.sleep(0.1)")
        assert len(left.outlived) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to a grandparent")
def test_what_outlives_a_command_is_seen_though_it_hides_in_a_session_of_its_own(
    build: Build,
) -> None:
    start = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', {!r}]{})"
    inner = start.format("import time; time.sleep(60)", ", start_new_session=True")
    measured = build.run("-c", start.format(inner + "; import time; time.sleep(0.3)", ""))
    assert measured.outlived
    assert measured.seconds < 30


def test_a_command_that_fails_is_told_with_its_last_line(build: Build) -> None:
    with pytest.raises(Failed, match="ended with 3: it is broken"):
        build.run("-c", "import sys; print('it is broken', file=sys.stderr); sys.exit(3)")


def test_an_empty_cache_is_empty_and_a_warm_one_stays(build: Build) -> None:
    script = (
        "import os, pathlib, json; p = pathlib.Path(os.environ['NODEFLOW_CACHE']); "
        "print(json.dumps(p.exists())); p.mkdir(exist_ok=True)"
    )
    cold = [build.run("-c", script, cold=True).said for _ in range(2)]
    warm = [build.run("-c", script).said for _ in range(2)]
    assert [json.loads(text) for text in (*cold, *warm)] == [False, False, False, True]


def test_without_the_commit_there_is_one_sentence_and_the_rest_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(made, "OLD", "0" * 40)
    notes: list[str] = []
    with builds(notes) as both:
        assert [one.name for one in both] == [made.NEW]
    assert len(notes) == 1
    assert "git" in notes[0] or "numba" in notes[0]


def test_the_build_before_is_checked_out_and_taken_away_again() -> None:
    notes: list[str] = []
    with builds(notes) as both:
        if notes:
            pytest.skip(notes[0])
        source = both[1].source
        assert (source / "nodeflow" / "engine" / "kernel.py").is_file()
        said = both[1].run("-c", "import nodeflow; print(nodeflow.__file__)").said
        assert os.path.realpath(said.strip()).startswith(os.path.realpath(source))
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "worktree", "list"], capture_output=True, text=True, check=True
    )
    assert str(source) not in listed.stdout
