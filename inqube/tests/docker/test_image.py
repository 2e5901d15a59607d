"""docker/Dockerfile, as far as it can be tried without Docker: what it copies, runs and starts."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from daphne.cli import CommandLineInterface
from django.conf import settings

from inqube.tests.docker.composition import DOCKER, by_default, services

ROOT: Path = settings.BASE_DIR
INSTRUCTION = re.compile(r"^(FROM|COPY|RUN|USER|ENV|LABEL|ARG|CMD|HEALTHCHECK|EXPOSE|WORKDIR)\s+(.*)$", re.DOTALL)


def instructions() -> list[tuple[str, str]]:
    lines = [line for line in (DOCKER / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    found = (INSTRUCTION.match(line.strip()) for line in "\n".join(lines).replace("\\\n", " ").splitlines())
    return [(match[1], re.sub(r"\s+", " ", match[2])) for match in found if match]


def values(name: str) -> list[str]:
    return [value for instruction, value in instructions() if instruction == name]


def is_ignored(path: str) -> bool:
    """By .dockerignore: the last pattern that fits a file or a directory above it decides."""
    ignored = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if not line or line.startswith("#"):
            continue
        parts = path.split("/")
        above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        if pattern.startswith("**/"):
            fits = any(fnmatch.fnmatchcase(part, pattern[3:]) for part in parts)
        else:
            fits = any(fnmatch.fnmatchcase(each, pattern) and pattern.count("/") == each.count("/") for each in above)
        if fits:
            ignored = not line.startswith("!")
    return ignored


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image is made of: the files that git has, without those that .dockerignore names."""
    directory = tmp_path_factory.mktemp("context")
    tracked = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                             capture_output=True, text=True, check=True).stdout.split("\0")  # fmt: skip
    for name in filter(None, tracked):
        if not is_ignored(name) and (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, directory / name)
    return directory


def run(context: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """As in the image: no variable but those given, and no package that only development has."""
    (context / "blocked").mkdir(exist_ok=True)
    base, everything = (locked(ROOT / "requirements" / name) for name in ("base.txt", "dev.txt"))
    (context / "blocked" / "sitecustomize.py").write_text(BLOCK.format(names=sorted(everything - base)))
    return subprocess.run(
        [sys.executable, *command],
        cwd=context,
        env={"PYTHONPATH": str(context / "blocked"), "PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def locked(path: Path) -> set[str]:
    return set(re.findall(r"^([\w-]+)==", path.read_text(), re.MULTILINE))


# Fails the import of a module that comes from one of these packages.
BLOCK = """
import importlib.metadata as metadata, sys
class Blocked:
    names = {{m for m, packages in metadata.packages_distributions().items() if set(packages) <= set({names})}}
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"{{name}} is for development only")
sys.meta_path.insert(0, Blocked())
"""


def test_it_has_stages() -> None:
    assert len(values("FROM")) == 3
    assert "AS" not in values("FROM")[-1]


def test_it_has_the_programs_of_backups_of_the_database_s_release() -> None:
    """Debian trixie's client is that of PostgreSQL 17; pg_dump refuses a server that is newer than itself."""
    assert "trixie" in values("ARG")[0]
    assert " postgresql-client" in values("RUN")[-1]
    assert by_default(services()["db"]["image"]).endswith("-pg17")


def test_it_builds_on_a_python_that_is_new_enough() -> None:
    (argument,) = values("ARG")
    image = argument.removeprefix("PYTHON_IMAGE=")
    major, minor = re.fullmatch(r"python:(\d+)\.(\d+)-slim-\w+", image).groups()  # type: ignore[union-attr]
    assert (int(major), int(minor)) >= (3, 11)
    assert f'base.name="docker.io/library/{image}"' in values("LABEL")[0]


def test_it_installs_from_hashes_alone() -> None:
    for command in re.findall(r"pip install[^&]*", " ".join(values("RUN"))):
        assert "--require-hashes" in command
        assert all((ROOT / name).is_file() for name in re.findall(r"requirements/[\w.]+", command))


def test_it_copies_what_the_context_has(context: Path) -> None:
    for value in values("COPY"):
        if not value.startswith("--from"):
            assert all((context / source).exists() for source in value.split()[:-1])


def test_it_copies_no_secret_and_no_test(context: Path) -> None:
    found = {str(path.relative_to(context)) for path in context.rglob("*")}
    assert not {name for name in found if "/tests" in name or "secrets" in name or name.endswith(".env")}
    assert {"manage.py", "templates", "inqube/asgi.py", "docs/asyncapi.yaml", "docker/healthy.py"} <= found


def test_it_carries_the_version_of_the_project() -> None:
    assert f'image.version="{settings.VERSION}"' in values("LABEL")[0]


def test_it_runs_as_a_user_without_rights() -> None:
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", values("USER")[-1])


def test_it_starts_what_compose_starts() -> None:
    command = re.findall(r'"([^"]+)"', values("CMD")[-1])
    assert command == services()["web"]["command"]
    arguments = CommandLineInterface().parser.parse_args(command[1:])
    assert (arguments.host, arguments.port) == ("0.0.0.0", int(values("EXPOSE")[0]))


def test_it_collects_static_files_without_secrets_or_servers(context: Path, tmp_path: Path) -> None:
    """By name: that all of them can be hashed and compressed is for test_static_files."""
    assert "manage.py collectstatic --noinput" in " ".join(values("RUN"))
    done = run(context, "manage.py", "collectstatic", "--noinput", "--dry-run", STATIC_ROOT=str(tmp_path / "static"))
    assert done.returncode == 0, done.stderr[-2000:]
    for part in (f"{context}/inqube/static/", "django/contrib/admin/static/", "drf_spectacular_sidecar/static/"):
        assert part in done.stdout


def test_it_starts_nothing_without_secrets(context: Path) -> None:
    done = run(context, "-c", "import inqube.asgi")
    assert done.returncode != 0
    for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "DATABASE_URL", "MQTT_URL", "REDIS_URL"):
        assert f"{name} is not set" in done.stderr


# Loads each command that the image has, but for those that say in words that they are for development.
COMMANDS = """
import os, sys, django
from django.core.management import get_commands, load_command_class
os.environ["DJANGO_SETTINGS_MODULE"] = "inqube.settings"
django.setup()
for name, app in get_commands().items():
    if name != "demo":
        load_command_class(app, name)
"""


def test_it_has_the_packages_that_its_commands_need(context: Path) -> None:
    done = run(context, "-c", COMMANDS)
    assert done.returncode == 0, done.stderr
