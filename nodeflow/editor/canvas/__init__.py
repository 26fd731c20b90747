"""What the pointer does on the canvas: nodes, wires, fields, the minimap and the map of neurons."""
