"""The admin site: its name, and on its first page the state of what the user sees."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.timezone import now

from accounts.models import User
from alarms.models import Alarm, NotificationChannel
from plants.models import Plant
from telemetry.models import DeadLetter, IngestShard
from telemetry.probes.checks import newest_migrations
from telemetry.queries.console import plant_views
from telemetry.queries.database import database
from telemetry.queries.jobs import jobs
from telemetry.queries.processes import ingest
from telemetry.queries.rates import WINDOW, readings_a_second
from telemetry.views.explorer import explored
from telemetry.views.tester import tested

MOST_COUNTED = 1000  # nobody reads further
QUIET_AFTER_S = 60  # sensors that report on change may be silent that long, a factory hardly is


@dataclass(frozen=True, slots=True)
class Figure:
    label: str
    value: str
    is_abnormal: bool = False


class OwnPasswordForm(AdminPasswordChangeForm):
    def save(self, commit: bool = True) -> User:
        """Not the whole row, as it was when the request began: the user may have lost role or activity since."""
        user: User = self.user
        user.change_password(self.cleaned_data["new_password1"])
        return user


class Console(AdminSite):
    site_header = site_title = "InQube"
    index_title = "Administration"
    index_template = "admin/console_index.html"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**now_of(request), **(extra_context or {})})

    def get_urls(self) -> list[Any]:
        own = [
            path("readings/", self.admin_view(self.readings), name="readings"),
            path("state/", self.admin_view(self.state), name="state"),
            path("topic-tester/", self.admin_view(self.topic_tester), name="topic_tester"),
        ]
        return [*own, *super().get_urls()]

    def state(self, request: HttpRequest) -> HttpResponse:
        """The figures of the first page as they are now, for its script."""
        return render(request, "admin/_console_state.html", now_of(request))

    def readings(self, request: HttpRequest) -> TemplateResponse:
        request.current_app = self.name
        context = {**self.each_context(request), "title": "Readings", **explored(request)}
        return TemplateResponse(request, "admin/readings.html", context)

    def topic_tester(self, request: HttpRequest) -> TemplateResponse:
        """The console's page in the admin's dress."""
        request.current_app = self.name
        context = {**self.each_context(request), "title": "Topic tester", **tested(request)}
        return TemplateResponse(request, "admin/topic_tester.html", context)

    def password_change(  # type: ignore[override]  # the parent's too answers a form that is right with a redirect
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """The parent's own, but for the form."""
        request.current_app = self.name
        return PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )(request)


def now_of(request: HttpRequest) -> dict[str, Any]:
    """What the first page says that changes by itself."""
    moment = now()
    return {"figures": figures(request.user, moment), "moment": moment}


def figures(user: Any, moment: datetime) -> list[Figure]:
    """The state of the user's plants, and for admins that of the installation; as many queries however many rows."""
    plants = plant_views(list(Plant.objects.visible_to(user)), moment)
    sensors = [sensor for plant in plants for sensor in plant.sensors]
    counts = {"fresh": 0, "late": 0, "stale": 0, "bad": 0, "none": 0}
    for sensor in sensors:
        counts[sensor.standing] += 1
    received = max((sensor.latest.received_at for sensor in sensors if sensor.latest), default=None)
    rate = readings_a_second([sensor.sensor.number for sensor in sensors], moment)
    shown = [
        newest_commit(received, moment),
        Figure("Readings in the last minute", f"{round(rate * WINDOW.total_seconds()):,}"),
        Figure("Sensors fresh", f"{counts['fresh']:,}"),
        Figure("Sensors late", f"{counts['late']:,}"),
        Figure("Sensors stale", f"{counts['stale']:,}", counts["stale"] > 0),
        Figure("Sensors bad", f"{counts['bad']:,}", counts["bad"] > 0),
        Figure("Sensors without a reading", f"{counts['none']:,}"),
        Figure("Plants", f"{len(plants):,}"),
        open_alarms(user),
        failing_channels(user),
        dead_letters(user),
    ]
    return shown + (installation(moment) if user.is_superuser else [])


def newest_commit(received: datetime | None, moment: datetime) -> Figure:
    """How long ago ingest last stored a reading."""
    label = "Newest reading stored"
    if received is None:
        return Figure(label, "never")
    age_s = max(0, int((moment - received).total_seconds()))
    return Figure(label, f"{ago(age_s)} ago", age_s > QUIET_AFTER_S)


def open_alarms(user: Any) -> Figure:
    """Those that call for somebody: neither shelved nor held under another."""
    calling = Alarm.objects.visible_to(user).calling().order_by()[: MOST_COUNTED + 1].count()
    return Figure("Open alarms", counted(calling), calling > 0)


def failing_channels(user: Any) -> Figure:
    """Where nobody hears of alarms."""
    failing = NotificationChannel.objects.visible_to(user).failing().count()
    return Figure("Notification channels that fail", f"{failing:,}", failing > 0)


def dead_letters(user: Any) -> Figure:
    """How many wait for somebody to decide; not counted further than anybody would read them."""
    waiting = DeadLetter.objects.visible_to(user).new().order_by()[: MOST_COUNTED + 1].count()
    return Figure("Dead letters to decide", counted(waiting), waiting > 0)


def counted(found: int) -> str:
    """Of rows that were counted up to one more than MOST_COUNTED."""
    return f"more than {MOST_COUNTED:,}" if found > MOST_COUNTED else f"{found:,}"


def ago(age_s: int) -> str:
    """`12 s`, `4 min`, `3 h`, `2 days`."""
    for seconds, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if age_s >= 2 * seconds:
            return f"{age_s // seconds} {unit}"
    return f"{age_s} s"


def installation(moment: datetime) -> list[Figure]:
    pending = len(newest_migrations() - set(MigrationRecorder(connection).applied_migrations()))
    return [
        Figure("Users", f"{User.objects.count():,}"),
        Figure("Database", database()),
        Figure(
            "Migrations", f"pending in {pending} app{'s' * (pending > 1)}" if pending else "all applied", pending > 0
        ),
        *ingest_processes(moment),
        *worker(moment),
    ]


def ingest_processes(moment: datetime) -> list[Figure]:
    state = ingest(moment)
    faults = [fault for shard in state.shards if (fault := fault_of(shard, moment))]
    standby = sum(shard.has_standby(moment) for shard in state.shards)
    shown = ", ".join(faults) or ("runs" if len(state.shards) == 1 else f"{len(state.shards)} shards run")
    if not state.shards:
        shown = "not running"
    elif standby:
        shown += f", {standby} on standby"
    return [
        Figure("Ingest", shown, bool(faults) or not state.shards),
        Figure("Ingest events in a day", f"{state.events:,}", state.events > 0),
    ]


def fault_of(shard: IngestShard, moment: datetime) -> str:
    """What keeps a shard from working, in words; empty where nothing does."""
    if not shard.runs(moment):
        return f"{shard} silent for {ago(int((moment - shard.seen_at).total_seconds()))}"
    return "" if shard.is_connected(moment) else f"{shard} without the broker"


def worker(moment: datetime) -> list[Figure]:
    state = jobs(moment)
    runs, seen = state.has_worker(moment), "runs"
    if not runs:
        seen = f"silent for {ago(int((moment - state.heard_of).total_seconds()))}" if state.heard_of else "not running"
    return [
        Figure("Worker", seen, not runs),
        Figure("Jobs failed", ", ".join(state.failed) or "none", bool(state.failed)),
        Figure("Jobs late", ", ".join(state.late) or "none", bool(state.late)),
    ]
