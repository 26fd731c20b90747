"""What is drawn on the canvas: nodes, wires, views, tokens, the minimap and the map."""
