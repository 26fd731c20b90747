"""The documentation as a site: `make docs`.

The documents of `docs/` as they are, and what is made anew from the program each time: a page a
node type with a live graph, the lessons, the graphs, Python's names from their docstrings.
"""
