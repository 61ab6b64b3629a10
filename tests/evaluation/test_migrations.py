"""Migrations leave exactly the tables that the models describe."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from pratique import migrate
from pratique.testing import open_at
from services.evaluation.models import Base


def test_migrations_and_models_agree(tmp_path: Path) -> None:
    opened = open_at("evaluation", f"sqlite:///{tmp_path}/evaluation.sqlite")
    migrate.migrate(opened, "services.evaluation")
    migrate.migrate(opened, "services.evaluation")

    with opened.begin() as session:
        context = MigrationContext.configure(
            session.connection(),
            opts={"include_name": lambda name, kind, _: kind != "table" or name in Base.metadata.tables},
        )
        assert compare_metadata(context, Base.metadata) == []
        checks = {each["name"] for each in inspect(session.connection()).get_check_constraints("survey")}
    opened.close()

    assert checks == {each.name for each in Base.metadata.tables["survey"].constraints if str(each.name)[:2] == "ck"}
    assert migrate_is_current(tmp_path)


def migrate_is_current(folder: Path) -> bool:
    opened = open_at("evaluation", f"sqlite:///{folder}/evaluation.sqlite")
    try:
        return migrate.is_current(opened, "services.evaluation")
    finally:
        opened.close()
