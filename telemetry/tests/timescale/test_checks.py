"""Policies that somebody sets on the server beside the worker are found, and how to remove them is said."""

import psycopg
import pytest

from telemetry.checks import POLICIES, warning

pytestmark = pytest.mark.timescale


def found(connection: psycopg.Connection) -> list[tuple[str, str]]:
    return [(relation, policy) for relation, policy in connection.execute(POLICIES)]


def test_it_finds_none_that_migrations_made(timescale: psycopg.Connection) -> None:
    assert found(timescale) == []


@pytest.mark.parametrize(
    ("sets", "policy"),
    [
        ("SELECT add_retention_policy('reading', interval '90 days')", ("reading", "policy_retention")),
        (
            "SELECT add_continuous_aggregate_policy('continuous_1m', NULL, interval '1 hour', interval '1 hour')",
            ("continuous_1m", "policy_refresh_continuous_aggregate"),
        ),
    ],
)
def test_it_finds_one_and_says_how_to_remove_it(
    timescale: psycopg.Connection, sets: str, policy: tuple[str, str]
) -> None:
    timescale.execute(sets.encode())
    assert found(timescale) == [policy]
    hint = warning(*policy).hint
    assert hint is not None
    timescale.execute(hint.removeprefix("Remove it: ").encode())
    assert found(timescale) == []
