"""The exemplar index: what every component does on a whole image source, made in one pass and read one by one."""

from tools.index.build import Progress, build_index, index_folder
from tools.index.entry import Entry, Exemplar, Histogram, Pooled
from tools.index.exemplars import ExemplarIndex, load_index
from tools.index.later import LaterIndex

__all__ = [
    "Entry",
    "Exemplar",
    "ExemplarIndex",
    "Histogram",
    "LaterIndex",
    "Pooled",
    "Progress",
    "build_index",
    "index_folder",
    "load_index",
]
