"""Slow motion: a clock over the steps of a run, which window, terminal and exports share."""
