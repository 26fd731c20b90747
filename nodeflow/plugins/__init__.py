"""Node types by others: found without importing, imported after the user switched them on.

A package offers the entry point group `nodeflow.nodes`; beside its module lies
`nodeflow-plugin.json`, which says what it has, so that a graph file with its types is drawn rightly
while it is off. A Python file in the user's folder `nodes/` is a plugin as well. Opening a graph
file never imports anything.
"""

from nodeflow.plugins.enabling import (
    FAULTS,
    ORIGINS,
    announced,
    disable,
    enable,
    enabled,
    load_enabled,
    plugin_of,
    reload,
)
from nodeflow.plugins.finding import Plugin, plugins, user_folder
from nodeflow.plugins.making import make
from nodeflow.plugins.manifest import described, manifest_of

__all__ = [
    "FAULTS",
    "ORIGINS",
    "Plugin",
    "announced",
    "described",
    "disable",
    "enable",
    "enabled",
    "load_enabled",
    "make",
    "manifest_of",
    "plugin_of",
    "plugins",
    "reload",
    "user_folder",
]
