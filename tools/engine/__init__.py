"""The engine: reads and writes any site of a target, exactly; many rows with interventions of their own in one batch."""
