"""The panels around the canvas, and the fields in them."""
