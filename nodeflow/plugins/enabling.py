"""Which plugins are on, and what they bring into the library."""

from __future__ import annotations

import json
import sys
from functools import cache
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from nodeflow import disk
from nodeflow.declare import CATALOG
from nodeflow.errors import NodeflowError, PluginError, nearest
from nodeflow.jsontext import json_of
from nodeflow.plugins.finding import Plugin, plugins
from nodeflow.plugins.manifest import Announced

_FILE = "plugins.json"
ORIGINS: dict[str, str] = {}
"""The plugin that a type came from, by the type's name."""
FAULTS: dict[str, str] = {}
"""Why a plugin that is on could not be imported, by its name."""
_imported: set[str] = set()


def config_file() -> Path:
    """Return where the names of enabled plugins are kept; it need not be there."""
    from nodeflow.homes import user_folder

    return user_folder("config") / _FILE


def enabled() -> list[str]:
    """Return the names of enabled plugins; a damaged file counts as none."""
    try:
        found = json_of(config_file().read_text("utf-8"))
    except (OSError, ValueError):
        return []
    names = found.get("enabled") if isinstance(found, dict) else None
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def enable(name: str) -> list[str]:
    """Switch a plugin on, and return the names of its types; raises `PluginError`.

    It is imported at once, after those that are on: one that cannot be is not switched on.
    """
    plugin = _known(name)
    load_enabled()
    types = _import(plugin)
    if name not in enabled():
        _keep([*enabled(), name])
    return types


def disable(name: str) -> None:
    """Switch a plugin off; raises `PluginError` if it is neither there nor on."""
    names = enabled()
    if name not in names:
        _known(name)
    for type_ in [key for key, origin in ORIGINS.items() if origin == name]:
        CATALOG.remove(type_)
        del ORIGINS[type_]
    if name in _imported and (plugin := plugins().get(name)) is not None:
        _forget(plugin)
    _imported.discard(name)
    _keep([one for one in names if one != name])


def reload(name: str) -> list[str]:
    """Import a plugin that is on again, and return its types; raises `PluginError`.

    Where that fails, the types stay as they were.
    """
    plugin = _known(name)
    old = {key: CATALOG[key] for key, origin in ORIGINS.items() if origin == name}
    for key in old:
        CATALOG.remove(key)
        del ORIGINS[key]
    _forget(plugin)
    _imported.discard(name)
    announced_types.cache_clear()
    try:
        return _import(plugin)
    except PluginError:
        for key, type_ in old.items():
            CATALOG.add(type_)
            ORIGINS[key] = name
        _imported.add(name)
        raise


def plugin_of(type_: str) -> str:
    """Return the plugin that a type is of, or would be of if it were on; "" for none."""
    announced_by = announced_types().get(type_)
    return ORIGINS.get(type_) or ("" if announced_by is None else announced_by[0])


def load_enabled() -> None:
    """Import what is on, once in a process; what fails is left out, and `FAULTS` says why."""
    names = [name for name in enabled() if name not in _imported and name not in FAULTS]
    if not names:
        return
    there = plugins()
    for name in names:
        if name not in there:
            FAULTS[name] = f"the plugin '{name}' is on, and is not installed any more"
            continue
        try:
            _import(there[name])
        except PluginError as error:
            FAULTS[name] = str(error)


def _known(name: str) -> Plugin:
    there = plugins()
    if name not in there:
        raise PluginError(f"there is no plugin '{name}'{nearest(name, there)}")
    return there[name]


def _keep(names: list[str]) -> None:
    from nodeflow.errors import FileError

    path = config_file()
    try:
        json.loads(path.read_text("utf-8"))
    except OSError:
        pass  # it is not there yet; whatever else is wrong is told when it is written
    except ValueError:
        why = "is damaged, and holds which plugins are on; mend it, or move it away"
        raise FileError(why, file=str(path)) from None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        disk.write(path, (json.dumps({"enabled": names}, indent=2) + "\n").encode())
    except OSError as error:
        why = (error.strerror or "the system refused").lower()
        raise FileError(f"cannot be written ({why})", file=str(path)) from None
    announced_types.cache_clear()


def _import(plugin: Plugin) -> list[str]:
    """Import a plugin, and return its types; what it declared is taken back if it fails."""
    if plugin.name in _imported:
        return [key for key, origin in ORIGINS.items() if origin == plugin.name]
    import_module("nodeflow.nodes")  # whose names are taken; by its text, since it lies above
    before = set(CATALOG)
    try:
        if plugin.file is None:
            import_module(plugin.module)
        else:
            _import_file(plugin.file)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        for name in set(CATALOG) - before:
            CATALOG.remove(name)
        _forget(plugin)
        about = " ".join(str(error).split()) or "it says nothing"
        kind = "" if isinstance(error, NodeflowError) else f"{type(error).__name__}: "
        raise PluginError(
            f"the plugin '{plugin.name}' ({plugin.source}) cannot be imported: {kind}{about}"
        ) from error
    _imported.add(plugin.name)
    FAULTS.pop(plugin.name, None)
    made = [name for name in CATALOG if name not in before]
    ORIGINS.update(dict.fromkeys(made, plugin.name))
    return made


def _forget(plugin: Plugin) -> None:
    """Let the next import run the plugin again: a module kept by Python declares nothing."""
    module = plugin.module or _module_name(plugin.file)
    for name in [one for one in sys.modules if one == module or one.startswith(f"{module}.")]:
        del sys.modules[name]


def _module_name(file: Path | None) -> str:
    return f"nodeflow_nodes_of_the_user.{file.stem if file else ''}"


class _Source(SourceFileLoader):
    """Reads a file's source each time: bytecode of a second ago would stand for an edited file."""

    def get_code(self, fullname: str) -> Any:
        """Return the code of the file as it is now."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _import_file(file: Path) -> None:
    name = _module_name(file)
    spec = spec_from_file_location(name, file, loader=_Source(name, str(file)))
    if spec is None or spec.loader is None:
        raise PluginError(f"{file} is no Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


# --- while they are off ---------------------------------------------------------------------------


@cache
def announced_types() -> dict[str, tuple[str, Announced]]:
    """Return what plugins say of their types: the plugin's name and the type, by its name."""
    found: dict[str, tuple[str, Announced]] = {}
    for plugin in plugins().values():
        for name, type_ in plugin.manifest.types.items():
            found.setdefault(name, (plugin.name, type_))
    return found


def announced(name: str) -> Announced | None:
    """Return what a plugin says of a type that nobody has declared; None if none does."""
    found = announced_types().get(name)
    return None if found is None else found[1]


def why_unknown(name: str) -> str:
    """Return what would make a type known, as the end of a sentence; "" if nothing is known."""
    found = announced_types().get(name)
    if found is None:
        return ""
    plugin = found[0]
    if plugin in FAULTS:
        return f": {FAULTS[plugin]}"
    return f": it is of the plugin '{plugin}', which is off; `nodeflow plugins enable {plugin}`"


CATALOG.why_unknown = why_unknown
CATALOG.plugin_of = lambda name: ORIGINS.get(name, "")
