"""Whether audits find what is there and nothing else: models with known habits, marked by other measurements."""
