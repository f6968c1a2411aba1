"""Programs that try to get out of the sandbox, and what became of each (docs/sandbox.md)."""
