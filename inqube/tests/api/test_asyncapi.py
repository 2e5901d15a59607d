"""docs/asyncapi.yaml as a document: valid, whole, and served."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.test import Client
from jsonschema import Draft7Validator

from telemetry.tests.asyncapi import document, examples, resolve, validator

MESSAGES = sorted(document()["components"]["messages"])

# The schema of AsyncAPI 3.0.0 from the npm package @asyncapi/specs 6.11.1 (Apache-2.0, its licence beside it), without
# white space, so that this needs no network.
ASYNCAPI = Path(__file__).parent / "vendor" / "asyncapi-3.0.0.json.gz"


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def test_it_is_asyncapi_3_0() -> None:
    official = Draft7Validator(json.loads(gzip.decompress(ASYNCAPI.read_bytes())))
    as_json = json.loads(json.dumps(document()))  # whose names are all text
    assert [f"{error.json_path}: {error.message[:200]}" for error in official.iter_errors(as_json)] == []


def test_it_refers_to_what_is_there() -> None:
    for reference in references(document()):
        resolve(reference)


def test_it_uses_all_that_it_defines() -> None:
    used = set(references(document()))
    components = document()["components"]
    assert {f"#/components/{kind}/{name}" for kind in components for name in components[kind]} <= used


@pytest.mark.parametrize("message", MESSAGES)
def test_it_has_valid_examples_of_every_message(message: str) -> None:
    Draft7Validator.check_schema(document()["components"]["messages"][message]["payload"])
    assert examples(message)
    for example in examples(message):
        validator(message).validate(example)


def test_it_is_served_to_anyone(client: Client, db: None) -> None:
    response = client.get("/api/v1/asyncapi.yaml")
    assert response["Content-Type"] == "application/yaml"
    assert yaml.safe_load(response.content) == document()


def test_it_is_named_where_the_rest_api_is_described(client: Client, db: None) -> None:
    schema = client.get("/api/v1/schema/", headers={"Accept": "application/json"}).json()
    assert "(/api/v1/asyncapi.yaml)" in schema["info"]["description"]


def test_it_names_the_cookie_as_the_settings_do() -> None:
    assert document()["components"]["securitySchemes"]["session"]["name"] == settings.SESSION_COOKIE_NAME
