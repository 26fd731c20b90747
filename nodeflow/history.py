"""Undo for any value that is never changed in place: a list of past values, and a place in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

T = TypeVar("T")

LONGEST = 1000
"""Older values are forgotten."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """A value, what made it, and a key: what follows with the same key is one step with it."""

    value: T
    label: str
    key: object = None


@dataclass(frozen=True, slots=True)
class History(Generic[T]):
    """Values in the order in which they came; `at` is the present one."""

    entries: tuple[Entry[T], ...]
    at: int = 0

    @classmethod
    def of(cls, value: T, label: str = "start") -> History[T]:
        """Return the history of a value that nothing has happened to."""
        return cls((Entry(value, label),))

    @property
    def present(self) -> T:
        """The value now."""
        return self.entries[self.at].value

    @property
    def label(self) -> str:
        """What made the present value."""
        return self.entries[self.at].label

    def then(self, value: T, label: str, key: object = None) -> History[T]:
        """Return the history with one more value; what was undone is forgotten.

        With a `key` the value takes the place of the one before, if that has the same key.
        """
        if value is self.present:
            return self
        last = self.entries[self.at]
        keep = self.at if key is not None and key == last.key and self.at else self.at + 1
        entries = (*self.entries[:keep], Entry(value, label, key))[-LONGEST:]
        return History(entries, len(entries) - 1)

    def to(self, at: int) -> History[T]:
        """Return the history at another place, the nearest one there is."""
        return replace(self, at=min(max(at, 0), len(self.entries) - 1))

    def instead(self, value: T) -> History[T]:
        """Return the history with another value in place of the present one; it is no step."""
        entries = list(self.entries)
        entries[self.at] = replace(entries[self.at], value=value)
        return replace(self, entries=tuple(entries))

    def sealed(self) -> History[T]:
        """Return the history in which the next value is a step of its own, whatever its key."""
        if self.entries[self.at].key is None:
            return self
        entries = list(self.entries)
        entries[self.at] = replace(entries[self.at], key=None)
        return replace(self, entries=tuple(entries))
