"""Is something inside? Whether training put selective units and specialized heads into a model of this world.

Correlational for units, interventional for heads, and always beside copies that were never trained.
"""
