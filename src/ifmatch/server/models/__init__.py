"""Perform conditional writes on the models that a service has already: SQLAlchemy and Django.

Import what is needed from its own module: `ifmatch.server.models.sqlalchemy`, `.django_orm` and their
migrations `.alembic_operations`, `.django_migrations` each need a library of their own; `.triggers` and
`.tags` need none.
"""
