"""What OpenAPI says about every operation: which errors it has, and that they are problems."""

from typing import Any

from inqube.api.problems import MEDIA_TYPE

FIELD_ERROR = {
    "type": "object",
    "properties": {"field": {"type": "string"}, "code": {"type": "string"}, "detail": {"type": "string"}},
    "required": ["field", "code", "detail"],
}
EXAMPLE = {
    "type": "about:blank",
    "title": "Not Found",
    "status": 404,
    "detail": "Not found.",
    "instance": "/api/v1/plants/4a53ddcd-6b41-4bb7-a7ba-98e4a03a4e55/",
    "request_id": "7e24d0953150f4e63b02d46ec2f23899",
    "errors": [],
}
PROBLEM = {
    "type": "object",
    "description": "An error (RFC 9457).",
    "examples": [EXAMPLE],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": FIELD_ERROR},
    },
    "required": ["type", "title", "status", "detail", "instance", "request_id", "errors"],
}
ANYTHING_OR_NULL = [{}, {"type": "null"}]  # drf-spectacular's nullable JSON, which null itself violates
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}


def response(description: str, **more: Any) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": description, "content": content, **more}


def errors_of(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """The errors that an operation may have, by status; `default` is for what no program need tell apart."""
    errors = {
        "429": response("Too many requests a minute, or a door that is locked.", headers=RETRY_AFTER),
        "default": response("Any other error."),
    }
    if "requestBody" in operation or "parameters" in operation:
        errors["400"] = response("The request is not valid; `errors` says where.")
    if "requestBody" in operation:
        errors["413"] = response("The body is too large.")
        errors["415"] = response("The body is of a type that is not read here.")
    if operation.get("security"):
        errors["401"] = response("Nobody is signed in, or the token is over.")
        errors["403"] = response("Your role may not do this, or the CSRF token is missing.")
    if "{" in path:
        errors["404"] = response("There is no such thing, or it is not yours to see.")
    return errors


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A post-processing hook of drf-spectacular: adds to each operation what it didn't say itself."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    for path, operations in result["paths"].items():
        for operation in operations.values():
            operation["responses"] = {**errors_of(path, operation), **operation["responses"]}
    for schema in result["components"]["schemas"].values():
        for name, field in schema.get("properties", {}).items():
            if field.get("oneOf") == ANYTHING_OR_NULL:
                schema["properties"][name] = {key: value for key, value in field.items() if key != "oneOf"}
    return result
