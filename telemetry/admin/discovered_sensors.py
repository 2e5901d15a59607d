"""Discovered sensors in the admin."""

from collections.abc import Iterator
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from accounts.models import User
from plants.admin import PlantFilter
from telemetry.admin.inbox import InboxAdmin
from telemetry.adopt import MAX_ADOPTED, adopt_many, guess_of
from telemetry.models import DiscoveredSensor


class StateFilter(admin.SimpleListFilter):
    """What is new, unless asked otherwise: the list is of what somebody has to decide."""

    title = parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("adopted", "Adopted"), ("ignored", "Ignored"), ("all", "All")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """The first, with which the list begins, is no “All”."""
        first, *others = super().choices(changelist)
        yield first | {"display": "New"}
        yield from others

    def queryset(self, request: HttpRequest, entries: QuerySet[DiscoveredSensor]) -> QuerySet[DiscoveredSensor]:
        if self.value() == "all":
            return entries
        return entries.filter(state=self.value() or DiscoveredSensor.State.NEW)


@admin.register(DiscoveredSensor)
class DiscoveredSensorAdmin(InboxAdmin):
    """What devices send for sensors that nobody has made."""

    list_display = ("address", "newest", "count", "kept", "not_kept", "first_seen", "last_seen", "state")
    list_filter = (StateFilter, ("plant", PlantFilter))
    search_fields = ("address",)
    ordering = ("address",)
    actions = ("adopt", "ignore", "unignore")
    fields = (
        *("address", "plant", "newest", "last_time", "last_quality", "guess", "count", "kept", "not_kept"),
        *("first_seen", "last_seen", "state", "sensor", "decided_at", "decided_by"),
    )
    readonly_fields = fields

    @admin.display(description="newest sample", empty_value="")
    def newest(self, entry: DiscoveredSensor) -> str | None:
        return entry.last_label or (None if entry.last_value is None else f"{entry.last_value:g}")

    @admin.display(description="guess")
    def guess(self, entry: DiscoveredSensor) -> str:
        """`Inlet temp: gauge, temperature in °C, every 5 s`."""
        guessed = guess_of(entry)
        words = [guessed["kind"], " in ".join(filter(None, (guessed["type"], guessed["unit"])))]
        words.append(" ".join(guessed["states"].values()))
        if guessed["expected_interval_s"]:
            words.append(f"every {guessed['expected_interval_s']:g} s")
        return f"{guessed['name']}: {', '.join(filter(None, words))}"

    @admin.action(description="Adopt selected sensors, as they are guessed")
    def adopt(self, request: HttpRequest, entries: QuerySet[DiscoveredSensor]) -> None:
        chosen = entries.order_by("address")[:MAX_ADOPTED]
        done, refused = adopt_many(chosen, cast(User, request.user), now(), settings.RAW_RETENTION_DAYS)
        stored = sum(each.stored for each in done)
        self.message_user(request, f"{len(done):,} adopted, {stored:,} readings stored.")
        kept = sum(each.rejected.total() for each in done)
        if kept:
            reasons = ", ".join(sorted({str(reason) for each in done for reason in each.rejected}))
            self.message_user(request, f"{kept:,} samples stay in the quarantine: {reasons}.", messages.WARNING)
        for entry, detail in refused:
            self.message_user(request, f"{entry}: {detail}", messages.ERROR)

    @admin.action(description="Ignore selected sensors")
    def ignore(self, request: HttpRequest, entries: QuerySet[DiscoveredSensor]) -> None:
        ids = entries.order_by().values("pk")
        ignored = DiscoveredSensor.objects.filter(pk__in=ids).ignore(cast(User, request.user), now())
        self.message_user(request, f"{ignored:,} ignored.")

    @admin.action(description="Ignore selected sensors no longer")
    def unignore(self, request: HttpRequest, entries: QuerySet[DiscoveredSensor]) -> None:
        changed = sum(entry.unignore(cast(User, request.user), now()) for entry in entries)
        self.message_user(request, f"{changed:,} new again.")
