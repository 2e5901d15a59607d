import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F, Max
from django.utils.timezone import now

from accounts.models import User
from accounts.tokens import InvalidAccessTokenError, sign_in, user_of_token
from alarms.models import Rule
from plants.models import Machine, Membership, Plant, Sensor
from telemetry.models import Latest, Reading

pytestmark = pytest.mark.django_db

PEOPLE = {
    role: {"email": f"{role}@demo.example", "password": f"{role} of the demo"}
    for role in ("admin", "operator", "viewer")
}


def seed(*args: object) -> str:
    output = StringIO()
    call_command("seed_demo", *map(str, args), stdout=output)
    return output.getvalue()


@pytest.fixture
def credentials(tmp_path: Path) -> Callable[..., Path]:
    def write(people: object = PEOPLE) -> Path:
        file = tmp_path / "credentials.json"
        file.write_text(json.dumps(people))
        return file

    return write


def test_it_fills_the_past_of_every_sensor_up_to_now() -> None:
    seed("--history-hours", 1)

    assert (Plant.objects.count(), Machine.objects.count(), Sensor.objects.count()) == (2, 12, 120)
    assert Reading.objects.count() > 108 * 350
    ages = [now() - newest for (newest,) in Latest.objects.values_list("time")]
    assert len(ages) == 120
    assert max(ages) < timedelta(minutes=7)  # of a sensor in one of its rare silences
    assert sorted(ages)[60] < timedelta(seconds=20)


def test_it_makes_the_newest_reading_the_latest() -> None:
    seed("--history-hours", 0.2)

    newest = dict(Reading.objects.values_list("sensor").annotate(Max("time")))
    assert dict(Latest.objects.values_list("sensor", "time")) == newest
    stored = Reading.objects.filter(time=F("sensor__latest__time")).values_list("sensor", "value", "quality")
    assert set(stored) == set(Latest.objects.values_list("sensor", "value", "quality"))


def test_it_adds_nothing_twice() -> None:
    seed("--history-hours", 0.5)
    before = Reading.objects.count()
    newest = Reading.objects.aggregate(newest=Max("time"))["newest"]

    seed("--history-hours", 0.5)

    assert Sensor.objects.count() == 120
    assert Reading.objects.filter(time__lte=newest).count() == before  # beside what became due meanwhile


def test_it_fills_only_the_time_after_the_newest_reading() -> None:
    seed("--history-hours", 0.2)
    state = Sensor.objects.get(machine__slug="roller-2", slug="state")  # a state is never silent
    moment = now() - timedelta(minutes=5)
    Reading.objects.filter(sensor=state).delete()
    Reading.objects.create(sensor=state, time=moment, value=1.0, quality=192)

    seed("--history-hours", 0.2)

    first, *filled = Reading.objects.filter(sensor=state).order_by("time")
    assert first.time == moment
    assert len(filled) >= 4


def test_it_does_not_move_latest_back() -> None:
    seed("--history-hours", 0)
    sensor = Sensor.objects.get(machine__slug="roller-2", slug="motor-current")
    ahead = now() + timedelta(minutes=1)
    Latest.objects.create(sensor=sensor, time=ahead, value=1.0, quality=192, received_at=now())

    seed("--history-hours", 0.2)

    assert Latest.objects.get(sensor=sensor).time == ahead


def test_it_makes_users_who_can_sign_in(credentials: Callable[..., Path]) -> None:
    seed("--history-hours", 0, "--credentials", credentials())

    for role, login in PEOPLE.items():
        user = User.objects.get(email=login["email"])
        assert user.role == role
        assert user.check_password(login["password"])
    members = Membership.objects.values_list("user__role", "plant__slug")
    assert sorted(members) == [
        ("operator", "kandy"),
        ("operator", "rotterdam"),
        ("viewer", "kandy"),
        ("viewer", "rotterdam"),
    ]


def test_it_hashes_a_password_again_only_if_it_changed(credentials: Callable[..., Path]) -> None:
    seed("--history-hours", 0, "--credentials", credentials())
    before = dict(User.objects.values_list("role", "password"))

    changed = PEOPLE | {"viewer": PEOPLE["viewer"] | {"password": "another password"}}
    seed("--history-hours", 0, "--credentials", credentials(changed))

    after = dict(User.objects.values_list("role", "password"))
    assert {role for role in after if after[role] != before[role]} == {"viewer"}
    assert User.objects.get(role="viewer").check_password("another password")
    assert Membership.objects.count() == 4


def test_it_gives_nobody_back_what_was_taken_from_them(credentials: Callable[..., Path]) -> None:
    seed("--history-hours", 0, "--credentials", credentials())
    User.objects.filter(role="operator").update(is_active=False)
    User.objects.filter(role="admin").update(role="viewer")
    Membership.objects.filter(user__email="viewer@demo.example", plant__slug="kandy").delete()

    said = seed("--history-hours", 0, "--credentials", credentials())

    assert "operator@demo.example is inactive and stays so" in said
    assert "admin@demo.example is viewer by now and stays so." in said
    assert not User.objects.get(email="operator@demo.example").is_active
    assert User.objects.get(email="admin@demo.example").role == "viewer"
    assert Membership.objects.filter(user__email="viewer@demo.example").count() == 1


def test_it_signs_out_whoever_has_another_password_now(credentials: Callable[..., Path]) -> None:
    seed("--history-hours", 0, "--credentials", credentials())
    tokens = {role: sign_in(User.objects.get(role=role)).access for role in PEOPLE}
    changed = PEOPLE | {"viewer": PEOPLE["viewer"] | {"password": "another password"}}

    seed("--history-hours", 0, "--credentials", credentials(changed))

    user_of_token(tokens["operator"])
    with pytest.raises(InvalidAccessTokenError):
        user_of_token(tokens["viewer"])


@pytest.mark.parametrize(
    "people",
    [[], {"boss": {"email": "a@b.example", "password": "x"}}, {"admin": {"email": "a@b.example"}}, {"admin": 1}],
)
def test_it_says_what_is_wrong_with_a_credentials_file(credentials: Callable[..., Path], people: object) -> None:
    with pytest.raises(CommandError, match="doesn't hold email and password by role"):
        seed("--credentials", credentials(people))


def test_it_says_that_a_credentials_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be read: No such file"):
        seed("--credentials", tmp_path / "nowhere.json")


@pytest.mark.parametrize("hours", [-1, 10_000, "nan"])
def test_it_refuses_a_history_of_impossible_length(hours: object) -> None:
    with pytest.raises(CommandError, match="--history-hours must be between"):
        seed("--history-hours", hours)


def test_it_makes_rules_once_and_leaves_what_became_of_them() -> None:
    assert "19 of its 19 alarm rules were missing." in seed("--history-hours", 0)
    Rule.objects.filter(kind="high_high").update(setpoint=101)
    assert "0 of its 19 alarm rules were missing." in seed("--history-hours", 0)
    assert set(Rule.objects.filter(kind="high_high").values_list("setpoint", flat=True)) == {101}
    for rule in Rule.objects.all():
        rule.full_clean()
