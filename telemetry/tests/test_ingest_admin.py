"""Ingest's processes and events in the admin: read by admins, written by nobody."""

from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from telemetry.models import IngestEvent, IngestShard


def test_it_shows_what_works_and_what_went_wrong(client: Client, alice: User) -> None:
    client.force_login(alice)
    IngestShard.objects.create(
        client_id="c-1of2", shard=1, of=2, host="a", pid=77, started_at=now(), seen_at=now(), contact_at=now()
    )
    event = IngestEvent.objects.create(at=now(), client_id="c-1of2", kind="broker_dropped", count=15, detail="Why not.")
    shards = client.get("/admin/telemetry/ingestshard/").content.decode()
    assert "c-1of2" in shards
    assert "works" in shards
    events = client.get("/admin/telemetry/ingestevent/").content.decode()
    assert "broker_dropped" in events
    assert "Why not." in events
    assert "c-1of2" in client.get(f"/admin/telemetry/ingestevent/{event.pk}/change/").content.decode()
