"""Data sets: point sets that are computed, files that are read, rows that are set apart."""

from nodeflow.data.generators import GENERATORS
from nodeflow.data.sources import load
from nodeflow.data.splitting import Split, split
from nodeflow.data.table import FloatArray, Table

__all__ = ["GENERATORS", "FloatArray", "Split", "Table", "load", "split"]
