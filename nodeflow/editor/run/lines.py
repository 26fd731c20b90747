"""The lines of a document's training: the futures of its run, and what was trained before."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakSet

from nodeflow.editor.run.edits import computes_alike
from nodeflow.graph import Graph
from nodeflow.playback.state import Future

if TYPE_CHECKING:
    from nodeflow.playback.player import Line, Player

_PAST = 6
"""The most runs that were ended and are kept."""


class Lines:
    """Which graph each line of a player had, and the players that were put aside."""

    def __init__(self) -> None:
        self.past: list[Player] = []
        """What was trained with other graphs of this document, or before somebody began anew.

        The newest comes first.
        """
        self._graphs: WeakKeyDictionary[Line, Graph] = WeakKeyDictionary()
        """The graph of each future, as it was given."""
        self._whys: WeakKeyDictionary[Player, str] = WeakKeyDictionary()
        """What ended each of those that were put aside."""
        self._left: WeakSet[Player] = WeakSet()
        """Those that somebody left to start anew: undoing an edit does not lead back to them."""

    def graph_of(self, line: Line) -> Graph:
        """Return the graph of a line: as it was given, or that of its run."""
        return self._graphs.get(line, line.run.graph)

    def given(self, line: Line) -> Graph | None:
        """Return the graph that was noted of a line, if one was."""
        return self._graphs.get(line)

    def note(self, line: Line, graph: Graph) -> None:
        """Note which graph a line has."""
        self._graphs[line] = graph

    def keep(self, player: Player, graph: Graph) -> None:
        """Note that a player's line has a graph: all have what was added without training anew."""
        self._graphs[player.line] = graph
        for line in player.lines:
            if self.graph_of(line).nodes.keys() != graph.nodes.keys():
                self._graphs[line] = line.run.graph

    def other_of(self, player: Player, graph: Graph) -> int | None:
        """Return which other line of a player was given this very graph, if its own was not.

        The weights are set by hand in one of the two: the graphs are equal, and two objects. Undo
        and redo bring either back.
        """
        if self._graphs.get(player.line) is graph:
            return None
        return next((number for number, line in enumerate(player.lines)
                     if self._graphs.get(line) is graph), None)  # fmt: skip

    def like(self, player: Player, graph: Graph) -> int | None:
        """Return the first line of a player whose graph computes the same, if there is one."""
        return next((number for number, line in enumerate(player.lines)
                     if computes_alike(self.graph_of(line), graph)), None)  # fmt: skip

    def trained_with(self, graph: Graph) -> Player | None:
        """Return the player that was put aside with such a graph, if there is one."""
        return next(
            (one for one in self.past
             if one not in self._left and self.like(one, graph) is not None), None,
        )  # fmt: skip

    def put_aside(self, player: Player, what: str = "", *, left: bool = False) -> None:
        """Keep what was trained: it can be returned to. `what` ended it.

        That was an edit, or else somebody has `left` it to start anew with the same graph.
        """
        if what:
            self._whys[player] = f"before: {what}"
        if any(line.reach for line in player.lines):
            if left:
                self._left.add(player)
            player.pause()
            self.past = [player, *(other for other in self.past if other is not player)][:_PAST]

    def take_out(self, player: Player) -> None:
        """Take out a player that is gone on with."""
        self._left.discard(player)
        self.past = [other for other in self.past if other is not player]

    def futures(self) -> tuple[Future, ...]:
        """Return the runs of other graphs as futures: their steps have another length."""
        return tuple(
            Future(
                self._whys.get(player) or "what was trained before",
                0,
                player.line.reach,
                max(player.schedule.steps_per_epoch, 1),
            )
            for player in self.past
        )
