"""The agent's fixtures, for the tests of programs as well."""

from tests.agent.conftest import context, empty, parts, run, run_one

__all__ = ["context", "empty", "parts", "run", "run_one"]
