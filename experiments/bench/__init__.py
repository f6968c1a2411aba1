"""Benchmarks: components whose truth is known, met through the same tools as any other, and what was found of them."""
