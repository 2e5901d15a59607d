"""The access matrix: who gets what answer at every route. A route that is missing here fails the suite.

A row is one method of a route and says the outcome for
`<anonymous> <viewer> <operator> <admin> [<owner>]`; an owner who is not named is an operator like others.
An operator of the other plant must be answered as the operator is, from their point of view, and a deactivated user
as the anonymous. An outcome `a/b` is `a` for a thing of one's own plant, `b` for the same thing of a foreign plant.
Outcomes are statuses, or:

    login     a redirect to a sign-in page
    index     a redirect to the admin's index, which is how the admin says that there is no such object
"""

from collections.abc import Callable
from typing import Any

from inqube.tests.access.world import Place

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
Rows = dict[str, str]


def rows(default: str, /, **named: str) -> Rows:
    """A row for each method: those named, HEAD as GET, the default for the rest."""
    if "GET" in named:
        named.setdefault("HEAD", named["GET"])
    return {method: named.get(method, default) for method in METHODS}


NOBODY_ELSE = "401 405 405 405"
SIGNED_IN = "401 200 200 200"
READ = "401 200/404 200/404 200"
ADMINS = "401 403 403 200"
OPERATORS = "401 403 200 200"


def everyone(**named: str) -> Rows:
    """A view that asks nobody who they are."""
    return rows("405 405 405 405", **{method: " ".join([status] * 4) for method, status in named.items()})


def page(**named: str) -> Rows:
    return rows("405 405 405 405", **named)


def listing(create: str) -> Rows:
    """Members read, operators write."""
    return rows("401 403 405 405", GET=SIGNED_IN, OPTIONS=SIGNED_IN, POST=create)


def detail(change: str, delete: str) -> Rows:
    return rows("401 403 405 405", GET=READ, OPTIONS=SIGNED_IN, PUT=change, PATCH=change, DELETE=delete)


WRITE = "401 403 200/404 200"
REMOVE = "401 403 204/404 204"
ON_ALARM = rows("401 403 405 405", GET="401 405 405 405", POST="401 403 200/404 200", OPTIONS=SIGNED_IN)
CREATE_BELOW = "401 403 201/400 201"  # to whom the parent does not exist, it is not a valid one

ROUTES: dict[str, Rows] = {
    # Pages
    "": page(GET="login 200 200 200"),
    "rates": page(GET="login 200 200 200"),
    "plants/<slug>/": page(GET="login 200/404 200/404 200"),
    "plants/<slug>/rate": page(GET="login 200/404 200/404 200"),
    "plants/<slug>/<zone>/<machine>/": page(GET="login 200/404 200/404 200"),
    "plants/<slug>/<zone>/<machine>/timeline": page(GET="login 200/404 200/404 200"),
    "trend/": page(GET="login 200/404 200/404 200"),
    "decisions/": page(GET="login 200 200 200", POST="login 403 403 403"),
    "decisions/<pk>/": page(GET="login 200/404 200/404 200"),
    "alarms/health/": page(GET="login 200 200 200"),
    "alarms/": page(GET="login 200 200 200", POST="login 403 302 302"),
    "alarms/banner": page(GET="login 200 200 200"),
    "alarms/<pk>/": page(GET="login 200/404 200/404 200", POST="login 403/404 302/404 302"),
    "rules/backtest": page(GET="login 404 200/404 200", POST="login 404 200/404 200"),
    "design/": page(GET="login 200 200 200"),
    "dead-letters/": page(GET="login 404 200 200", POST="login 404 302 302"),
    "dead-letters/<pk>/": page(GET="login 404 200/404 200", POST="login 404 302/404 302"),
    "discovered-sensors/": page(GET="login 404 200 200", POST="login 404 302 302"),
    "discovered-sensors/<pk>/": page(GET="login 404 200/404 200", POST="login 404 302/404 302"),
    "topic-tester/": page(GET="login 404 200 200", POST="login 404 200 200"),
    "system/": page(GET="login 404 404 200"),
    "system/state": page(GET="login 404 404 200"),
    "login/": rows("405 302 302 302", GET="200 302 302 302", POST="200 302 302 302", PUT="200 302 302 302")
    | {"OPTIONS": "200 302 302 302"},
    "logout/": rows("405 405 405 405", POST="login login login login", OPTIONS="200 200 200 200"),
    "favicon.ico": everyone(GET="302"),
    # Orchestrators
    "health": {"GET": "503 503 503 503", "POST": "503 503 503 503"},  # neither ingest nor a worker runs here
    "readyz": {"GET": "200 200 200 200", "POST": "200 200 200 200"},
    "metrics": everyone(GET="200"),  # from this machine; others are in inqube/tests/test_metrics.py
    "livez": {"GET": "200 200 200 200", "POST": "200 200 200 200"},
    # The API
    "api/v1/schema/": {"GET": "200 200 200 200", "POST": "405 405 405 405"},  # few, for each takes a while
    "api/v1/docs": everyone(GET="200", OPTIONS="200"),
    "api/v1/asyncapi.yaml": everyone(GET="200"),
    "api/v1/login/access-token": everyone(POST="400", OPTIONS="200"),
    "api/v1/login/refresh": everyone(POST="400", OPTIONS="200"),
    "api/v1/logout": everyone(POST="400", OPTIONS="200"),
    "api/v1/users/me/password": rows(NOBODY_ELSE, POST="401 400 400 400", OPTIONS=SIGNED_IN),
    "api/v1/users/me": rows(NOBODY_ELSE, GET=SIGNED_IN, PATCH=SIGNED_IN, OPTIONS=SIGNED_IN),
    "api/v1/users/": rows("401 403 403 405", GET=ADMINS, OPTIONS=ADMINS, POST="401 403 403 201"),
    "api/v1/users/<pk>/": rows("401 403 403 405", GET=ADMINS, OPTIONS=ADMINS, PATCH=ADMINS, DELETE="401 403 403 204"),
    "api/v1/audit/": rows("401 403 403 405", GET=ADMINS, OPTIONS=ADMINS),
    "api/v1/plants/": rows(
        "401 403 405 405", GET=SIGNED_IN, OPTIONS=SIGNED_IN, POST="401 403 403 201", DELETE="401 403 403 405"
    ),
    "api/v1/plants/<pk>/": detail(WRITE, "401 403 403 204") | {"POST": "401 403 403 405"},
    "api/v1/zones/": listing(CREATE_BELOW),
    "api/v1/zones/<pk>/": detail(WRITE, REMOVE),
    "api/v1/machines/": listing(CREATE_BELOW),
    "api/v1/machines/<pk>/": detail(WRITE, REMOVE),
    "api/v1/sensors/": listing(CREATE_BELOW),
    "api/v1/sensors/<pk>/": detail(WRITE, REMOVE),
    "api/v1/memberships/": rows(
        "401 403 403 405 405",
        GET="401 403 403 200 200",
        OPTIONS="401 403 403 200 200",
        POST="401 403 403 201 201/400",
    ),
    "api/v1/memberships/<pk>/": rows(
        "401 403 403 405 405",
        GET="401 403 403 200 200/404",
        OPTIONS="401 403 403 200 200",
        DELETE="401 403 403 204 204/404",
    ),
    "api/v1/devices/": rows(
        "401 403 403 405 405",
        GET="401 403 403 200 200",
        OPTIONS="401 403 403 200 200",
        POST="401 403 403 201 201/400",
    ),
    "api/v1/devices/<pk>/": rows(
        "401 403 403 405 405",
        GET="401 403 403 200 200/404",
        OPTIONS="401 403 403 200 200",
        DELETE="401 403 403 204 204/404",
    ),
    "api/v1/devices/<pk>/rotate/": rows(
        "401 403 403 405 405", POST="401 403 403 200 200/404", OPTIONS="401 403 403 200 200"
    ),
    "api/v1/devices/<pk>/revoke/": rows(
        "401 403 403 405 405", POST="401 403 403 200 200/404", OPTIONS="401 403 403 200 200"
    ),
    "api/v1/alarms/": rows("401 403 405 405", GET=SIGNED_IN, OPTIONS=SIGNED_IN),
    "api/v1/alarms/<pk>/": rows("401 403 405 405", GET=READ, OPTIONS=SIGNED_IN),
    "api/v1/alarms/<pk>/events/": rows("401 403 405 405", GET=READ, OPTIONS=SIGNED_IN),
    "api/v1/alarms/<pk>/ack/": ON_ALARM,
    "api/v1/alarms/<pk>/shelve/": ON_ALARM,
    "api/v1/alarms/<pk>/unshelve/": ON_ALARM,
    "api/v1/alarms/<pk>/comment/": ON_ALARM,
    "api/v1/alarms/<pk>/assign/": ON_ALARM,
    "api/v1/alarms/bulk/": rows("401 403 405 405", GET="401 405 405 405", POST=OPERATORS, OPTIONS=SIGNED_IN),
    "api/v1/decisions/": listing(CREATE_BELOW),
    "api/v1/decisions/<pk>/": rows("401 403 405 405", GET=READ, OPTIONS=SIGNED_IN),
    "api/v1/decisions/<pk>/effect/": rows(NOBODY_ELSE, GET=READ, OPTIONS=SIGNED_IN),
    "api/v1/rules/": listing(CREATE_BELOW),
    "api/v1/rules/<pk>/": detail(WRITE, REMOVE),
    "api/v1/rules/<pk>/versions/": rows("401 403 405 405", GET=READ, OPTIONS=SIGNED_IN),
    "api/v1/dead-letters/": rows("401 403 405 405", GET=OPERATORS, OPTIONS=OPERATORS),
    "api/v1/dead-letters/<pk>/": rows("401 403 405 405", GET="401 403 200/404 200", OPTIONS=OPERATORS),
    "api/v1/dead-letters/<pk>/replay/": rows("401 403 405 405", POST="401 403 200/404 200", OPTIONS=OPERATORS),
    "api/v1/dead-letters/<pk>/discard/": rows("401 403 405 405", POST="401 403 200/404 200", OPTIONS=OPERATORS),
    "api/v1/dead-letters/replay/": rows("401 403 405 405", POST=OPERATORS, OPTIONS=OPERATORS),
    "api/v1/dead-letters/discard/": rows("401 403 405 405", POST=OPERATORS, OPTIONS=OPERATORS),
    "api/v1/discovered-sensors/": rows("401 403 405 405", GET=OPERATORS, OPTIONS=OPERATORS),
    "api/v1/discovered-sensors/<pk>/": rows("401 403 405 405", GET="401 403 200/404 200", OPTIONS=OPERATORS),
    "api/v1/discovered-sensors/<pk>/adopt/": rows("401 403 405 405", POST="401 403 200/404 200", OPTIONS=OPERATORS),
    "api/v1/discovered-sensors/<pk>/ignore/": rows("401 403 405 405", POST="401 403 200/404 200", OPTIONS=OPERATORS),
    "api/v1/discovered-sensors/<pk>/unignore/": rows("401 403 405 405", POST="401 403 200/404 200", OPTIONS=OPERATORS),
    "api/v1/discovered-sensors/adopt/": rows("401 403 405 405", POST=OPERATORS, OPTIONS=OPERATORS),
    "api/v1/discovered-sensors/ignore/": rows("401 403 405 405", POST=OPERATORS, OPTIONS=OPERATORS),
    "api/v1/telemetry/latest": rows(NOBODY_ELSE, GET=READ, OPTIONS=SIGNED_IN),
    "api/v1/telemetry/history": rows(NOBODY_ELSE, GET=READ, OPTIONS=SIGNED_IN),
    "api/v1/telemetry/": rows("401 403 405 405", POST="401 403 200 200", OPTIONS="401 403 200 200"),
    "api/v1/telemetry/test": rows("401 403 405 405", GET="401 405 405 405", POST="401 403 200 200", OPTIONS=SIGNED_IN),
    "api/v1/telemetry/export": rows(NOBODY_ELSE, GET=READ, OPTIONS=SIGNED_IN),
}

# The admin's own routes. It knows GET and POST, and takes any other method for GET.
ADMIN_SITE: dict[str, Rows] = {
    "admin/": {"GET": "login login 200 200", "POST": "login login 200 200"},
    "admin/login/": {"GET": "login 403 login login", "POST": "login 403 login login"},
    "admin/logout/": {"GET": "index index 405 405", "POST": "index index login login"},
    "admin/password_change/": {"GET": "login login 200 200", "POST": "login login 200 200"},
    "admin/password_change/done/": {"GET": "login login 200 200"},
    "admin/autocomplete/": {"GET": "login login 200 200"},
    "admin/jsi18n/": {"GET": "login login 200 200"},
    "admin/readings/": {"GET": "login login 200/404 200"},
    "admin/state/": {"GET": "login login 200 200"},
    "admin/topic-tester/": {"GET": "login login 200 200", "POST": "login login 200 200"},
    "admin/r/<content_type_id>/<object_id>/": {"GET": "login login 404 404"},
    "admin/<app_label>/": {"GET": "login login 200 200", "POST": "login login 200 200"},
    "admin/<url>": {"GET": "login login 404 404", "POST": "login login 404 404"},
}

# What each role may do with each model in the admin: v(iew), a(dd), c(hange), d(elete); first admins, then operators.
ADMIN_MODELS: dict[str, tuple[str, str]] = {
    "accounts.user": ("vacd", ""),
    "plants.plant": ("vacd", "vc"),
    "plants.zone": ("vacd", "vacd"),
    "plants.machine": ("vacd", "vacd"),
    "plants.sensor": ("vacd", "vacd"),
    "plants.device": ("vacd", ""),
    "alarms.rule": ("vacd", "vacd"),
    "alarms.alarm": ("v", "v"),
    "alarms.notificationchannel": ("vacd", "vacd"),
    "alarms.notificationpolicy": ("vacd", "vacd"),
    "alarms.delivery": ("v", "v"),
    "alarms.decision": ("v", "v"),
    "telemetry.deadletter": ("v", "v"),
    "telemetry.ingestshard": ("v", ""),
    "telemetry.ingestevent": ("v", ""),
    "telemetry.discoveredsensor": ("v", "v"),
    "procrastinate.procrastinatejob": ("v", ""),
}


BELOW_A_PLANT = {"plants.zone", "plants.machine", "plants.sensor", "alarms.rule"}
BELOW_A_PLANT |= {"alarms.notificationchannel", "alarms.notificationpolicy"}


def admin_rows(model: str, what: str) -> Rows:
    """The rows of one of a model's admin routes: `""` the list, `add/`, `<object_id>/change/` and so on."""
    admin, operator = ADMIN_MODELS[model]

    def row(action: str, status: str, may_be_foreign: bool) -> str:
        admins = status if action in admin else "403"
        theirs = (f"{status}/index" if may_be_foreign else status) if action in operator else "403"
        return f"login login {theirs} {admins}"

    match what:
        case "":
            return {"GET": row("v", "200", False), "POST": row("v", "200", False)}
        case "add/":
            added = row("a", "302", False)
            if model in BELOW_A_PLANT:  # to whom the parent does not exist, it is not a valid choice
                added = "login login 302/200 302"
            return {"GET": row("a", "200", False), "POST": added}
        case "<object_id>/change/":
            return {"GET": row("v", "200", True), "POST": row("c", "302", True)}
        case "<object_id>/delete/":
            return {"GET": row("d", "200", True), "POST": row("d", "302", True)}
        case "<object_id>/history/" if model == "plants.device":  # is looked for, among their plants' own, before all
            return dict.fromkeys(("GET", "POST"), "login login index 200 403/index")
        case "<object_id>/history/":
            return {"GET": row("v", "200", True), "POST": row("v", "200", True)}
        case "<object_id>/":
            return {"GET": "login login 302 302"}  # to change/
        case "<id>/password/":
            return {"GET": row("c", "200", True), "POST": row("c", "200", True)}
    raise LookupError(f"The matrix does not know {what} of {model}.")


STRANGER = "admin@headquarters.example"  # an active user who is a member of neither plant

# What is sent to the routes that take a body: enough for it to be accepted. The place is the thing's.
BODIES: dict[tuple[str, str], Callable[[Place], Any]] = {
    ("api/v1/plants/", "POST"): lambda _: {"slug": "new", "name": "New"},
    ("api/v1/zones/", "POST"): lambda place: {"plant": str(place.plant.pk), "slug": "new", "name": "New"},
    ("api/v1/machines/", "POST"): lambda place: {"zone": str(place.zone.pk), "slug": "new", "name": "New"},
    ("api/v1/sensors/", "POST"): lambda place: {"machine": str(place.machine.pk), "slug": "new", "name": "New"},
    ("api/v1/plants/<pk>/", "PUT"): lambda place: {"slug": place.plant.slug, "name": "New"},
    ("api/v1/zones/<pk>/", "PUT"): lambda place: {"plant": str(place.plant.pk), "slug": "new", "name": "New"},
    ("api/v1/machines/<pk>/", "PUT"): lambda place: {"zone": str(place.zone.pk), "slug": "new", "name": "New"},
    ("api/v1/sensors/<pk>/", "PUT"): lambda place: {"machine": str(place.machine.pk), "slug": "new", "name": "New"},
    ("api/v1/memberships/", "POST"): lambda place: {
        "plant": str(place.plant.pk),
        "email": "admin@headquarters.example",
    },
    ("api/v1/telemetry/", "POST"): lambda _: [{"sensor": "plant/zone/machine/sensor", "v": 1}],
    # Names nobody's: the answer repeats what was asked. Foreign ones are in telemetry/tests/api/test_tester.py.
    ("api/v1/telemetry/test", "POST"): lambda _: {"topic": "inqube/v1/plant/zone/machine/t/sensor", "payload": "1"},
    ("api/v1/devices/", "POST"): lambda place: {"plant": str(place.plant.pk), "name": "new"},
    ("api/v1/dead-letters/replay/", "POST"): lambda place: {"ids": [str(place.deadletter.pk)]},
    ("api/v1/dead-letters/discard/", "POST"): lambda place: {"ids": [str(place.deadletter.pk)]},
    ("api/v1/discovered-sensors/adopt/", "POST"): lambda place: {"ids": [str(place.discoveredsensor.pk)]},
    ("api/v1/discovered-sensors/ignore/", "POST"): lambda place: {"ids": [str(place.discoveredsensor.pk)]},
    ("api/v1/decisions/", "POST"): lambda place: {
        "machine": str(place.machine.pk),
        "action": "defer",
        "reason": "It waits for the next shift.",
    },
    ("api/v1/rules/", "POST"): lambda place: {"sensor": str(place.sensor.pk), "kind": "low", "setpoint": 1},
    ("api/v1/rules/<pk>/", "PUT"): lambda place: {"sensor": str(place.sensor.pk), "kind": "low", "setpoint": 1},
    ("api/v1/alarms/<pk>/shelve/", "POST"): lambda _: {"minutes": 30, "reason": "The belt is being changed."},
    ("api/v1/alarms/<pk>/comment/", "POST"): lambda _: {"note": "It was the belt."},
    ("api/v1/alarms/<pk>/assign/", "POST"): lambda _: {"user": None},
    ("api/v1/alarms/bulk/", "POST"): lambda place: {"action": "ack", "ids": [str(place.alarm.pk)]},
    ("api/v1/users/", "POST"): lambda _: {"email": "new@example.org", "password": "staple battery horse"},
    ("admin/*/delete/", "POST"): lambda _: {"post": "yes"},
}

# The forms of the admin, by model; those of a new thing and of one that is there are alike.
NO_MEMBERS = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
ON_UNKNOWN = {"on_unknown": "quarantine"}
SENSOR = {"kind": "gauge", "states": "{}", "decimals": "1", "stale_after_s": "300", "duplicate_policy": "keep_first"}
FORMS: dict[str, Callable[[Place], dict[str, Any]]] = {
    "accounts/user": lambda _: {"email": "new@example.org", "role": "viewer", "usable_password": "false"},
    "plants/plant": lambda _: {
        "slug": "new",
        "name": "New",
        "timezone": "UTC",
        "on_unknown": "quarantine",
        **NO_MEMBERS,
    },
    "plants/zone": lambda place: {"plant": place.plant.pk, "slug": "new", "name": "N", "kind": "area", "position": "0"},
    "plants/machine": lambda place: {"zone": place.zone.pk, "slug": "new", "name": "New", "position": "0"},
    "plants/sensor": lambda place: {
        "machine": place.machine.pk,
        "slug": "new",
        "name": "New",
        "position": "0",
        **SENSOR,
    },
}
RULE = {"kind": "low", "setpoint": "1", "deadband": "0", "on_delay_s": "0", "off_delay_s": "0", "severity": "low"}
FORMS["alarms/rule"] = lambda place: {"sensor": place.sensor.pk, "schedule": "{}", **RULE}
NO_STEPS = {"steps-TOTAL_FORMS": "0", "steps-INITIAL_FORMS": "0"}
FORMS["alarms/notificationchannel"] = lambda place: {
    **{"plant": place.plant.pk, "name": "New", "kind": "webhook", "url": "https://hooks.example"},
    **{"format": "json", "flood_limit": "10"},
}
FORMS["alarms/notificationpolicy"] = lambda place: {
    **{"plant": place.plant.pk, "name": "New", "severity": "high"},
    **NO_STEPS,
}
BODIES["rules/backtest", "POST"] = FORMS["alarms/rule"]
FORMS["plants/device"] = lambda place: {"plant": place.plant.pk, "name": "new"}
for _model, _form in FORMS.items():
    BODIES[f"admin/{_model}/add/", "POST"] = BODIES[f"admin/{_model}/<object_id>/change/", "POST"] = _form

# What else a route needs to be asked for something of the place.
QUERIES: dict[str, Callable[[Place], dict[str, str]]] = {
    "api/v1/telemetry/latest": lambda place: {"machine": str(place.machine.pk)},
    "api/v1/telemetry/history": lambda place: {"sensor_id": str(place.sensor.pk)},
    "api/v1/telemetry/export": lambda place: {"sensor_id": str(place.sensor.pk)},
    "trend/": lambda place: {"sensor": str(place.sensor.pk)},
    "rules/backtest": lambda place: {"rule": str(place.rule.pk)},
    "admin/readings/": lambda place: {"sensor": str(place.sensor.pk)},
    "admin/autocomplete/": lambda _: {"app_label": "plants", "model_name": "zone", "field_name": "plant"},
}

# The thing that a route's parameter names, by the word before it.
THINGS = {"plants": "plant", "zones": "zone", "machines": "machine", "sensors": "sensor"} | {
    "memberships": "membership",
    "devices": "device",
    "dead-letters": "deadletter",
    "discovered-sensors": "discoveredsensor",
    "alarms": "alarm",
    "rules": "rule",
    "decisions": "decision",
    "users": "user",
}

# Routes of WebSockets: the outcome of opening, then of subscribing to a plant.
WEBSOCKETS: dict[str, str] = {
    "api/v1/ws/telemetry": "4401 snapshot/not_found snapshot/not_found snapshot",
    "": "refused refused refused refused",  # any other path
}
