#!/usr/bin/env bash
# ipywidgets 8.1.8, anywidget 0.11.0: `embed_minimal_html` leaves out what an anywidget consists of.
#
# Guess: it writes a page that shows any widget without a kernel.
#
# Seen: its default `drop_defaults=True` leaves out every trait that has its class's value. What an
# anywidget consists of has just that: `_esm`, `_view_name` and `_view_module` are missing from the
# page, and the html manager says "Class null not found in module @jupyter-widgets/base". With
# `drop_defaults=False` they are there. (A front end that saves its widgets keeps them.)
#
# Here: a page made so from `nf.Widget` is empty; docs/notebooks.md gives the option.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    anywidget==0.11.0 ipywidgets==8.1.8
cd "$folder"
venv/bin/python - <<'PYTHON'
from importlib.metadata import version

import anywidget
import traitlets
from ipywidgets.embed import embed_data


class Counter(anywidget.AnyWidget):
    _esm = "export default { render({ model, el }) { el.textContent = model.get('value'); } }"
    value = traitlets.Int(0).tag(sync=True)


widget = Counter(value=3)
needed = {"_esm", "_view_name", "_view_module"}
for drop in (True, False):
    told = embed_data(views=[widget], drop_defaults=drop)["manager_state"]["state"]
    state = told[widget.model_id]["state"]
    print(f"anywidget {version('anywidget')}, ipywidgets {version('ipywidgets')}, "
          f"drop_defaults={drop}: {sorted(state)}")
    assert ("value" in state) and (needed <= state.keys()) is not drop, "it has changed"
    assert not (drop and needed & state.keys()), "it has changed"
PYTHON
