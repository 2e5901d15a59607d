"""The files of docker/ as Compose reads them, as far as tests ask."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

DOCKER = settings.BASE_DIR / "docker"
OVERRIDES = sorted(path.name for path in DOCKER.glob("compose.*.yml"))
VARIABLE = re.compile(r"\$\{(\w+)(?::?[-?]([^}]*))?\}")

Service = dict[str, Any]


class Loader(yaml.SafeLoader):
    """Knows Compose's tags for what an override takes away or puts in place."""


def sequence(loader: Loader, node: yaml.SequenceNode) -> list[Any]:
    return list(loader.construct_sequence(node))


for tag in ("!reset", "!override"):
    Loader.add_constructor(tag, sequence)


@cache
def load(name: str = "compose.yml") -> dict[str, Any]:
    document: dict[str, Any] = yaml.load((DOCKER / name).read_text(), Loader)
    return document


def services(name: str = "compose.yml") -> dict[str, Service]:
    found: dict[str, Service] = load(name)["services"]
    return found


def is_ours(service: Service) -> bool:
    """Whether it runs the image that is built from this repository."""
    return "build" in service


def runs_once(service: Service) -> bool:
    return bool(service["restart"] == "no")


def by_default(text: str) -> str:
    """What Compose makes of it where no variable is set."""
    return VARIABLE.sub(lambda match: match[2] or "", text)


def mounted(service: Service) -> list[Path]:
    """The files and directories of the repository that it is given."""
    sources = [volume.split(":")[0] for volume in service.get("volumes", ())]
    return [DOCKER / source for source in sources if source.startswith("./")]
