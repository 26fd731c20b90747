"""Regular expressions that are compiled when they are first used: a plain table needs few of them.

All that the readers know took 15 ms to compile, as long as a small network takes to train.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property


class Pattern:
    """A regular expression with the two methods that the readers use."""

    def __init__(self, text: str, flags: re.RegexFlag = re.NOFLAG) -> None:
        self._text, self._flags = text, flags

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._text, self._flags)

    @cached_property
    def fullmatch(self) -> Callable[[str], re.Match[str] | None]:
        """`re.Pattern.fullmatch`."""
        return self._compiled.fullmatch

    @cached_property
    def sub(self) -> Callable[[str, str], str]:
        """`re.Pattern.sub`."""
        return self._compiled.sub
