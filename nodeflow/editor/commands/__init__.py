"""All commands: one module per menu. Play is in `playing/controls.py`, Lesson in `teaching.py`.

They are registered in the order in which menus and palette list them.
"""

from nodeflow.editor.commands import (  # isort: skip
    file as file,
    edit as edit,
    arrange as arrange,
    network as network,
    view as view,
    help as help,  # noqa: A004  the name of its menu
)
