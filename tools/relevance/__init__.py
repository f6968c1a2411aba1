"""Heat maps of an answer over its picture, and what they are worth. Not tools: tools/methods/relevance.py is."""
