"""The agent: which question to ask next, and when enough is known to say something."""

import os

# Checkpoints hold plain values only; langgraph reads this when it is imported, so it stands before every other module.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
