"""Models of Keras 2: the same words, some of which mean something else in Keras 3.

Keras 3 opens such files, and gives them its own meaning without a word: its `hard_sigmoid` is
z/6 + ½ between 0 and 1, which was z/5 + ½.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

HARD_SIGMOID = "hard_sigmoid of Keras 2"
"""What stands in a configuration for the activation that has another meaning now."""
NOTE = "its hard sigmoid is that of Keras 2, 0.2 z + 0.5; Keras 3 computes z/6 + 0.5 from this file"
_SHORT = ("alpha", "negative_slope", "max_value", "threshold")
"""Numbers of layers that were float32: 0.3 is written as 0.30000001192092896."""


def is_older(version: Any) -> bool:
    """Return whether a file is of Keras 2 or 1, by the version that it says; older say none."""
    text = version.decode("ascii", "replace") if isinstance(version, bytes) else str(version or "2")
    return text.split(".")[0] in ("1", "2")


def modern(config: Any) -> Any:
    """Return a configuration of Keras 2 in the terms of Keras 3."""
    if isinstance(config, list | tuple):
        return [modern(one) for one in config]
    if not isinstance(config, Mapping):
        return config
    made = {key: modern(value) for key, value in config.items()}
    kind, about = made.get("class_name"), made.get("config")
    if kind == "Sequential" and isinstance(about, list):  # before 2.2.3
        made["config"] = {"name": "sequential", "layers": about}
    if not isinstance(about, dict):
        return made
    for key in _SHORT:
        if isinstance(about.get(key), float):
            about[key] = float(str(np.float32(about[key])))
    if kind == "LeakyReLU" and "alpha" in about:
        about["negative_slope"] = about.pop("alpha")
    if kind == "BatchNormalization" and isinstance(about.get("axis"), list):
        (about["axis"],) = about["axis"]
    if about.get("activation") == "hard_sigmoid":
        about["activation"] = HARD_SIGMOID
    if isinstance(kind, str) and kind.startswith("Custom>"):  # optimizers of 2.11 and later
        made["class_name"] = kind.removeprefix("Custom>")
    if "lr" in about and "learning_rate" not in about:
        about["learning_rate"] = about["lr"]
    return made


def says_hard_sigmoid(config: Any) -> bool:
    """Return whether a configuration has the activation that Keras 3 takes for another one."""
    if isinstance(config, Mapping):
        return config.get("activation") == HARD_SIGMOID or says_hard_sigmoid(list(config.values()))
    return isinstance(config, list) and any(map(says_hard_sigmoid, config))
