"""The commands, a file each, and what several of them share."""
