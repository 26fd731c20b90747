"""The slow-motion panel: the question, the steps, watched ports, stops and futures."""

from __future__ import annotations

from collections.abc import Callable

from nodeflow.editor.playing.slowmotion import future_rows, log_rows, stop_rows, watch_rows
from nodeflow.editor.state.messages import Do, Message
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.requests import ControlRun
from nodeflow.editor.state.runcommands import Go
from nodeflow.window.panels.asking import Asking
from nodeflow.window.panels.futures import Futures
from nodeflow.window.panels.sections import PanelStyle
from nodeflow.window.panels.steplog import StepLog
from nodeflow.window.panels.stops import StopList
from nodeflow.window.panels.watches import WatchList
from nodeflow.window.platform.fonts import Fonts
from nodeflow.window.platform.toolkit import Item, dpg


class PlayPanel:
    """Shows where slow motion stands, and what led there."""

    def __init__(self, parent: Item, send: Callable[[Message], None], fonts: Fonts) -> None:
        self._style = PanelStyle()
        self._shown: tuple[object, ...] = ()
        self.predict = dpg.add_checkbox(
            label="predict: it asks before each node", parent=parent,
            callback=lambda: send(Do("predict")),
        )  # fmt: skip
        self.asking = Asking(parent, self._style, send, fonts)
        self.log = StepLog(parent, self._style, lambda number: send(ControlRun(Go(number))), fonts)
        self.watches = WatchList(parent, self._style, send, fonts)
        self.stops = StopList(parent, self._style, send, fonts)
        self.futures = Futures(parent, self._style, send, fonts)

    def typing(self) -> bool:
        """Return whether a field takes keys."""
        return self.asking.typing() or self.watches.typing() or self.stops.typing()

    def draw(self, editor: Editor) -> None:
        """Show how the run of an editor stands."""
        playback = editor.live.playback
        shown = (
            playback, editor.preferences.theme, editor.preferences.scale, bool(editor.selection),
        )  # fmt: skip
        if self._shown and self._shown[0] is playback and shown[1:] == self._shown[1:]:
            return
        self._shown = shown
        restyled = self._style.apply_style(editor)
        dpg.set_value(self.predict, playback.predicting)
        self.asking.draw(playback, restyled=restyled)
        self.log.draw(log_rows(playback), playback, restyled=restyled)
        self.watches.draw(
            watch_rows(editor.live), playback.watch_fault, restyled=restyled,
            chosen=bool(editor.selection),
        )  # fmt: skip
        self.stops.draw(stop_rows(playback), playback.condition_fault, restyled=restyled)
        self.futures.draw(future_rows(playback), playback, restyled=restyled)
