"""Networks from other programs, and networks for them: one module per format.

A reader makes `Network`, layers in a row, of a file or of a live object; `graph_of` makes a graph
of it. A writer takes the layers that `layers_of` finds in a graph. No pickle is ever loaded, and
no code of a file is ever run. Libraries of other programs are imported where they are needed.
"""

from nodeflow.interchange.asked import Asked
from nodeflow.interchange.building import graph_of
from nodeflow.interchange.chain import layers_of
from nodeflow.interchange.importing import FORMATS, Imported, imported
from nodeflow.interchange.layers import Network

__all__ = ["FORMATS", "Asked", "Imported", "Network", "graph_of", "imported", "layers_of"]
