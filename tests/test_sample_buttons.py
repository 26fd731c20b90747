"""Every graph that comes with nodeflow trains, plays and unfolds in the editor, or says why not.

The commands are those behind the window's buttons, the run is the editor's own. `make
test-samples` presses the buttons themselves, in the real window.
"""

import time

import pytest

from nodeflow.editor.documents.store import Store
from nodeflow.editor.shell import Shell
from nodeflow.editor.state.messages import Do
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.requests import CompareGraphs, RunAnew
from nodeflow.editor.update import update
from nodeflow.examples import samples
from nodeflow.files import load

LARGE = {"mnist", "nielsen", "nielsen-unfolded", "ng-digits", "ng-digits-loop",
         "ng-digits-overfit", "lambda-twins", "digits"}  # fmt: skip
"""Those that take seconds, or data that must be fetched: the real window has them."""
NAMES = [name for name in samples() if name not in LARGE and not name.startswith("twins/")]
NAMES += ["twins/torch-adam", "twins/brain-js", "twins/fann-rprop"]
UNTRAINED = {"slope-of-the-cost", "slopes"}
"""They show functions, and have nothing to train."""


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("STATE", "CONFIG", "DATA"):
            if name != "DATA":
                patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        made = Shell(store=Store())
        yield made
        made.close()


class Person:
    """An editor without a window."""

    def __init__(self, shell, graph):
        self.shell, self.editor = shell, Editor.of(graph)
        self.perform((RunAnew(),))

    def perform(self, requests):
        for request in requests:
            if not isinstance(request, CompareGraphs):  # that takes its time, and changes nothing
                for message in self.shell.perform(request, self.editor):
                    self.tell(message)

    def tell(self, message):
        self.editor = update(self.editor, message)
        self.perform(self.editor.requests)

    def press(self, command, holds, seconds=30.0):
        """Press a button, and wait for what it brings or for the reason why not."""
        self.editor = update(self.editor, Do("cancel"))
        before = self.editor
        self.tell(Do(command))
        end = time.monotonic() + seconds
        while not holds(self.editor, before):
            if self.why():
                return False
            assert time.monotonic() < end, (command, self.editor.live.state)
            for message in self.shell.poll(self.editor):
                self.tell(message)
            time.sleep(0.001)
        return True

    def why(self):
        notice = self.editor.notice
        refused = notice.text if notice is not None and notice.kind == "problem" else ""
        return self.editor.live.problem or refused


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_trains_plays_and_unfolds_or_says_why(shell, name) -> None:
    person = Person(shell, load(samples()[name].file))
    end = time.monotonic() + 30
    while person.editor.live.state != "still" or not person.editor.live.values:
        assert time.monotonic() < end
        for message in shell.poll(person.editor):
            person.tell(message)
        time.sleep(0.001)
    assert not person.editor.live.problem
    trains = person.press("toggle-training", lambda editor, _: editor.live.update > 0)
    assert trains == (name not in UNTRAINED), person.why()
    assert trains or "nothing to train" in person.why()
    if person.editor.live.state == "training":
        person.press("toggle-training", lambda editor, _: editor.live.state != "training")
    if trains:
        assert person.editor.live.cost is not None
        person.press("reset", lambda editor, _: editor.live.update == 0)
    plays = person.press("play", lambda editor, _: editor.live.playback.number > 0)
    assert plays == trains
    person.press("pause", lambda editor, _: editor.live.state != "playing")
    graph = person.editor.graph
    unfolds = person.press("unfold", lambda editor, before: editor.graph is not graph)
    if graph.of_family("trainer"):
        assert unfolds or "stays folded" in person.why() or "needs a wire" in person.why()
    else:
        assert not unfolds
        assert person.why()
