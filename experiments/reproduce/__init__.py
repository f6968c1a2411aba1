"""Reproductions of published results on the targets of this house: NOTICE, V-SEAM, Neo et al.; with controls."""
