"""`/telemetry/export`: readings and buckets as files of any size."""

import asyncio
import time
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from threading import Lock
from typing import Any, cast
from uuid import UUID

import structlog
from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.http.request import HttpHeaders
from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import User
from plants.models import Sensor
from telemetry.api.views import find, names
from telemetry.queries.copy_out import export_connection
from telemetry.queries.export import AGGREGATES, Export, ExportedSensor, exported

MAX_LONG = 300  # sensors of a long file; the names of more don't fit into the headers that daphne takes
MAX_WIDE = 100  # sensors of a wide one: the database looks at each column for each reading
EXPORTS_AT_ONCE = 4  # in a process: each has a connection and keeps a core of the database busy
EXPORTS_OF_A_USER = 2
BEGIN_WITHIN_S = 10.0  # a client that leaves while the view works: Django drops the response without a word
RETRY_AFTER_S = 30
CHECK_EVERY_S = 5.0  # whether who began the export may still see what is in it
GZIP_LEVEL = 4  # a fifth of the size; higher levels take twice the time for a few per cent

TYPES = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
GZIP_TYPE = "application/gzip"

log = structlog.get_logger("inqube.export")


class BusyError(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = f"This server makes {EXPORTS_AT_ONCE} exports already. Try again when one has ended."
    default_code = "busy"
    wait = RETRY_AFTER_S


class TooManyError(APIException):
    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_detail = f"{EXPORTS_OF_A_USER} exports of yours are running. Wait until one has ended."
    default_code = "throttled"
    wait = RETRY_AFTER_S


class AccessEndedError(Exception):
    """Who began the export may no longer see all that is in it."""


@dataclass(eq=False, slots=True)
class Slot:
    """The right to make one export."""

    user: UUID
    taken_at: float
    has_begun: bool = False


class Slots:
    """Which exports run in this process. Views are in threads, the exports in the event loop."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: set[Slot] = set()

    def take(self, user: UUID) -> Slot:
        """A slot, which counts until it is given back, or for BEGIN_WITHIN_S if its export does not begin."""
        now = time.monotonic()
        with self._lock:
            self._held = {each for each in self._held if each.has_begun or now - each.taken_at < BEGIN_WITHIN_S}
            if sum(each.user == user for each in self._held) >= EXPORTS_OF_A_USER:
                raise TooManyError
            if len(self._held) >= EXPORTS_AT_ONCE:
                raise BusyError
            slot = Slot(user, now)
            self._held.add(slot)
        return slot

    def begin(self, slot: Slot) -> None:
        with self._lock:
            slot.has_begun = True
            self._held.add(slot)

    def give_back(self, slot: Slot) -> None:
        with self._lock:
            self._held.discard(slot)

    @property
    def running(self) -> int:
        return sum(slot.has_begun for slot in self._held)


slots = Slots()


class ExportQuery(serializers.Serializer):
    """What `GET /telemetry/export` takes beside the sensors."""

    start = serializers.DateTimeField(required=False, help_text="From this time on; by default from the first reading.")
    end = serializers.DateTimeField(required=False, help_text="Up to before this time; by default up to the last.")
    bucket = serializers.ChoiceField(
        choices=["raw", "1m", "1h", "1d"], default="raw", help_text="Single readings, or buckets aligned to UTC."
    )
    shape = serializers.ChoiceField(
        choices=["long", "wide"],
        default="long",
        help_text="`long`: a row a reading, sensor after sensor. `wide`: a row for each time, a column a sensor.",
    )
    agg = serializers.ChoiceField(
        choices=list(AGGREGATES), required=False, help_text="What a wide file of buckets holds; by default `avg`."
    )
    quality = serializers.ChoiceField(
        choices=["any", "good"], default="any", help_text="Which single readings; buckets are about good ones."
    )
    format = serializers.ChoiceField(choices=["csv", "ndjson"], default="csv")
    gzip = serializers.BooleanField(
        default=False,
        help_text="A .gz file. Without it, clients that accept gzip as an encoding are sent it as one.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "start" in attrs and "end" in attrs and attrs["start"] >= attrs["end"]:
            raise serializers.ValidationError({"start": "The start must lie before the end."})
        if "agg" in attrs and (attrs["shape"] != "wide" or attrs["bucket"] == "raw"):
            raise serializers.ValidationError({"agg": "Only wide files of buckets have one; long ones have all."})
        return attrs


class FileNegotiation(BaseContentNegotiation):
    """The query decides what file it is; whatever the client accepts, errors are problems."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class ExportView(APIView):
    """Readings as a file, streamed while the database finds them: of any size, in constant memory."""

    renderer_classes = [JSONRenderer]
    content_negotiation_class = FileNegotiation
    throttle_scope = "exports"

    @extend_schema(
        operation_id="telemetry_export",
        tags=["telemetry"],
        parameters=[
            names(
                "sensor_id", f"UUIDs or addresses of sensors, {MAX_LONG} at most; if wide {MAX_WIDE}.", required=True
            ),
            ExportQuery,
        ],
        responses={
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "With a head that names the columns."),
            (200, "application/x-ndjson"): OpenApiResponse(OpenApiTypes.STR, "An object in each line."),
            (200, GZIP_TYPE): OpenApiResponse(OpenApiTypes.BINARY, "With `gzip=true`."),
            503: OpenApiResponse(description="Too many exports are running; `Retry-After` says when to try again."),
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        query = ExportQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        export = export_of(request, query.validated_data)
        compress = encoding(request.headers, as_file=query.validated_data["gzip"])
        headers = headers_of(export, compress)
        response: HttpResponseBase
        if request.method == "HEAD":
            response = HttpResponse(headers=headers)
        else:
            user = cast(User, request.user)
            stream = Stream(export, user, slots.take(user.pk), compress=compress is not None)
            response = ExportResponse(stream, headers=headers)
        patch_vary_headers(response, ["Accept-Encoding"])
        return response


def export_of(request: Request, query: dict[str, Any]) -> Export:
    given = request.query_params.getlist("sensor_id")
    most = MAX_WIDE if query["shape"] == "wide" else MAX_LONG
    if not 0 < len(given) <= most:
        raise ValidationError({"sensor_id": f"Name 1 to {most} sensors."})
    found = find(Sensor.objects.visible_to(request.user), given, "sensor")
    sensors = [
        ExportedSensor(sensor.number, sensor.address, sensor.unit)
        for sensor in found.select_related("machine__zone__plant")
    ]
    return Export(
        tuple(sorted(sensors, key=attrgetter("address"))),
        query.get("start"),
        query.get("end"),
        query["format"],
        query["shape"],
        query["bucket"],
        query.get("agg", "avg"),
        good_only=query["quality"] == "good",
    )


def encoding(headers: HttpHeaders, *, as_file: bool) -> str | None:
    """How the answer is compressed: as a gzip file, in transit (`transit`), or not at all."""
    if as_file:
        return "file"
    for each in headers.get("Accept-Encoding", "").lower().split(","):
        coding, _, weight = each.partition(";")
        if coding.strip() in ("gzip", "*") and weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            return "transit"
    return None


def headers_of(export: Export, compress: str | None) -> dict[str, str]:
    name = filename(export) + (".gz" if compress == "file" else "")
    headers = {
        "Content-Type": GZIP_TYPE if compress == "file" else TYPES[export.format],
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    if compress == "transit":
        headers["Content-Encoding"] = "gzip"
    return headers


def filename(export: Export) -> str:
    """Such as `kandy-rolling-roller-2-temp_20261124T000000Z_20261125T000000Z.csv`, in ASCII."""
    sensors = export.sensors
    what = sensors[0].address.replace("/", "-") if len(sensors) == 1 else f"{len(sensors)}-sensors"
    parts = [what, *([export.bucket] if export.bucket != "raw" else []), _moment(export.start), _moment(export.end)]
    return "_".join(part for part in parts if part) + f".{export.format}"


def _moment(time: datetime | None) -> str:
    return f"{time.astimezone(UTC):%Y%m%dT%H%M%SZ}" if time else ""


class Stream:
    """The body of the response: a file as long as its client reads on and its user may see what is in it."""

    def __init__(self, export: Export, user: User, slot: Slot, *, compress: bool) -> None:
        self._export, self._user, self._slot, self._compress = export, user, slot, compress

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.body()

    async def body(self) -> AsyncGenerator[bytes, None]:
        began = time.monotonic()
        size = 0
        outcome = "broken off"
        slots.begin(self._slot)
        try:
            # The view's own connection would stay out of the pool until the response has ended.
            await sync_to_async(give_back_connections)()
            async with aclosing(self._pieces()) as pieces:
                async for piece in pieces:
                    size += len(piece)
                    yield piece
            outcome = "complete"
        except AccessEndedError:
            outcome = "ended with the user's access"
            raise
        finally:
            slots.give_back(self._slot)
            log.info(
                "export",
                outcome=outcome,
                user=str(self._user.pk),
                sensors=len(self._export.sensors),
                bytes=size,
                seconds=round(time.monotonic() - began, 1),
            )

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        compressor = zlib.compressobj(GZIP_LEVEL, wbits=zlib.MAX_WBITS | 16) if self._compress else None
        checked = time.monotonic()
        async with export_connection() as connection, aclosing(exported(connection, self._export)) as pieces:
            first = True
            async for piece in pieces:
                if time.monotonic() - checked >= CHECK_EVERY_S:
                    await sync_to_async(self._check_access)()
                    checked = time.monotonic()
                if compressor is None:
                    yield piece
                    continue
                # zlib lets others work meanwhile; the first bytes go out without waiting for more.
                packed = await asyncio.to_thread(compressor.compress, piece)
                if first:
                    packed += compressor.flush(zlib.Z_SYNC_FLUSH)
                    first = False
                if packed:
                    yield packed
        if compressor is not None:
            yield compressor.flush()

    def _check_access(self) -> None:
        """What the guard of sockets asks too: a file of hours must not outlast the right to it."""
        try:
            user = User.objects.filter(pk=self._user.pk, token_version=self._user.token_version).first()
            numbers = [sensor.number for sensor in self._export.sensors]
            if user is None or Sensor.objects.visible_to(user).filter(number__in=numbers).count() < len(numbers):
                raise AccessEndedError
        finally:
            give_back_connections()


class ExportResponse(StreamingHttpResponse):
    """Ends its stream, and with it the query, as soon as the client leaves: Django leaves it to the collector."""

    def __init__(self, stream: Stream, headers: dict[str, str]) -> None:
        super().__init__(stream, headers=headers)
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async with aclosing(self._stream.body()) as pieces:
            async for piece in pieces:
                yield piece


def give_back_connections() -> None:
    """Gives this thread's connections back to the pool, but for those that a test keeps in a transaction."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
