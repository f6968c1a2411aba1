"""Steps from one version of the schema to the next, run by Alembic in the transaction of whoever opens the store."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

FOLDER = Path(__file__).parent


def upgrade(connection: Connection, version_table: str, to: str = "head") -> None:
    """Brings the database to version `to`, inside the connection's transaction, where it is not there already."""
    configuration = configure()
    configuration.attributes |= {"connection": connection, "version_table": version_table}
    command.upgrade(configuration, to)


def configure() -> Config:
    """Alembic's settings for these migrations."""
    configuration = Config()
    configuration.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration
