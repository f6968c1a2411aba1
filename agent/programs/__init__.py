"""Short Python programs over the tools: where they run, what they may call, and what comes back of them.

A program has the tools and a few functions of arithmetic, and nothing else (docs/sandbox.md).
"""
