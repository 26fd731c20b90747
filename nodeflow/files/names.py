"""What lies beside a graph file, and what it is called: no two graphs share a file."""

from __future__ import annotations

from pathlib import Path


def sidecar_of(path: Path) -> Path:
    """Return where the large arrays of a graph file lie: `net.npz` for `net.json`.

    A file of another ending keeps it (`net.nf.npz`), and `a.run.json` has `a.run.json.npz`, since
    `a.run.npz` is the run file of `a.json`.
    """
    if path.suffix == ".json" and not path.stem.endswith(".run"):
        return path.with_suffix(".npz")
    return path.with_name(f"{path.name}.npz")


def run_file_of(path: Path) -> Path:
    """Return where the trained weights of a graph file lie: `net.run.npz` for `net.json`.

    A file of another ending keeps it: `net.nf.run.npz`.
    """
    if path.suffix == ".json":
        return path.with_suffix(".run.npz")
    return path.with_name(f"{path.name}.run.npz")


def trained_by(run: Path) -> list[Path]:
    """Return the files beside a run file that would have their training in it: two at most."""
    if not run.name.endswith(".run.npz"):
        return []
    stem = run.name.removesuffix(".run.npz")
    candidates = [run.with_name(name) for name in (f"{stem}.json", stem) if name]
    return [one for one in candidates if run_file_of(one) == run and one.is_file()]


def others_of(sidecar: Path, path: Path) -> list[Path]:
    """Return graph files beside `path` whose arrays would lie in the same file."""
    candidates = [sidecar.with_suffix(".json"), sidecar.with_suffix("")]
    if sidecar.name.endswith(".run.npz"):  # or it is the run file of another graph
        stem = sidecar.name.removesuffix(".run.npz")
        candidates += [sidecar.with_name(f"{stem}.json"), sidecar.with_name(stem)]
    return [one for one in candidates if one != path and one.is_file()]
