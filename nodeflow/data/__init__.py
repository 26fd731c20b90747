"""Data sets: point sets that are computed, files that are read, rows that are set apart."""

from nodeflow.data.generators import GENERATORS
from nodeflow.data.options import Options
from nodeflow.data.sheet import Reading
from nodeflow.data.sources import load, look
from nodeflow.data.splitting import Fold, Split, split, split_by
from nodeflow.data.table import FloatArray, Table

__all__ = [
    "GENERATORS", "FloatArray", "Fold", "Options", "Reading", "Split", "Table", "load", "look",
    "split", "split_by",
]  # fmt: skip
