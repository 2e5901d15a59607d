"""docker/compose.yml and its overrides: valid, whole, and nothing open that need not be."""

import gzip
import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class
from jsonschema import Draft7Validator

from inqube.tests.docker.composition import (
    DOCKER,
    OVERRIDES,
    VARIABLE,
    by_default,
    is_ours,
    load,
    mounted,
    runs_once,
    services,
)

# schema/compose-spec.json of https://github.com/compose-spec/compose-spec at 170098ba07d9 (Apache-2.0, its licence
# beside it), without white space, so that this needs no network.
SCHEMA = Path(__file__).parent / "vendor" / "compose-spec.json.gz"
FILES = ["compose.yml", *OVERRIDES]
OURS = [name for name, service in services().items() if is_ours(service)]


@pytest.mark.parametrize("name", FILES)
def test_it_is_valid(name: str) -> None:
    official = Draft7Validator(json.loads(gzip.decompress(SCHEMA.read_bytes())))
    assert [f"{error.json_path}: {error.message[:200]}" for error in official.iter_errors(load(name))] == []


def test_it_publishes_the_web_port_alone_and_to_this_machine() -> None:
    published = {name: ports for name, service in services().items() if (ports := service.get("ports"))}
    published = {name: ports for name, ports in published.items() if "profiles" not in services()[name]}
    assert list(published) == ["web"]
    assert [by_default(port) for port in published["web"]] == ["127.0.0.1:8000:8000"]


def test_it_keeps_servers_in_a_network_without_a_way_out() -> None:
    assert load()["networks"]["inside"] == {"internal": True}
    outside = {name for name, service in services().items() if service["networks"] != ["inside"]}
    assert {name for name in outside if "profiles" not in services()[name]} == {"web", "worker"}


@pytest.mark.parametrize("file", FILES)
def test_it_contains_each_container(file: str) -> None:
    for name, service in services(file).items():
        if "image" not in service:
            continue  # an override of one
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name
        assert service["logging"]["options"]["max-size"], name
        assert service["restart"] in ("unless-stopped", "no"), name


def test_it_runs_no_server_as_root() -> None:
    for name, service in services().items():
        assert is_ours(service) or service["user"] not in ("root", "0"), name


@pytest.mark.parametrize("file", FILES)
def test_it_names_each_image_by_its_release(file: str) -> None:
    for name, service in services(file).items():
        if "image" in service:
            assert re.search(r":v?\d+\.\d+\.\d+(-|$)", by_default(service["image"])), name


def test_it_builds_the_image_of_this_release() -> None:
    for name in OURS:
        assert by_default(services()[name]["image"]) == f"inqube:{settings.VERSION}"


@pytest.mark.parametrize("name", OURS)
def test_it_sets_what_settings_read(name: str) -> None:
    known = set(re.findall(r"^([A-Z_]+)=", (settings.BASE_DIR / ".env.example").read_text(), re.MULTILINE))
    known |= {f"{setting}_FILE" for setting in known} | {"HEALTH_URL"}
    assert set(services()[name]["environment"]) <= known


@pytest.mark.parametrize("name", [name for name in OURS if "manage.py" in services()[name]["command"]])
def test_it_runs_commands_that_exist(name: str) -> None:
    python, manage, command, *arguments = services()[name]["command"]
    assert (python, manage) == ("python", "manage.py")
    app = get_commands()[command]
    found = load_command_class(app, command) if isinstance(app, str) else app
    found.create_parser(manage, command).parse_args(arguments)


@pytest.mark.parametrize("file", FILES)
def test_it_mounts_what_the_repository_has(file: str) -> None:
    for service in services(file).values():
        for path in mounted(service):
            assert path.exists() or path.name == "certs", path


def test_it_gives_each_service_the_secrets_that_it_reads() -> None:
    for name, service in services().items():
        text = json.dumps(service) + "".join(
            found.read_text() for path in mounted(service) for found in (path.iterdir() if path.is_dir() else [path])
        )
        assert set(re.findall(r"/run/secrets/([\w.]+)", text)) == set(service.get("secrets", ())), name


def test_it_waits_for_what_it_needs() -> None:
    for name, service in services().items():
        for other, wanted in service.get("depends_on", {}).items():
            needed = services()[other]
            if wanted["condition"] == "service_completed_successfully":
                assert runs_once(needed), f"{name} waits for the end of {other}"
            else:
                assert not needed.get("healthcheck", {}).get("disable"), f"{name} waits for the health of {other}"
                assert is_ours(needed) or needed["healthcheck"]["test"], other


def test_it_migrates_once_before_anything_else_of_the_release() -> None:
    waited: dict[str, set[str]] = {"migrate": set()}
    for name in (name for name in OURS if name != "migrate"):
        waited[name] = set(services()[name]["depends_on"])
        assert waited[name] & {"migrate", "accounts"}, name
    assert "migrate" in waited["accounts"]


@pytest.mark.parametrize("file", ["compose.devices.yml", "compose.tls.yml"])
def test_it_opens_for_devices_the_port_that_mosquitto_has_for_them(file: str) -> None:
    mosquitto = services()["mosquitto"] | services(file)["mosquitto"]
    text = "".join((DOCKER / "mosquitto" / name).read_text() for name in mosquitto["command"])
    published = [by_default(port).split(":") for port in mosquitto["ports"]]
    assert all(outer == inner for outer, inner in published)
    # The client id of a device is its user name: nobody takes over the session of another.
    assert all(f"listener {inner}\nuse_username_as_clientid true" in text for _, inner in published)


def test_it_lets_nobody_past_the_proxy_whose_headers_it_believes() -> None:
    web = services("compose.https.yml")["web"]
    assert (web["ports"], web["environment"]["TRUSTED_PROXIES"]) == ([], "1")


def test_it_defines_what_it_names() -> None:
    document = load()
    for service in services().values():
        assert set(service["networks"]) <= set(document["networks"])
        volumes = {volume.split(":")[0] for volume in service.get("volumes", ())}
        assert {volume for volume in volumes if not volume.startswith("./")} <= set(document["volumes"])
        assert set(service.get("secrets", ())) <= set(document["secrets"])


def test_it_documents_its_variables() -> None:
    page = (settings.BASE_DIR / "docs" / "install.md").read_text()
    text = "".join((DOCKER / name).read_text() for name in FILES)
    known = set(re.findall(r"^([A-Z_]+)=", (settings.BASE_DIR / ".env.example").read_text(), re.MULTILINE))
    for variable in {match[1] for match in VARIABLE.finditer(text)} - known:
        assert f"`{variable}`" in page, variable
