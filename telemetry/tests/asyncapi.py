"""docs/asyncapi.yaml, as tests read it: what stands there of a message, of a channel, of an operation."""

from functools import cache
from typing import Any

import yaml
from django.conf import settings
from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT7

URI = "urn:asyncapi"


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((settings.BASE_DIR / "docs" / "asyncapi.yaml").read_text())
    return loaded


def resolve(ref: str) -> Any:
    """What a reference within the document means. Raises KeyError for one to nowhere."""
    assert ref.startswith("#/"), ref
    found: Any = document()
    for name in ref.removeprefix("#/").split("/"):
        found = found[name]
    return found


def message_names(operation: str) -> set[str]:
    """The messages of an operation, by their names among the components."""
    of_channel = [resolve(each["$ref"]) for each in document()["operations"][operation]["messages"]]
    return {each["$ref"].removeprefix("#/components/messages/") for each in of_channel}


@cache
def validator(message: str) -> Draft7Validator:
    """Says what is wrong with a payload of this message."""
    registry = Registry().with_resource(URI, DRAFT7.create_resource(document()))
    schema = {"$ref": f"{URI}#/components/messages/{message}/payload"}
    return Draft7Validator(schema, registry=registry, format_checker=FormatChecker())


def examples(message: str) -> list[Any]:
    """The payloads that stand there as examples."""
    return [example["payload"] for example in document()["components"]["messages"][message]["examples"]]
