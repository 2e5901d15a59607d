"""Creates a time-partitioned table in the way that the server at hand supports."""

from typing import Any

from django.db.models import CompositePrimaryKey, Model
from timescale.db.backends.postgresql.schema import TimescaleSchemaEditor
from timescale.db.models.fields import TimescaleDateTimeField


def time_column(model: type[Model]) -> str | None:
    """The column by which the model's table is partitioned, or None for an ordinary table."""
    for field in model._meta.local_fields:
        if isinstance(field, TimescaleDateTimeField):
            return str(field.column)
    return None


class SchemaEditor(TimescaleSchemaEditor):
    def table_sql(self, model: type[Model]) -> tuple[str, list[Any]]:
        sql, params = super().table_sql(model)
        column = time_column(model)
        if column and not self.connection.has_timescaledb:
            sql += f" PARTITION BY RANGE ({self.quote_name(column)})"
        return sql, params

    def _create_hypertable(self, model: type[Model], field: Any, should_migrate: bool = False) -> None:
        if self.connection.has_timescaledb:
            super()._create_hypertable(model, field, should_migrate)

    def _drop_primary_key(self, model: type[Model]) -> None:
        # A hypertable's unique indexes must contain its time column. The parent class drops the key of
        # every model for that; a composite key that contains the column can and must stay.
        if not isinstance(model._meta.pk, CompositePrimaryKey):
            super()._drop_primary_key(model)
