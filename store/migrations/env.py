"""Run by Alembic: hands it the connection that the store has already opened."""

from __future__ import annotations

from alembic import context

from store.schema import Base

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    version_table=attributes["version_table"],
    target_metadata=Base.metadata,
)
with context.begin_transaction():
    context.run_migrations()
