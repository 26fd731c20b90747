"""What Sphinx is told."""

from importlib import metadata

from nodeflow.theme import DARK, LIGHT

project = "nodeflow"
author = copyright = "the nodeflow authors"  # noqa: A001
release = metadata.version("nodeflow")
extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_enable_extensions = ["deflist", "attrs_inline"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # a commands page begins with what the command says itself
html_theme = "furo"
html_title = "nodeflow"
html_theme_options = {  # a name is that of a property in site.css, without its dashes
    "light_css_variables": {"drawing-canvas": LIGHT.canvas},
    "dark_css_variables": {"drawing-canvas": DARK.canvas},
}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_copy_source = False
html_show_sphinx = False
templates_path: list[str] = []
exclude_patterns = ["README.md", "graphs", "examples", "gallery"]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_class_signature = "mixed"
smartquotes = False  # what the program says is shown as it says it
nitpicky = False
default_role = "code"
pygments_style = "default"
