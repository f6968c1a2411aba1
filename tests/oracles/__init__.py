"""Ours beside programs that others wrote: nnsight, TransformerLens, captum and scikit-learn, in float32."""
