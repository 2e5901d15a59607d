"""Two web processes: a client goes on at the other one, with what it missed, and never a wrong value."""

import pytest

from telemetry.tests.live.server.conftest import Connect, Publish, StartWeb

pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("listened", [True, False])
def test_it_goes_on_at_another_process_when_one_is_killed(
    start_web: StartWeb, connect: Connect, publish: Publish, token: str, listened: bool
) -> None:
    """With what was missed, from a process that heard it; else with what is stored, which is nothing here."""
    first, second = start_web(), start_web()
    client = connect(first)
    client.subscribe()
    assert client.hear()["type"] == "snapshot"  # so what is published now is heard
    if listened:
        other = connect(second)
        other.subscribe()
        assert other.hear()["type"] == "snapshot"
    publish({17: 1.0, 18: 1.0})
    client.hear_until(lambda: client.values == {17: 1.0, 18: 1.0})

    first.kill()
    publish({18: 2.0})
    publish({19: 3.0})
    if listened:
        other.hear_until(lambda: 19 in other.view)
    client.connect(second, token)
    assert client.hear()["type"] == "ready"
    client.resume()

    assert client.hear()["type"] == ("delta" if listened else "snapshot")
    assert client.values == ({17: 1.0, 18: 2.0, 19: 3.0} if listened else {})
    publish({18: 4.0})
    client.hear_until(lambda: client.values.get(18) == 4.0)
