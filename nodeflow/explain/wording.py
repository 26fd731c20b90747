"""The words of sentences: one table, which Python and a page that computes fill alike."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


@cache
def sentences() -> dict[str, str]:
    """Return the words of all sentences, by name; what stands in braces is filled in."""
    text = (files("nodeflow.explain") / "sentences.json").read_text("utf-8")
    found: dict[str, str] = json.loads(text)
    return found


def say(name: str, /, **parts: object) -> str:
    """Return a sentence with its parts filled in."""
    return sentences()[name].format(**parts)
