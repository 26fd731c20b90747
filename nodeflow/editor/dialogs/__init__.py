"""What lies over the canvas and is answered: menus, palette, search, questions, comparisons."""
