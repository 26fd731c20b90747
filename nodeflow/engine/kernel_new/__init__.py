"""The kernel: what executes rows of a tape, for one sample and whole epochs alike."""
