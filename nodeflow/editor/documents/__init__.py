"""Files, exports, plugins and whatever else lies outside of the graph."""
