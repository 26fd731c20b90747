"""What other programs call the types of the library, as their declarations say (`known_as`)."""

from __future__ import annotations

from nodeflow.declare import CATALOG, NodeType


def known(program: str, family: str = "activation") -> dict[str, str]:
    """Return our types by the names that a program has for them.

    Of two types of one name the library's own counts.
    """
    found: dict[str, str] = {}
    for type_ in sorted(_named(family), key=lambda one: one.is_own):
        names = type_.known_as.get(program, ())
        found |= dict.fromkeys((names,) if isinstance(names, str) else names, type_.name)
    return found


def of_others(program: str, name: str) -> str:
    """Return the activation of a plugin that a program calls so, in letters of any size; or ""."""
    for theirs, ours in known(program).items():
        if theirs.lower() == name.lower() and not CATALOG[ours].is_own:
            return ours
    return ""


def named(type_: str, program: str) -> str:
    """Return what a program calls a type, or ""."""
    found = CATALOG.get(type_)
    return "" if found is None else found.called(program)


def activations() -> dict[str, str]:
    """Return the library's activations by their names and by the other words for them."""
    own = [type_ for type_ in _named("activation") if type_.is_own]
    return {
        word: type_.name
        for type_ in own
        for word in (*(type_.aliases if type_.family == "activation" else ()), type_.name)
    }


def _named(family: str) -> list[NodeType]:
    """Return the types of a family; with the activations, what else makes one value of z."""
    return [
        type_
        for type_ in CATALOG.values()
        if type_.family == family
        or (family == "activation" and type_.known_as and type_.family == "backward")
    ]
