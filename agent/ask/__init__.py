"""Questions in plain words: what is understood, what is measured for it, and the words that say what came out."""
