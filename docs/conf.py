"""Sphinx over the pages of this folder: `make docs`."""

from importlib.metadata import version as version_of

project = "simsage"
author = "the simsage authors"
version = release = version_of("simsage")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_click"]
exclude_patterns = ["verdicts", "notebooks"]
html_theme = "furo"
html_title = "simsage"
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_class_signature = "separated"
autodoc_default_options = {
    "members": True,
    "undoc-members": True,
    "exclude-members": "model_config, __init__",
}
