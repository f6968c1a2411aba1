"""Reproductions of published results on the targets of this house: NOTICE and V-SEAM, with controls and intervals."""
