"""Where the arrays of a layer lie: in a model, in a file, in a file of the older form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeAlias

from nodeflow.interchange.keras.config import is_operation, name_of, snake_case


class LiveArrays:
    """The arrays of a model's layers, by their names."""

    def __init__(self, model: Any) -> None:
        self.layers = {layer.name: layer for layer in model.layers}

    def arrays(self, name: str) -> list[Any]:
        """Return a layer's arrays in Keras' order."""
        return list(self.layers[name].get_weights())

    def inside(self, name: str, _about: Mapping[str, Any]) -> LiveArrays:
        """Return those of a model that is a layer."""
        return LiveArrays(self.layers[name])


class OlderArrays:
    """The arrays of a file in the older form: by layer, in the order that the layer names."""

    def __init__(self, group: Any, model: Any = None) -> None:
        self.group, self.model = group, model

    def arrays(self, name: str) -> list[Any]:
        """Return a layer's arrays in Keras' order."""
        layer = self.group.get(name) if self.model is None else self.model
        if layer is None:
            return []
        names = [one.decode() if isinstance(one, bytes) else str(one)
                 for one in layer.attrs.get("weight_names", ())]  # fmt: skip
        own = [one for one in names if self.model is None or name in one.split("/")[:-1]]
        return [layer[one][()] for one in own]

    def inside(self, name: str, _about: Mapping[str, Any]) -> OlderArrays:
        """Return those of a model that is a layer: in one row there, under their layers' names."""
        return OlderArrays(self.group, self.group.get(name) if self.model is None else self.model)


class StoredArrays:
    """The arrays of a file: called after a layer's class, numbered within the class."""

    def __init__(self, file: Any, root: str, about: Mapping[str, Any]) -> None:
        self.file, self.root = file, root
        self.stems: dict[str, str] = {}
        counts: Counter[str] = Counter()
        for layer in about.get("layers") or ():
            if not is_operation(layer):
                snake = snake_case(str(layer["class_name"]))
                number = counts[snake]
                counts[snake] += 1
                self.stems[name_of(layer)] = snake if not number else f"{snake}_{number}"

    def arrays(self, name: str) -> list[Any]:
        """Return a layer's arrays in Keras' order."""
        found = self._group(name, "/vars")
        return [] if found is None else [found[key][()] for key in sorted(found, key=int)]

    def inside(self, name: str, about: Mapping[str, Any]) -> StoredArrays:
        """Return those of a model that is a layer."""
        group = self._group(name, "")
        return StoredArrays(self.file, "" if group is None else group.name, about)

    def _group(self, name: str, ending: str) -> Any:
        for root in ("layers", "_layer_checkpoint_dependencies"):
            for called in (self.stems.get(name, name), name):
                path = f"{self.root}/{root}/{called}{ending}"
                if path in self.file:
                    return self.file[path]
        return None


Arrays: TypeAlias = LiveArrays | StoredArrays | OlderArrays
