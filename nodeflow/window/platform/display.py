"""Whether there is a display to open a window on.

Without one Dear PyGui does not raise, it aborts the process: so a process of its own tries.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from functools import lru_cache

_INSTEAD = (
    "`nodeflow train FILE` trains in the terminal and `nodeflow play FILE` shows each step there"
)
_SECONDS = 20
_PROBE = """
import dearpygui.dearpygui as dpg
dpg.create_context()
dpg.create_viewport(title="nodeflow", width=300, height=300, x_pos=-9999, decorated=False)
dpg.setup_dearpygui()
dpg.show_viewport(minimized=True)
dpg.render_dearpygui_frame()
print("drawn", flush=True)
"""


def reason() -> str | None:
    """Return why no window can be opened, with what to run instead; None if one can."""
    # The command line and the window both ask: one probe is enough for one display.
    why = _why(os.environ.get("DISPLAY", ""))
    return None if why is None else f"the editor needs a display, but {why}; {_INSTEAD}"


@lru_cache(maxsize=4)
def _why(display: str) -> str | None:
    if importlib.util.find_spec("dearpygui") is None:
        return "Dear PyGui is not installed (pip install dearpygui)"
    if sys.platform.startswith("linux") and not display:
        return "DISPLAY is not set"
    try:
        done = subprocess.run(  # noqa: S603 - the program is this very Python
            [sys.executable, "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the display does not answer within {_SECONDS} seconds"
    if "drawn" in done.stdout:  # what happens when the probe ends does not matter
        return None
    return _last_line(done.stderr)


def _last_line(errors: str) -> str:
    """Return in a few words what the probe died of."""
    display = os.environ.get("DISPLAY", "")
    if "ImportError" in errors:
        missing = next((line for line in errors.splitlines() if "ImportError" in line), "")
        return f"a library is missing ({missing.partition(': ')[2]})"
    if "GLX" in errors or "libGL" in errors or "OpenGL" in errors:
        return f"the display {display} has no OpenGL (install libgl1-mesa-dri)"
    return f"the display {display} cannot be reached" if display else "none can be reached"
