"""Discovered sensors: what devices send for sensors that nobody has made, to be adopted or ignored."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from plants.models import Plant
from plants.scales import microseconds
from telemetry.adopt import MAX_ADOPTED, Adoption, Refused, adopt, adopt_many, guess_of
from telemetry.forms import AdoptForm
from telemetry.guess import Guess, Seen, guess
from telemetry.models import DiscoveredSensor, QuarantinedSample
from telemetry.models.discovered import DiscoveredSensorQuerySet
from telemetry.views.access import for_operators
from telemetry.views.chosen import chosen_ids

PAGE = 50
SAMPLES = 20


class Row(NamedTuple):
    entry: DiscoveredSensor
    guess: Guess  # by name and newest sample; the page of the entry looks at more


@require_http_methods(["GET", "HEAD", "POST"])
@for_operators
@never_cache
def discovered_sensors(request: HttpRequest) -> HttpResponse:
    """The entries of a plant and state; a POST adopts or ignores those chosen of them."""
    state = request.GET.get("state", "new")
    state = state if state in DiscoveredSensor.State.values else "new"
    plant = request.GET.get("plant", "")
    entries = DiscoveredSensor.objects.visible_to(request.user).filter(state=state)
    entries = entries.filter(plant__slug=plant) if plant else entries
    if request.method == "POST":
        return _act(request, entries)
    plants = Plant.objects.visible_to(request.user)
    page = Paginator(entries.select_related("plant", "sensor").order_by("plant__name", "address"), PAGE).get_page(
        request.GET.get("page")
    )
    return render(
        request,
        "telemetry/discovered_sensors.html",
        {
            "page": "discovered_sensors",
            "states": DiscoveredSensor.State.choices,
            "state": state,
            "chosen_plant": plant,
            "plants": plants,
            "wrong": _wrong(request.GET, state, [each.slug for each in plants]),
            "entries": page,
            "rows": [Row(each, _rough_guess(each)) for each in page],
            "now": timezone.now(),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_operators
@never_cache
def discovered_sensor(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One entry with its samples, and the form that makes a sensor of it."""
    visible = DiscoveredSensor.objects.visible_to(request.user)
    entry = get_object_or_404(visible.select_related("plant", "sensor", "decided_by"), pk=pk)
    data = request.POST if request.POST.get("action") == "adopt" else None
    form = AdoptForm(data, initial=dict(guess_of(entry)), label_suffix="")
    if request.method == "POST" and _decided(request, entry, form):
        return redirect("discovered_sensor", pk=pk)
    samples = QuarantinedSample.objects.filter(discovered=entry.number).order_by("-time")
    return render(
        request,
        "telemetry/discovered_sensor.html",
        {
            "page": "discovered_sensors",
            "entry": entry,
            "form": form,
            "samples": samples[:SAMPLES],
            "now": timezone.now(),
        },
    )


def _wrong(query: Mapping[str, str], state: str, plants: Collection[str]) -> str:
    """What of the query was not understood, in a sentence."""
    if query.get("state") and query["state"] != state:
        known = ", ".join(DiscoveredSensor.State.values)
        return f"There is no state “{query['state']}”: these are the new ones. States are {known}."
    if (plant := query.get("plant")) and plant not in plants:
        return f"There is no plant “{plant}”, so no sensor is from it."
    return ""


def _rough_guess(entry: DiscoveredSensor) -> Guess:
    seen = [Seen(microseconds(entry.last_time), entry.last_value, entry.last_label or None)] if entry.last_time else []
    return guess(entry.address.rpartition("/")[2], seen)


def _act(request: HttpRequest, entries: DiscoveredSensorQuerySet) -> HttpResponse:
    chosen = entries.new().order_by("address")
    if "everything" not in request.POST:
        chosen = chosen.filter(pk__in=chosen_ids(request.POST, "entry"))
    if request.POST.get("action") == "adopt":
        found = list(chosen[: MAX_ADOPTED + 1])
        done, refused = adopt_many(found[:MAX_ADOPTED], _user(request), timezone.now(), settings.RAW_RETENTION_DAYS)
        _tell(request, done, refused, has_more=len(found) > MAX_ADOPTED)
    elif request.POST.get("action") == "ignore":
        ids = chosen.order_by().values("pk")
        ignored = DiscoveredSensor.objects.filter(pk__in=ids).ignore(_user(request), timezone.now())
        messages.success(request, f"{ignored} ignored. Their samples are counted, but no longer kept.")
    return redirect(request.get_full_path())


def _decided(request: HttpRequest, entry: DiscoveredSensor, form: AdoptForm) -> bool:
    """False where the form has to be mended first."""
    user, now = _user(request), timezone.now()
    match request.POST.get("action"):
        case "ignore":
            entry.ignore(user, now)
        case "unignore":
            entry.unignore(user, now)
        case "adopt":
            if not form.is_valid():
                return False
            return _adopted(request, entry, form, form.cleaned_data)
        case "store":  # what stayed in the quarantine of an adopted one
            return _adopted(request, entry, form, {})
    return True


def _adopted(request: HttpRequest, entry: DiscoveredSensor, form: AdoptForm, chosen: dict[str, Any]) -> bool:
    try:
        done = adopt(entry, _user(request), timezone.now(), settings.RAW_RETENTION_DAYS, chosen)
    except ValidationError as error:
        form.add_error(None, error.messages)
        return False
    _tell(request, [done], [], has_more=False)
    return True


def _tell(request: HttpRequest, done: list[Adoption], refused: list[Refused], has_more: bool) -> None:
    rejected = sum(each.rejected.total() for each in done)
    said = render_to_string(
        "telemetry/_adopted.html",
        {
            "adopted": len(done),
            "stored": sum(each.stored for each in done),
            "letters": sum(each.letters for each in done),
            "rejected": rejected,
            "refused": refused,
            "has_more": has_more,
        },
    )
    messages.add_message(request, messages.WARNING if refused or rejected else messages.SUCCESS, said)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
