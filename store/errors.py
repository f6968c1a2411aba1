"""What can go wrong, by whose mistake it is: three kinds, three classes.

Every message is one sentence with the value in backticks that says what to do instead. Our own bugs are ordinary
exceptions: they crash with a traceback.
"""


class MaieuticError(Exception):
    """A mistake with a remedy. `kind` names it for machines, `hint` says what to do, `exit_code` ends the command."""

    exit_code = 1

    def __init__(self, message: str, *, kind: str = "error", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.hint = hint


class UserError(MaieuticError):
    """The user's mistake: one line with the fix."""


class UsageError(UserError):
    """Words of a command that do not fit together; exit code 2."""

    exit_code = 2


class PlannerError(MaieuticError):
    """The planner's mistake: goes back to it as text that says what to do instead."""
