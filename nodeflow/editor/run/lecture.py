"""A lesson that follows the run of a session: it notices what is done, and marks what is typed."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from nodeflow.editor.state.runcommands import AnswerTask, SkipTask, TaskCommand, UnlockNode
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph
from nodeflow.lessons import Attempt, Progress
from nodeflow.playback.answers import NOTE
from nodeflow.playback.player import Player


class Lecture:
    """Somebody's way through the lesson in a graph that a session plays."""

    def __init__(self, graph: Graph) -> None:
        self._attempt = Attempt(graph)
        self._said = ""

    def leave(self) -> None:
        """End it, and take its stops out of the run."""
        self._attempt.leave()

    def follow(self, graph: Graph | None, player: Player | None) -> bool:
        """Notice what was done since; return whether a task was."""
        if graph is None or player is None:
            return False
        try:
            done = self._attempt.follow(graph, player)
        except NodeflowError as error:
            self._said = str(error)
            return False
        if done:
            self._said = ""
        return done

    def do(self, command: TaskCommand) -> None:
        """Mark what was typed, leave the present task undone, or lift the lock of a node."""
        match command:
            case AnswerTask(text=text):
                self._answer(text)
            case SkipTask():
                self._attempt.skip()
                self._said = ""
            case UnlockNode(node=node):
                self._attempt.unlock(node)
                self._said = f"{node} is unlocked; the answer notes it."
            case _:
                assert_never(command)

    def _answer(self, typed: str) -> None:
        if self._attempt.answer(typed):
            self._said = "Right."
        else:
            why = self._attempt.why_refused(typed)
            self._said = f"{why[0].upper()}{why[1:]}." if why else f"Not yet ({NOTE})."

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return replace(self._attempt.progress(), said=self._said)
