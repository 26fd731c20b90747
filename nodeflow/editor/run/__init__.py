"""The run in the background: its session, its worker, many runs."""
