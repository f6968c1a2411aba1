"""The embedded world's questions for audits: scenes drawn and edited so that one thing differs, with known answers."""
