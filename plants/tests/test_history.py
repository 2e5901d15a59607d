"""Every change of the factory is written down by the database, whoever makes it and however."""

from typing import Any

import pghistory
import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts.models import SecurityEvent, User
from plants.models import Machine, Membership, Plant, Sensor, Zone
from plants.tests.conftest import ApiOf

SENSOR_EVENT: Any = Sensor.pgh_event_model  # type: ignore[attr-defined]


def labels(sensor: Sensor) -> list[str]:
    return list(SENSOR_EVENT.objects.filter(pgh_obj=sensor).order_by("pgh_id").values_list("pgh_label", flat=True))


@pytest.fixture
def temp(kandy: Plant) -> Sensor:
    return Sensor.objects.get(slug="temp")


def by_save(sensor: Sensor) -> None:
    sensor.unit = "K"
    sensor.save(update_fields=["unit"])


def by_bulk_update(sensor: Sensor) -> None:
    sensor.unit = "K"
    Sensor.objects.bulk_update([sensor], ["unit"])


def by_queryset(sensor: Sensor) -> None:
    Sensor.objects.filter(pk=sensor.pk).update(unit="K")


def by_sql(sensor: Sensor) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE plants_sensor SET unit = 'K' WHERE id = %s", [sensor.pk])


@pytest.mark.parametrize("change", [by_save, by_bulk_update, by_queryset, by_sql])
def test_it_notes_a_change_however_it_is_made(temp: Sensor, change: Any) -> None:
    change(temp)
    assert labels(temp) == ["created", "updated"]
    assert SENSOR_EVENT.objects.get(pgh_obj=temp, pgh_label="updated").unit == "K"


def test_it_notes_nothing_when_nothing_changes(temp: Sensor) -> None:
    temp.save()
    assert labels(temp) == ["created"]


def test_it_keeps_what_was_deleted(temp: Sensor) -> None:
    key = temp.pk
    Plant.objects.all().delete()
    event = SENSOR_EVENT.objects.get(pgh_obj=key, pgh_label="deleted")
    assert (event.slug, event.unit) == ("temp", "°C")


def test_it_notes_rows_that_are_made_in_bulk(temp: Sensor) -> None:
    made = Sensor.objects.bulk_create([Sensor(machine=temp.machine, slug=f"s{n}", name="S") for n in range(3)])
    assert [labels(sensor) for sensor in made] == [["created"]] * 3


@pytest.mark.parametrize("model", [User, Plant, Membership, Zone, Machine, Sensor])
def test_it_follows_every_model_of_configuration(bob: User, model: Any) -> None:
    assert model.pgh_event_model.objects.filter(pgh_label="created").count() == model.objects.count() > 0


def audit_tables() -> list[str]:
    return [*(model._meta.db_table for model in pghistory.core.event_models()), SecurityEvent._meta.db_table]


@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", audit_tables())
def test_it_refuses_to_rewrite_history(db: None, table: str, statement: str) -> None:
    column = "kind" if table == SecurityEvent._meta.db_table else "pgh_label"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER append_only_truncate")  # see conftest.django_db_setup
        with pytest.raises(DatabaseError, match=f"{table} is append-only"), transaction.atomic():
            cursor.execute(statement.format(table, column, column))


def test_it_refuses_to_rewrite_history_through_the_orm(temp: Sensor) -> None:
    events = SENSOR_EVENT.objects.filter(pgh_obj=temp)
    event = events.get()
    event.unit = "K"
    for attempt in (
        lambda: events.update(unit="K"),
        events.delete,
        lambda: SENSOR_EVENT.objects.bulk_update([event], ["unit"]),
        event.save,
        event.delete,
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            attempt()
    assert events.get().unit == "°C"


def test_it_refuses_also_where_the_librarys_own_triggers_would_give_way(temp: Sensor) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL pgtrigger.ignore = '{append_only}'")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute("DELETE FROM plants_sensorevent")


def test_it_tells_who_changed_over_rest_from_where_and_in_which_request(api_of: ApiOf, bob: User, temp: Sensor) -> None:
    response = api_of(bob).patch(
        f"/api/v1/sensors/{temp.pk}/",
        {"unit": "K"},
        headers={"X-Request-ID": "the-request-1"},
        REMOTE_ADDR="192.0.2.7",
    )
    assert response.status_code == 200
    context = SENSOR_EVENT.objects.get(pgh_obj=temp, pgh_label="updated").pgh_context
    assert context == {
        "user": str(bob.pk),
        "url": f"/api/v1/sensors/{temp.pk}/",
        "method": "PATCH",
        "address": "192.0.2.7",
        "request_id": "the-request-1",
    }


def test_it_tells_who_changed_in_the_admin(client: Client, bob: User, kandy: Plant) -> None:
    client.force_login(bob)
    form = {"name": "Kandy Tea", "location": "", "timezone": "UTC", "on_unknown": "quarantine"}
    assert client.post(f"/admin/plants/plant/{kandy.pk}/change/", form).status_code == 302
    event_model: Any = Plant.pgh_event_model  # type: ignore[attr-defined]
    event = event_model.objects.get(pgh_label="updated")
    assert (event.name, event.pgh_context["user"]) == ("Kandy Tea", str(bob.pk))


@pytest.mark.django_db(transaction=True)  # what a request says holds until its transaction ends
def test_it_forgets_a_request_when_it_is_over(api_of: ApiOf, bob: User, temp: Sensor) -> None:
    api_of(bob).patch(f"/api/v1/sensors/{temp.pk}/", {"unit": "K"})
    Sensor.objects.filter(pk=temp.pk).update(unit="°F")
    assert SENSOR_EVENT.objects.get(pgh_obj=temp, unit="°F").pgh_context is None


def test_it_names_the_command_that_changed(manage: Any) -> None:
    process = manage("createsuperuser", "--noinput", "--email", "dora@example.org", DJANGO_SUPERUSER_PASSWORD="x" * 12)
    assert process.wait(60) == 0, process.log.read_text()
    event_model: Any = User.pgh_event_model  # type: ignore[attr-defined]
    assert event_model.objects.get(pgh_label="created").pgh_context == {"command": "createsuperuser"}
