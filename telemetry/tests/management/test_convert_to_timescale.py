"""The command on a plain server; what it does with TimescaleDB is in telemetry/tests/timescale/test_convert.py."""

import pytest
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_refuses_on_a_server_without_timescaledb() -> None:
    with pytest.raises(CommandError, match="The server has no TimescaleDB"):
        call_command("convert_to_timescale")


def test_it_finds_nothing_to_abandon(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("convert_to_timescale", "--abandon")
    assert capsys.readouterr().out == "There is no unfinished conversion.\n"
