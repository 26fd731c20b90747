"""Keras 3: models, `.keras` archives and `.weights.h5`; and the files of Keras 2."""

from nodeflow.interchange.keras.checking import checked_against
from nodeflow.interchange.keras.files import read
from nodeflow.interchange.keras.reading import from_keras, network_of
from nodeflow.interchange.keras.writing import to_keras

__all__ = ["checked_against", "from_keras", "network_of", "read", "to_keras"]
