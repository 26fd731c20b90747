"""The three languages: how NumPy, PyTorch and JAX say what a node does.

They agree on operators and on methods; here is what they call differently, and the small functions
that a program brings along where a library has none that keeps all digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """A library, as it is written in a program."""

    name: str
    title: str
    module: str
    head: str
    """Imports and switches."""
    array: str
    sums: str
    """Over the features of each row."""
    over_samples: str
    highest: str
    """The largest feature of each row, kept as a column."""
    stack: str
    helpers: Mapping[str, str]
    """Functions that the program brings along, by name."""
    known: Mapping[str, str]
    """Functions that the library has under another name, by that of formulas."""
    choice: str


def _bent(module: str) -> dict[str, str]:
    """Return functions with nodeflow's slopes where they bend: no library has the same there."""
    return {
        "larger": f'''def larger(u, v):
    """The larger of two; where they are equal, its slope is that of v."""
    return {module}.where((u > v) | (u != u), u, v)''',
        "smaller": f'''def smaller(u, v):
    """The smaller of two; where they are equal, its slope is that of v."""
    return {module}.where((u < v) | (u != u), u, v)''',
    }


_NUMPY_HELPERS = {
    "sigmoid": '''def sigmoid(z):
    """1 / (1 + e^(-z)); no power of e is ever too large."""
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, small) / (1 + small)''',
    "erf": '''def erf(z):
    """2/√π times the integral of e^(-t²) from 0 to z."""
    return np.vectorize(math.erf, otypes=[float])(z)''',
    "softplus": '''def softplus(z):
    """ln(1 + e^z)"""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))''',
    "softmax": '''def softmax(z):
    """Shares that add up to 1 in each row."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)''',
    "log_softmax": '''def log_softmax(z):
    """The logarithms of the shares."""
    down = z - z.max(axis=1, keepdims=True)
    return down - np.log(np.exp(down).sum(axis=1, keepdims=True))''',
}

NUMPY = Dialect(
    name="numpy",
    title="NumPy",
    module="np",
    head="import numpy as np",
    array="np.array({})",
    sums="{}.sum(axis=1, keepdims=True)",
    over_samples="{}.sum(axis=0)",
    highest="{}.argmax(axis=1)",
    stack="np.hstack([{}])",
    helpers=_NUMPY_HELPERS,
    known={
        "larger": "np.maximum({}, {})",
        "smaller": "np.minimum({}, {})",
    },
    choice="np.where({}, {}, {})",
)

TORCH = Dialect(
    name="torch",
    title="PyTorch",
    module="torch",
    head="import torch\n\ntorch.set_default_dtype(torch.float64)",
    array="torch.tensor({})",
    sums="{}.sum(dim=1, keepdim=True)",
    over_samples="{}.sum(dim=0)",
    highest="{}.argmax(dim=1)",
    stack="torch.hstack([{}])",
    helpers=_bent("torch")
    | {
        "softplus": '''def softplus(z):
    """ln(1 + e^z), to the last digit above 20 too."""
    return torch.logaddexp(z, torch.zeros_like(z))''',
    },
    known={
        "sigmoid": "torch.sigmoid({})",
        "softmax": "torch.softmax({}, dim=1)",
        "log_softmax": "torch.log_softmax({}, dim=1)",
    },
    choice="torch.where({}, {}, {})",
)

JAX = Dialect(
    name="jax",
    title="JAX",
    module="jnp",
    head='import jax\nimport jax.numpy as jnp\nimport numpy as np\n\n'
    'jax.config.update("jax_enable_x64", True)',
    array="jnp.array({})",
    sums="{}.sum(axis=1, keepdims=True)",
    over_samples="{}.sum(axis=0)",
    highest="{}.argmax(axis=1)",
    stack="jnp.hstack([{}])",
    helpers=_bent("jnp")
    | {
        "absolute": '''def absolute(u):
    """The absolute value, whose slope at 0 is 0."""
    return jnp.sign(u) * u''',
    },
    known={
        "sigmoid": "jax.nn.sigmoid({})",
        "erf": "jax.scipy.special.erf({})",
        "softplus": "jax.nn.softplus({})",
        "softmax": "jax.nn.softmax({}, axis=1)",
        "log_softmax": "jax.nn.log_softmax({}, axis=1)",
    },
    choice="jnp.where({}, {}, {})",
)  # fmt: skip

DIALECTS = {dialect.name: dialect for dialect in (NUMPY, TORCH, JAX)}
