"""Which plugins there are: packages with the entry point group `nodeflow.nodes`, and own files.

Nothing of them is imported: where a module lies is asked of the import system, and what it has of
the manifest beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from nodeflow.errors import PluginError
from nodeflow.plugins.manifest import FILE, Manifest, read

GROUP = "nodeflow.nodes"


@dataclass(frozen=True)
class Plugin:
    """A plugin that is there; `fault` says what is wrong with its manifest."""

    name: str
    source: str
    """The package and its version, or the file."""
    module: str = ""
    file: Path | None = None
    manifest: Manifest = field(default_factory=Manifest)
    fault: str = ""


def user_folder() -> Path:
    """Return the folder of the user's own node types; it need not be there."""
    from nodeflow.homes import user_folder as folder_of

    return folder_of("data") / "nodes"


def plugins() -> dict[str, Plugin]:
    """Return all plugins by name; of two with one name the package's counts."""
    found: dict[str, Plugin] = {}
    for plugin in (*_packages(), *_files()):
        found.setdefault(plugin.name, plugin)
    return found


def _packages() -> Iterator[Plugin]:
    for point in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        source = "a package" if point.dist is None else f"{point.dist.name} {point.dist.version}"
        folder = _folder(point)
        if folder is None:
            yield Plugin(
                point.name, source, point.module, fault=f"there is no module {point.module}"
            )
            continue
        manifest, fault = _read(folder / FILE)
        yield Plugin(point.name, source, point.module, manifest=manifest, fault=fault)


def _folder(point: EntryPoint) -> Path | None:
    """Return the folder that a module lies in; a module in a package is not asked for itself."""
    first, *rest = point.module.split(".")
    try:
        spec = find_spec(first)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    # Only a namespace, a folder without an __init__.py, has no origin; it may be in many places.
    places = [str(Path(spec.origin).parent)] if spec.origin else spec.submodule_search_locations
    folders = [Path(place).joinpath(*rest[:-1]) for place in places or ()]
    folder = next((one for one in folders if one.is_dir()), None)
    if folder is None or (not rest and not spec.origin):
        return None
    if rest and (folder / rest[-1] / "__init__.py").is_file():
        folder /= rest[-1]
    return folder


def _files() -> Iterator[Plugin]:
    folder = user_folder()
    if not folder.is_dir():
        return
    for file in sorted(folder.glob("*.py")):
        beside = file.with_name(f"{file.stem}.{FILE}")
        manifest, fault = _read(beside) if beside.exists() else (Manifest(), "")
        yield Plugin(file.stem, str(file), file=file, manifest=manifest, fault=fault)


def _read(path: Path) -> tuple[Manifest, str]:
    try:
        return read(path), ""
    except PluginError as error:
        return Manifest(), str(error)
