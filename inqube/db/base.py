"""A Django database backend for PostgreSQL with or without TimescaleDB, over `django-timescaledb`."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.utils import NotSupportedError, OperationalError
from django.utils.functional import cached_property
from timescale.db.backends.postgresql import base as timescale_base

from inqube.db.schema import SchemaEditor

DATABASE_MISSING = (
    "DATABASE_URL is not set. Set it to your PostgreSQL (postgres://user:password@host:5432/inqube), "
    "or run `make demo`, which brings a PostgreSQL of its own."
)


class DatabaseWrapper(timescale_base.DatabaseWrapper):
    SchemaEditorClass = SchemaEditor

    def get_connection_params(self) -> dict[str, Any]:
        if self.settings_dict["NAME"] == "":  # None means the maintenance database
            raise ImproperlyConfigured(DATABASE_MISSING)
        return super().get_connection_params()

    def prepare_database(self) -> None:
        """Creates the TimescaleDB extension where the server offers it and lets us; else goes on without."""
        try:
            super().prepare_database()
        except (NotSupportedError, OperationalError):
            # NotSupportedError: the extension's files are not installed. OperationalError: they are, but
            # the library is not in shared_preload_libraries. Both mean a plain PostgreSQL to us.
            self.close()

    @cached_property
    def has_timescaledb(self) -> bool:
        """Whether this database has TimescaleDB with its community features (licence `timescale`)."""
        with self.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb' "
                "AND current_setting('timescaledb.license', true) = 'timescale'"
            )
            return cursor.fetchone() is not None
