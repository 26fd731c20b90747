"""The gallery: the systems of the literature as graphs, with their numbers and pictures."""

NAMES = (
    "simplest",
    "mazur",
    "wheat",
    "polynomial",
    "four_layers",
    "digits_by_cg",
    "nielsen",
    "starts",
    "shapes",
    "feedback_alignment",
)
