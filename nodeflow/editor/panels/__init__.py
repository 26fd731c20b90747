"""What the panels at the side say, and who makes room for whom."""
