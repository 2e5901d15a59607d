"""`manage.py backtest_rule`: for people and programs, of rules that exist and that don't."""

import csv
import json
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from alarms.models import Rule
from plants.models import Plant, Sensor
from telemetry.tests.samples import TEMP, store_series

pytestmark = pytest.mark.django_db(transaction=True)

END = now().replace(microsecond=0)
START = END - timedelta(hours=1)
RANGE = ("--start", START.isoformat(), "--end", END.isoformat())


@pytest.fixture
def temp(kandy: Plant) -> Sensor:
    """Twice too hot: for three minutes, and from ten minutes before the end on."""
    values = [(0, 70), (600, 85), (700, 90), (780, 70), (3_000, 85)]
    return store_series(TEMP, [(START + timedelta(seconds=second), value) for second, value in values])


@pytest.fixture
def rule(temp: Sensor) -> Rule:
    return Rule.objects.create(plant=temp.machine.zone.plant, sensor=temp, kind="high", setpoint=80)


def run(*options: str) -> str:
    output = StringIO()
    call_command("backtest_rule", *options, stdout=output)
    return output.getvalue()


def test_it_tells_people_what_a_saved_rule_would_have_raised(rule: Rule) -> None:
    told = run(str(rule.pk), *RANGE)
    assert "Temperature: high: high 80, deadband 0" in told
    [figures] = [line.split() for line in told.splitlines() if line.startswith(TEMP)]
    assert figures[1:] == ["2", "48.0", "0", "00:13:00", "21.67", "%"]
    assert "from 85, at the most 90" in told
    assert ", and lasts" in told
    assert "Nothing chatters" in told


def test_it_tells_programs_all_of_it(rule: Rule) -> None:
    told = json.loads(run(str(rule.pk), *RANGE, "--format", "json"))
    assert (told["alarms"], told["in_alarm_s"], told["readings"]) == (2, 780, 5)
    [sensor] = told["sensors"]
    assert sensor["raw_from"] == START.isoformat()
    assert sensor["episodes"][0] == {
        "start": (START + timedelta(seconds=600)).isoformat(),
        "end": (START + timedelta(seconds=780)).isoformat(),
        "duration_s": 180,
        "trigger": 85,
        "peak": 90,
    }
    assert sensor["episodes"][1]["end"] is None


def test_it_writes_an_alarm_a_line(rule: Rule) -> None:
    lines = list(csv.DictReader(StringIO(run(str(rule.pk), *RANGE, "--format", "csv"))))
    assert [(line["address"], line["duration_s"], line["end"] == "") for line in lines] == [
        (TEMP, "180.0", False),
        (TEMP, "600.0", True),
    ]


def test_it_tries_other_values_and_saves_none(rule: Rule) -> None:
    told = json.loads(run(str(rule.pk), *RANGE, "--on-delay", "200", "--format", "json"))
    assert (told["alarms"], told["rule"]["on_delay_s"]) == (1, 200)
    rule.refresh_from_db()
    assert rule.on_delay_s == 0


def test_it_tries_a_rule_that_does_not_exist(temp: Sensor) -> None:
    told = json.loads(run("--sensor", TEMP, "--kind", "low", "--setpoint", "75", *RANGE, "--format", "json"))
    assert told["alarms"] == 2
    assert not Rule.objects.exists()


def test_it_takes_times_without_offset_for_the_plants(rule: Rule) -> None:
    start, end = ((time + timedelta(hours=5.5)).replace(tzinfo=None).isoformat() for time in (START, END))
    assert json.loads(run(str(rule.pk), "--start", start, "--end", end, "--format", "json"))["alarms"] == 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([str(uuid4())], "There is no rule"),
        ([], "Name a saved rule by its id, or --sensor and --kind"),
        (
            ["--sensor", "kandy/no/such/one", "--kind", "high", "--setpoint", "1"],
            "There is no sensor kandy/no/such/one",
        ),
        (["--sensor", TEMP, "--kind", "high"], "The rule needs a setpoint."),
        (["--sensor", TEMP, "--kind", "high", "--setpoint", "1", "--deadband", "-1"], "That is no rule: "),
        (
            [
                "--sensor",
                TEMP,
                "--kind",
                "high",
                "--setpoint",
                "1",
                "--start",
                END.isoformat(),
                "--end",
                START.isoformat(),
            ],
            "--start must be before --end.",
        ),
    ],
)
def test_it_says_in_a_sentence_what_is_wrong(temp: Sensor, options: list[str], expected: str) -> None:
    with pytest.raises(CommandError, match=expected):
        run(*options)
