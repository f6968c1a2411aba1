"""Metrics and statistics as pure functions: numbers in, numbers out."""
