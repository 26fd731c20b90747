"""Graph files and run files: reading, checking, migrating and saving them.

Whatever is wrong with a file, it is a `FileError` that names the file and the place inside it.
"""

from nodeflow.files.form import NEWEST, VERSION, schema
from nodeflow.files.lenient import Fault, load_marked
from nodeflow.files.migrations import MIGRATIONS
from nodeflow.files.names import run_file_of, sidecar_of
from nodeflow.files.reader import load, loads
from nodeflow.files.runfile import RunFile, load_run, require_place, save_run
from nodeflow.files.writer import dumps, save, whole

__all__ = [
    "MIGRATIONS",
    "NEWEST",
    "VERSION",
    "Fault",
    "RunFile",
    "dumps",
    "load",
    "load_marked",
    "load_run",
    "loads",
    "require_place",
    "run_file_of",
    "save",
    "save_run",
    "schema",
    "sidecar_of",
    "whole",
]
