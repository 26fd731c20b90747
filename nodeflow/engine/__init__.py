"""From graph to numbers: plan, tape, kernel, run, gradient check."""
