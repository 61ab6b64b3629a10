"""Migrations leave what the models say."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from pratique.migrate import is_current, migrate
from pratique.testing import open_at
from services.notifications import models


def test_migrated_tables_are_those_of_the_models() -> None:
    opened = open_at("notifications", "sqlite://")
    migrate(opened, "services.notifications")
    migrate(opened, "services.notifications")
    assert is_current(opened, "services.notifications")
    with opened.begin() as session:
        inspected = MigrationContext.configure(
            session.connection(),
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_name": lambda name, kind, parents: kind != "table" or name in models.Base.metadata.tables,
            },
        )
        assert compare_metadata(inspected, models.Base.metadata) == []
    opened.close()
