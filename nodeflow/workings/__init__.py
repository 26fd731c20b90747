"""What a step calculated, written out with its numbers. It knows steps, but no run."""
