"""The commands: one short file each, gathered by app.py.

A command reads its words, calls one function of the house and prints what came back: data to stdout, narration to
stderr. Nothing heavy is imported before the command that needs it runs.
"""
