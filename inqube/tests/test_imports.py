"""The direction of dependencies: telemetry → alarms → plants → accounts, wired by inqube (DESIGN §2)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

APPS = ("accounts", "plants", "alarms", "telemetry")
FORBIDDEN = {
    "accounts": ("inqube", "plants", "alarms", "telemetry"),
    "plants": ("inqube", "alarms", "telemetry"),
    "alarms": ("inqube", "telemetry"),
    "telemetry": ("inqube",),
}
INGEST = "telemetry/ingest"
PURE = {f"{INGEST}/{stage}.py" for stage in ("decode", "validate", "batch", "counters", "shard")}
PURE |= {f"alarms/{module}.py" for module in ("conditions", "lifecycle", "titles")}
PURE |= {f"alarms/notifications/{module}.py" for module in ("policy", "messages", "payloads", "addresses")}
MQTT = {f"{INGEST}/mqtt.py", f"{INGEST}/subscriptions.py"}
IMPURE = ("django", "psycopg", "mqtt5")
STAGES = {f"telemetry.ingest.{stage}" for stage in ("mqtt", "decode", "resolve", "validate", "batch", "store")}
PIPELINE = f"{INGEST}/pipeline.py"


def is_below(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def imported(source: str, package: str) -> Iterator[str]:
    """The full names of all that a module imports, wherever in it; `package` is the one that holds the module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base]).rstrip(".")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def violations(path: str, source: str) -> list[str]:
    """What the module at `path`, relative to the repository, imports and should not."""
    app = path.partition("/")[0]
    modules = set(imported(source, str(Path(path).parent).replace("/", ".")))
    found = {m for m in modules for package in FORBIDDEN[app] if is_below(m, package)}
    if path in PURE:
        found |= {m for m in modules for package in IMPURE if is_below(m, package)}
    if app == "telemetry" and path not in MQTT:
        found |= {m for m in modules if is_below(m, "mqtt5")}
    if path != PIPELINE and modules >= STAGES:
        found.add("every stage")
    own = path.removesuffix(".py").replace("/", ".")
    if own in STAGES:
        found |= {m for m in modules for stage in STAGES - {own} if is_below(m, stage)}
    return sorted(f"{path} imports {name}" for name in found)


def sources() -> list[tuple[str, str]]:
    """Every module of the apps; tests may import what they like, so that they can wire what they test."""
    paths = (path for app in APPS for path in sorted((ROOT / app).rglob("*.py")))
    return [(str(path.relative_to(ROOT)), path.read_text()) for path in paths if "tests" not in path.parts]


def test_it_points_down() -> None:
    modules = sources()
    assert len(modules) > 30
    assert [found for path, source in modules for found in violations(path, source)] == []


@pytest.mark.parametrize(
    ("path", "source", "name"),
    [
        ("accounts/models.py", "import plants", "plants"),
        ("accounts/api/views.py", "from plants.models import Plant", "plants.models"),
        ("accounts/tokens.py", "def f():\n    import telemetry.models", "telemetry.models"),
        ("plants/admin.py", "from telemetry import models", "telemetry"),
        ("alarms/evaluate.py", "from telemetry.ingest.store import Store", "telemetry.ingest.store"),
        ("alarms/conditions.py", "import psycopg", "psycopg"),
        ("plants/api/urls.py", "from inqube.api.pagination import Pages", "inqube.api.pagination"),
        ("plants/api/urls.py", "from ...telemetry import models", "telemetry.models"),
        ("telemetry/views/console.py", "if True:\n    from inqube import urls", "inqube.urls"),
        ("telemetry/ingest/store.py", "import mqtt5", "mqtt5"),
        ("telemetry/management/commands/ingest.py", "from mqtt5 import read", "mqtt5.read"),
        ("telemetry/ingest/decode.py", "from django.utils.timezone import now", "django.utils.timezone"),
        ("telemetry/ingest/validate.py", "import psycopg.types", "psycopg.types"),
        ("telemetry/ingest/batch.py", "import django", "django"),
        ("telemetry/ingest/store.py", "from telemetry.ingest.mqtt import Receiver", "telemetry.ingest.mqtt"),
        ("telemetry/jobs.py", "\n".join(f"import {stage}" for stage in STAGES), "every stage"),
    ],
)
def test_it_notices_a_violation(path: str, source: str, name: str) -> None:
    assert f"{path} imports {name}" in violations(path, source)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("telemetry/views/console.py", "from plants.models import Plant\nfrom accounts.models import User"),
        ("plants/models.py", "from accounts.models import User"),
        ("plants/api/views.py", "from ..models import Plant"),
        ("accounts/models.py", "import plantsnames\nfrom django.db import models"),
        ("telemetry/ingest/mqtt.py", "import mqtt5"),
        ("telemetry/ingest/pipeline.py", "\n".join(f"import {stage}" for stage in STAGES)),
    ],
)
def test_it_lets_pass_what_points_down(path: str, source: str) -> None:
    assert violations(path, source) == []
