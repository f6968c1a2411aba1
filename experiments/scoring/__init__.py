"""Blind scoring: splits, judges and the sealed test around the metrics of tools/scoring.

Protocol points 1–3 and 7: population Pearson first, beside a control and the null of untrained copies; texts are frozen
before the test, and the test is taken once.
"""
