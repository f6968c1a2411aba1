"""Tableau, the embedded world: painted scenes whose truth is known for every pixel.

Knows how scenes are drawn, talked about and changed, and how the embedded models are trained on them. Nothing in
`tools/` or `agent/` knows that it exists: it enters only as a target, a data set, a judge and an image source.
"""
