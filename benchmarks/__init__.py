"""Benchmarks: nodeflow beside hand-written code, NumPy and PyTorch.

python -m benchmarks [NAME…] [--quick] [--json FILE] [--write-docs] [--threads N]
"""

NAMES = (
    "commands", "wheat", "mnist", "fullbatch", "growth", "memory", "goto", "playing", "explaining",
    "editor", "window", "tables", "start", "page", "sweeps", "parts", "doors",
)  # fmt: skip
"""The benchmarks, each a module of this package with `run(quick) -> Result`."""
