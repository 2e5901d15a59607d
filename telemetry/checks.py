"""What in the database works against the worker: `manage.py check --database default`, and before each `migrate`."""

from collections.abc import Iterable
from typing import Any

from django.core import checks
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

# A retention policy drops readings that the rollups still lack; a refresh policy counts buckets as stored whose late
# readings leave no mark. The worker does both, and knows the marks.
POLICIES = """
SELECT coalesce(view_name, jobs.hypertable_name), proc_name FROM timescaledb_information.jobs
LEFT JOIN timescaledb_information.continuous_aggregates ON materialization_hypertable_name = jobs.hypertable_name
WHERE (jobs.hypertable_name = 'reading' AND proc_name = 'policy_retention')
   OR (coalesce(view_name, jobs.hypertable_name) IN ('continuous_1m', 'continuous_1h', 'continuous_1d')
       AND proc_name = 'policy_refresh_continuous_aggregate')
ORDER BY 1
"""
REMEDIES = {
    "policy_retention": "SELECT remove_retention_policy('{}')",
    "policy_refresh_continuous_aggregate": "SELECT remove_continuous_aggregate_policy('{}')",
}


@checks.register(checks.Tags.database)
def check_policies(databases: Iterable[str] | None = None, **_kwargs: Any) -> list[checks.CheckMessage]:
    found: list[checks.CheckMessage] = []
    for alias in databases or ():
        found += foreign_policies(connections[alias])
    return found


def foreign_policies(connection: BaseDatabaseWrapper) -> list[checks.CheckMessage]:
    with connection.cursor() as cursor:
        # Asked anew: `has_timescaledb` is remembered, and `migrate` checks before it makes the extension.
        cursor.execute("SELECT to_regclass('timescaledb_information.jobs') IS NOT NULL")
        if cursor.fetchone() != (True,):
            return []
        cursor.execute(POLICIES)
        return [warning(*policy) for policy in cursor.fetchall()]


def warning(relation: str, policy: str) -> checks.CheckMessage:
    return checks.Warning(
        f"TimescaleDB's {policy} on {relation} works against InQube's worker: readings or rollups can be lost.",
        hint=f"Remove it: {REMEDIES[policy].format(relation)}",
        id="telemetry.W001",
    )
