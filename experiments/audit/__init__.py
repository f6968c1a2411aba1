"""Audits: what a target does that it should not, measured against controls, with the components that carry it."""
