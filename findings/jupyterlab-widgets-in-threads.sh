#!/usr/bin/env bash
# JupyterLab 4.6.6 with ipykernel 7.4.0: a widget changes while a cell is running, in another thread.
#
# Guess: a kernel does one thing after the other, so what a widget's view says waits until the cell
# that runs has ended, and a value read twice in a cell is the same twice.
#
# Seen: JupyterLab sends the messages of widgets to a subshell of the kernel, by a setting that is on
# ("commsOverSubshells": "perCommTarget"), and a subshell is a thread of its own. The first message
# of a widget still waits for the main thread. Once the kernel has answered it, all that follow are
# taken beside the cell: a slider that is moved meanwhile has another value in the next line, and its
# observers run in that thread.
#
# Here: what is assigned to a widget and what its page says wait for each other.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    jupyterlab==4.6.6 ipykernel==7.4.0 ipywidgets==8.1.9
cd "$folder"
export JUPYTER_DATA_DIR="$folder/data" JUPYTER_CONFIG_DIR="$folder/config" IPYTHONDIR="$folder/ipython"
venv/bin/python - <<'PYTHON'
import json
import sys
import time
from pathlib import Path

from jupyter_client.manager import start_new_kernel

(schema,) = Path(sys.prefix).glob(
    "share/jupyter/lab/schemas/@jupyterlab/apputils-extension/kernels-settings.json")
preset = json.loads(schema.read_text())["properties"]["commsOverSubshells"]["default"]

MAKE = """
import threading, time
from ipywidgets import IntSlider
slider, seen = IntSlider(), []
slider.observe(
    lambda change: seen.append(threading.current_thread() is threading.main_thread()), "value")
print(slider.comm.comm_id)
"""
LOOK = """
before = slider.value
print("looked")
for _ in range(100):
    time.sleep(0.05)
    if slider.value != before:
        break
print(before, slider.value, seen)
"""
manager, client = start_new_kernel(kernel_name="python3")


def written(sent, until="idle"):
    """Return what a cell or a message wrote, up to its end or to a line."""
    text = ""
    while until not in text:
        message = client.get_iopub_msg(timeout=120)
        if message["parent_header"].get("msg_id") != sent:
            continue
        if message["msg_type"] == "stream":
            text += message["content"]["text"]
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            break
    return text.strip()


def looked_at(subshell):
    """Move a slider, and once more while a cell is running; return what the cell saw."""
    comm = written(client.execute(MAKE))

    def move(value):
        data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
        moved = client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        if subshell:
            moved["header"]["subshell_id"] = subshell
        client.shell_channel.send(moved)
        return moved["header"]["msg_id"]

    written(move(3))
    sent = client.execute(LOOK)
    written(sent, until="looked")
    move(7)
    return written(sent)


asked = client.session.msg("create_subshell_request", {})
client.control_channel.send(asked)
subshell = client.get_control_msg(timeout=120)["content"]["subshell_id"]
without, within = looked_at(None), looked_at(subshell)
print(f"preset: {preset}\nthrough the shell: {without}\nthrough a subshell: {within}")
client.stop_channels()
manager.shutdown_kernel(now=True)
sys.exit(not (preset == "perCommTarget" and without == "3 3 [True]"
              and within == "3 7 [True, False]"))
PYTHON
