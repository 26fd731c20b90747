"""The arithmetic of the engine: rows in a small language, for Python and for machine code."""
