"""The graphs that come with nodeflow, to be opened in the editor."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from nodeflow.editor.documents.store import Recent, thumbnail
from nodeflow.examples import Sample, sample, samples
from nodeflow.scene import scene, with_places


def offered() -> list[Sample]:
    """Return those that a person would open, lessons first."""
    found = [one for name, one in samples().items() if not name.startswith("twins/")]
    return sorted(found, key=lambda one: (not one.name.startswith("lessons/"), one.name))


@cache
def pictured() -> list[Recent]:
    """Return a small picture of each."""
    return [
        Recent(Path(one.name), thumbnail=thumbnail(scene(with_places(sample(one.name)))))
        for one in offered()
    ]
