"""Neo et al. 2024, "Towards interpreting visual information processing in vision-language models", measured here."""
