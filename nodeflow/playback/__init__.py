"""Slow motion: a player of runs, which window, terminal and exports share."""
