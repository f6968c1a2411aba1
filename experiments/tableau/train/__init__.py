"""How the embedded models are trained: `python -m experiments.tableau.train clip|llava|judge`."""
