"""`nodeflow plugins`: node types by others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nodeflow.commands.groups import Group
from nodeflow.commands.options import json_option
from nodeflow.commands.output import bold, count, echo, print_json

if TYPE_CHECKING:
    from nodeflow.plugins import Plugin


@click.group(cls=Group, invoke_without_command=True)
@json_option
@click.pass_context
def plugins(context: click.Context, *, as_json: bool) -> None:
    """List the plugins that are there; switch them on and off, or make a new one.

    A plugin is imported only while it is on.
    """
    if context.invoked_subcommand is not None:
        return
    import nodeflow.nodes  # noqa: F401  (plugins add to the library)
    from nodeflow import plugins as all_plugins

    all_plugins.load_enabled()
    on, there = all_plugins.enabled(), all_plugins.plugins()
    if as_json:
        print_json([_row(name, plugin, on) for name, plugin in there.items()])
        return
    gone = [name for name in on if name not in there]
    if not there and not gone:
        folder = all_plugins.user_folder()
        echo("no plugins: a package with the entry point group nodeflow.nodes is one, and "
                   f"so is a Python file in {folder}")  # fmt: skip
    for name, plugin in there.items():
        types = ", ".join(_types(name, plugin)) or "its types are not told"
        state = "on " if name in on else "off"
        echo(f"{state}  {bold(name)}  {plugin.source}: {types}")
        if fault := _row(name, plugin, on)["fault"]:
            echo(f"     ! {fault}")
    for name in gone:
        echo(f"on   {bold(name)}  ! it is not installed any more")


def _row(name: str, plugin: Plugin, on: list[str]) -> dict[str, Any]:
    from nodeflow.plugins import FAULTS

    return {
        "name": name,
        "enabled": name in on,
        "source": plugin.source,
        "types": _types(name, plugin),
        "fault": FAULTS.get(name) or plugin.fault or None,
    }


def _types(name: str, plugin: Plugin) -> list[str]:
    """Return the types that a plugin has brought; of one that is off, those that it announces."""
    from nodeflow.plugins import ORIGINS

    return sorted(key for key, origin in ORIGINS.items() if origin == name) or sorted(
        plugin.manifest.types
    )


@plugins.command()
@click.argument("name", metavar="NAME")
@json_option
def enable(name: str, *, as_json: bool) -> None:
    """Switch the plugin NAME on: it is imported from now on."""
    import nodeflow.nodes  # noqa: F401  (plugins add to the library)
    from nodeflow import plugins as all_plugins

    types = all_plugins.enable(name)
    if as_json:
        print_json({"name": name, "enabled": True, "types": types})
    else:
        echo(f"{name} is on: {count(len(types), 'type')}, {', '.join(types)}")


@plugins.command()
@click.argument("name", metavar="NAME")
@json_option
def disable(name: str, *, as_json: bool) -> None:
    """Switch the plugin NAME off: nothing of it is imported any more."""
    from nodeflow import plugins as all_plugins

    all_plugins.disable(name)
    if as_json:
        print_json({"name": name, "enabled": False})
    else:
        echo(f"{name} is off")


@plugins.command()
@click.argument("name", metavar="NAME")
@json_option
def new(name: str, *, as_json: bool) -> None:
    """Write a package NAME with one node type, its manifest and a test into this folder."""
    from nodeflow import plugins as all_plugins

    files = all_plugins.make(name, Path())
    if as_json:
        print_json({"name": name, "files": [str(file) for file in files]})
        return
    for file in files:
        echo(str(file))
    echo(f"next: pip install -e {name} && nodeflow plugins enable {name}")
