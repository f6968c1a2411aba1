"""The methods: one tool or one family of tools a file, registered when this package is imported.

Nothing here loads a model's libraries before a tool is called, so that tools can be listed in no time.
"""

from tools.methods import (
    ablate,
    activations,
    attention,
    correlate,
    describe,
    exemplars,
    explain_answer,
    find_components,
    images,
    logit_lens,
    look,
    misjudged,
    pairs,
    patch,
    probe,
    relevance,
    score,
    steer,
    unexplained,
    vocabulary,
)

__all__ = [
    "ablate",
    "activations",
    "attention",
    "correlate",
    "describe",
    "exemplars",
    "explain_answer",
    "find_components",
    "images",
    "logit_lens",
    "look",
    "misjudged",
    "pairs",
    "patch",
    "probe",
    "relevance",
    "score",
    "steer",
    "unexplained",
    "vocabulary",
]
