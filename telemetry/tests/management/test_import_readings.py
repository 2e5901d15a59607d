"""`manage.py import_readings`: files as export makes them, each reading once, refused lines by reason, going on."""

import csv
import gzip
import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import OperationalError

from plants.models import Machine, Plant, Sensor, Zone
from plants.scales import BAD, GOOD
from telemetry.ingest.ledger import Kind
from telemetry.ingest.store import Store
from telemetry.models import Latest, Reading
from telemetry.queries.copy_out import export_connection
from telemetry.queries.export import Export, ExportedSensor, Format, exported
from telemetry.tests.samples import TEMP, dead, store_series, us, write

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kandy")]

RPM = "kandy/rolling/roller-2/rpm"
STATE = "kandy/rolling/roller-2/state"
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=5)
SECOND = timedelta(seconds=1)
HEAD = "address,timestamp,value,unit,quality\n"

Manage = Callable[..., subprocess.Popen[bytes]]


def line(i: int, value: object = None, address: str = TEMP, quality: object = GOOD) -> str:
    shown = i if value is None else value
    return f"{address},{(START + i * SECOND).isoformat()},{shown},°C,{quality}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "readings.csv"


def import_readings(file: Path, **options: object) -> str:
    output = StringIO()
    call_command("import_readings", file, stdout=output, stderr=output, **options)
    return output.getvalue()


def refused(file: Path, **options: object) -> tuple[int, str]:
    """The exit code and the report of an import that rejects something."""
    output = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("import_readings", file, stdout=output, stderr=output, **options)
    return caught.value.returncode, output.getvalue()


def counts(report: str) -> dict[str, int]:
    """The report's table by its first column."""
    rows = re.findall(r"^ *([a-z_]+) {2,}([0-9,]+)(?:  .*)?$", report.replace("to be stored", "stored      "), re.M)
    return {name: int(count.replace(",", "")) for name, count in rows}


def stored() -> list[tuple[int, datetime, float, int]]:
    rows = Reading.objects.order_by("sensor_id", "time")
    return [(row.sensor_id, row.time, row.value, row.quality) for row in rows]


def export(file: Path, form: Format, *sensors: Sensor) -> None:
    wanted = Export(tuple(ExportedSensor(s.number, s.address, s.unit) for s in sensors), format=form)

    async def collect() -> bytes:
        async with export_connection() as connection:
            return b"".join([piece async for piece in exported(connection, wanted)])

    file.write_bytes(async_to_sync(collect)())


@pytest.mark.parametrize("form", ["csv", "ndjson"])
@pytest.mark.parametrize("packed", [False, True])
def test_it_brings_back_exactly_what_was_exported(file: Path, form: Format, packed: bool) -> None:
    """Into an empty database, and once more, which changes nothing."""
    values = [(START + i * timedelta(microseconds=333_333), (i - 500) / 7) for i in range(1000)]
    values += [(START + timedelta(days=1, seconds=i), x) for i, x in enumerate([1e300, -5e-324, 0.1 + 0.2, 2.0**53])]
    temp = store_series(TEMP, values)
    rpm = Sensor.objects.named([RPM]).get()
    write([(rpm.number, us(START), -1.0, BAD), (rpm.number, us(START) + 1, -1.0, 64)])
    Sensor.objects.filter(pk=temp.pk).update(unit='="%,x')
    temp.refresh_from_db()
    before = stored()
    export(file, form, temp, rpm)
    if packed:
        file.write_bytes(gzip.compress(file.read_bytes()))
    Reading.objects.all()._raw_delete(Reading.objects.db)
    assert counts(import_readings(file)) == {
        "lines": 1006,
        "stored": 1006,
        "duplicate": 0,
        "conflict": 0,
        "rejected": 0,
    }
    assert stored() == before
    assert counts(import_readings(file))["duplicate"] == 1006
    assert stored() == before


def test_it_brings_readings_into_another_plant(file: Path, tmp_path: Path) -> None:
    temp = store_series(TEMP, [(START + i * SECOND, i / 3) for i in range(50)])
    zone = Zone.objects.create(plant=Plant.objects.create(slug="galle", name="Galle"), slug="rolling", name="Rolling")
    twin = Machine.objects.create(zone=zone, slug="roller-2", name="Roller 2")
    copy = Sensor.objects.create(machine=twin, slug="temp", name="Temperature")
    export(file, "csv", temp)
    file.write_text(file.read_text().replace("kandy/", "galle/"))
    import_readings(file)
    of = {number: [row[1:] for row in stored() if row[0] == number] for number in (temp.number, copy.number)}
    assert of[temp.number] == of[copy.number] != []


def test_it_reports_refused_lines_by_reason_and_takes_the_others(file: Path) -> None:
    file.write_text(
        HEAD
        + line(1)
        + line(2, "NaN")
        + line(3, address="kandy/rolling/roller-2/none")
        + line(4, address="kandy/rolling/roller-2/none")
        + line(-200 * 86_400)
        + "one,two\n"
        + line(5, "idle", STATE)
        + line(6, "asleep", STATE)
    )
    code, report = refused(file)
    assert code == 3
    assert counts(report) == {
        "lines": 8,
        "stored": 2,
        "duplicate": 0,
        "conflict": 0,
        "rejected": 6,
        "not_finite": 1,
        "unknown_sensor": 2,
        "timestamp_out_of_range": 1,
        "invalid_line": 1,
        "unknown_state": 1,
    }
    assert dead(Kind.IMPORT)["unknown_sensor"] == 2
    assert "line 4: There is no sensor kandy/rolling/roller-2/none." in report
    assert [row[2] for row in stored()] == [1.0, 2.0]


def test_it_counts_conflicts_without_failing(file: Path) -> None:
    store_series(TEMP, [(START + SECOND, 7.0)])
    file.write_text(HEAD + line(1, 8))
    assert counts(import_readings(file))["conflict"] == 1
    assert [row[2] for row in stored()] == [7.0]


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_it_writes_rejects_that_can_be_mended_and_imported(file: Path, tmp_path: Path, form: str) -> None:
    rows = [
        {"address": address, "timestamp": (START + i * SECOND).isoformat(), "value": i, "unit": 'a,"b"', "quality": 64}
        for i, address in enumerate([TEMP, "kandy/rolling/roller-2/tmp", RPM])
    ]
    if form == "ndjson":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        with file.open("w", newline="") as output:
            writer = csv.DictWriter(output, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    rejects = tmp_path / "rejects"
    assert refused(file, rejects=rejects)[0] == 3
    text = rejects.read_text()
    assert text.count("\n") == (1 if form == "ndjson" else 2)
    assert "unknown_sensor" in text
    rejects.write_text(text.replace("roller-2/tmp,", "roller-2/temp,").replace('roller-2/tmp"', 'roller-2/temp"'))
    assert counts(import_readings(rejects, rejects=tmp_path / "more"))["stored"] == 1
    assert sorted(row[2:] for row in stored()) == [(0.0, 64), (1.0, 64), (2.0, 64)]


def test_it_stores_nothing_in_a_dry_run(file: Path, tmp_path: Path) -> None:
    store_series(TEMP, [(START + SECOND, 1.0), (START + 2 * SECOND, 7.0)])
    before = stored()
    file.write_text(HEAD + line(1) + line(2) + line(3) + line(4, "x"))
    code, report = refused(file, dry_run=True)
    assert code == 3
    assert counts(report) == {
        "lines": 4,
        "stored": 1,
        "duplicate": 1,
        "conflict": 1,
        "rejected": 1,
        "not_a_number": 1,
    }
    assert stored() == before
    assert [path.name for path in tmp_path.iterdir()] == ["readings.csv"]


def test_it_goes_on_where_it_was_killed(file: Path, manage: Manage) -> None:
    lines, bad = 300_000, 1
    with file.open("w") as output:
        output.write(HEAD + line(0, "bad"))
        output.writelines(line(i) for i in range(1, lines))
    rejects = file.with_name("rejects.csv")
    state = file.with_name("readings.csv.import")
    process = manage("import_readings", str(file), "--rejects", str(rejects))
    deadline = time.monotonic() + 60
    while not state.exists() or not json.loads(state.read_text())["offset"]:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 0 < Reading.objects.count() < lines - bad
    code, report = refused(file, rejects=rejects)
    assert code == 3
    assert "Goes on behind line " in report
    found = counts(report)
    assert (found["lines"], found["rejected"]) == (lines, bad)
    assert found["stored"] + found["duplicate"] == lines - bad
    assert Reading.objects.count() == lines - bad
    assert rejects.read_text().count("\n") == 2
    assert not state.exists()


def test_it_stops_when_told_and_goes_on(file: Path, manage: Manage) -> None:
    file.write_text(HEAD + "".join(line(i) for i in range(200_000)))
    process = manage("import_readings", str(file))
    state = file.with_name("readings.csv.import")
    deadline = time.monotonic() + 60
    while not state.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 1
    log = process.log.read_text()  # type: ignore[attr-defined]
    assert "The same command goes on from there." in log
    done = Reading.objects.count()
    assert 0 < done < 200_000
    assert counts(import_readings(file)) == {
        "lines": 200_000,
        "stored": 200_000,
        "duplicate": 0,
        "conflict": 0,
        "rejected": 0,
    }


def test_it_begins_anew_with_another_file_of_the_same_name(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.imports.run.BATCH_LINES", 2)
    file.write_text(HEAD + line(1) + line(2) + line(3))
    fail_at(monkeypatch, 2)
    with pytest.raises(CommandError, match=r"behind line 3: away\. The same command goes on"):
        import_readings(file)
    file.write_text(HEAD + line(4) + line(5) + line(6) + line(7))
    assert counts(import_readings(file))["stored"] == 4


def test_it_begins_anew_on_demand(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.imports.run.BATCH_LINES", 2)
    file.write_text(HEAD + line(1) + line(2) + line(3))
    fail_at(monkeypatch, 2)
    with pytest.raises(CommandError):
        import_readings(file)
    assert counts(import_readings(file, restart=True)) == {
        "lines": 3,
        "stored": 1,
        "duplicate": 2,
        "conflict": 0,
        "rejected": 0,
    }


def fail_at(monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """Lets the database go away before the call-th batch, once."""
    calls = 0
    genuine = Store.write

    def write(self: Store, *batch: object) -> object:
        nonlocal calls
        calls += 1
        if calls == call:
            raise OperationalError("away")
        return genuine(self, *batch)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "write", write)


def test_it_imports_what_comes_before_the_damage_of_a_file(file: Path) -> None:
    packed = gzip.compress((HEAD + "".join(line(i, (i * 7919) % 1000) for i in range(5000))).encode())
    file.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(CommandError, match="damaged or incomplete behind line"):
        import_readings(file)
    assert Reading.objects.count() > 1000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "missing"),
        (b"timestamp,kandy/rolling/roller-2/temp\n", "Wide files can't be imported"),
        (b"\x1f\x8b damaged", "is damaged"),
    ],
)
def test_it_says_why_a_file_is_none_of_readings(file: Path, content: bytes, said: str) -> None:
    file.write_bytes(content)
    with pytest.raises(CommandError, match=said):
        import_readings(file)


def test_it_says_that_there_is_no_file(file: Path) -> None:
    with pytest.raises(CommandError, match="can't be read: No such file"):
        import_readings(file)


def test_it_does_not_overwrite_the_file_with_its_rejects(file: Path) -> None:
    file.write_text(HEAD + line(1))
    with pytest.raises(CommandError, match="would overwrite"):
        import_readings(file, rejects=file)


def test_it_reads_what_spreadsheets_write(file: Path) -> None:
    """A byte order mark, CRLF, columns in another order, no quality, quoted cells, empty lines."""
    rows = f'"7","°C\n2",{START.isoformat()},{TEMP}\r\n\r\n8,,{(START + SECOND).isoformat()},{TEMP}'
    file.write_bytes(b"\xef\xbb\xbf" + f"Value,unit,Timestamp,address\r\n{rows}".encode())
    assert counts(import_readings(file))["stored"] == 2
    assert [row[2:] for row in stored()] == [(7.0, GOOD), (8.0, GOOD)]


def test_it_refreshes_rollups_and_the_latest(file: Path) -> None:
    file.write_text(HEAD + line(1) + line(2))
    import_readings(file)
    with connection.cursor() as cursor:
        number = Latest.objects.get().pk
        cursor.execute("SELECT n, sum FROM rollup_1h WHERE sensor = %s", [number])
        assert cursor.fetchall() == [(2, 3.0)]
        cursor.execute("SELECT count(*) FROM rollup_dirty WHERE sensor = %s", [number])
        assert cursor.fetchone() == (0,)
    assert Latest.objects.get().value == 2.0
