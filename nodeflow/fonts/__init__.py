"""The fonts of window and exports: DejaVu Sans, since it has Greek letters, arrows and mathematics.

They come with nodeflow, so that a picture looks the same wherever it is drawn.
"""

from pathlib import Path

FAMILY = "DejaVu Sans"
REGULAR = Path(__file__).with_name("DejaVuSans.ttf")
BOLD = Path(__file__).with_name("DejaVuSans-Bold.ttf")
