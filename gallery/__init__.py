"""The gallery: the systems of the literature as graphs, with their numbers and pictures."""

NAMES = (
    "simplest",
    "slopes",
    "mazur",
    "blame_game",
    "wheat",
    "layers_are_lines",
    "standing_still",
    "probabilities",
    "wheat_starts",
    "depth",
    "polynomial",
    "curves",
    "checking",
    "four_layers",
    "digits_by_cg",
    "regularization",
    "nielsen",
    "starts",
    "shapes",
    "feedback_alignment",
)
