"""Faults on purpose: what a week of labelling meets, one at a time, against a run that is left in peace."""
