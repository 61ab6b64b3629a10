"""The chassis' own tables, migrated before each service's, and the environment that alembic runs in."""
