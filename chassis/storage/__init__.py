"""Databases of services: connections, bulk statements, rows, migrations, audit."""
