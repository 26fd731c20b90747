"""Slow motion: its commands, what moves on the canvas, its panel and its timeline."""
