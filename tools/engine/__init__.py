"""The engine: reads and writes any site of a target, exactly; rows of a batch carry interventions of their own."""
