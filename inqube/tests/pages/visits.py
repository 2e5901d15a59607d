"""Every page there is, and how a person comes to see it. A route of a page that is missing here fails the suite."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playwright.sync_api import Page

from inqube.tests.access import rules
from inqube.tests.access.matrix import ROUTES


@dataclass(frozen=True)
class Visit:
    """`path` is filled with the scene's ids; `who` is nobody if empty; `then` is done once the page is there."""

    name: str
    route: str
    path: str
    who: str = "alice"
    then: Callable[[Page], None] | None = None
    status: int = 200

    @property
    def is_ours(self) -> bool:
        """Not one of the admin's own templates, whose style is Django's."""
        return not self.path.startswith("/admin/")

    def __str__(self) -> str:
        return self.name


def sign_in_wrongly(page: Page) -> None:
    page.fill("[name=username]", f"{abs(hash(page)):x}@example.org")  # of its own, or the tries would add up
    try_password(page)


def be_locked_out(page: Page) -> None:
    sign_in_wrongly(page)
    for _ in range(4):
        try_password(page)


def try_password(page: Page) -> None:
    page.fill("[name=password]", "wrong")
    page.click("button.primary")
    page.wait_for_load_state()


def ask_to_discard(page: Page) -> None:
    page.check("tbody [type=checkbox] >> nth=0")
    page.click("text=Discard 1…")
    page.wait_for_load_state()


def open_dialog(page: Page) -> None:
    page.click("[data-opens]")


def ask_to_shelve(page: Page) -> None:
    page.check("tbody [type=checkbox] >> nth=0")
    page.select_option("[name=action]", "shelve")
    page.click(".actions button")
    page.wait_for_load_state()


def open_shelf(page: Page) -> None:
    page.check("tbody [type=checkbox] >> nth=0")
    page.click("text=Shelve 1…")


def comment_without_words(page: Page) -> None:
    """As a browser without a script that asks beforehand."""
    page.evaluate("document.getElementById('note').form.noValidate = true")
    page.click(".comment button")
    page.wait_for_load_state()


ROLLER = "kandy/rolling/roller-2"
SENSOR = f"{ROLLER}/fresh"

OURS = (
    Visit("sign in", "login/", "/login/", who=""),
    Visit("wrong password", "login/", "/login/", who="", then=sign_in_wrongly),
    Visit("locked out", "login/", "/login/", who="", then=be_locked_out, status=429),
    Visit("overview", "", "/"),
    Visit("overview of a viewer", "", "/", who="vera"),
    Visit("overview without a plant", "", "/", who="newcomer"),
    Visit("plant", "plants/<slug>/", "/plants/kandy/"),
    Visit("plant, nothing matches", "plants/<slug>/", "/plants/kandy/?q=nothing"),
    Visit("plant without machines", "plants/<slug>/", "/plants/rotterdam/"),
    Visit("machine", "plants/<slug>/<zone>/<machine>/", f"/plants/{ROLLER}/"),
    Visit("machine in fault", "plants/<slug>/<zone>/<machine>/", "/plants/kandy/rolling/m1/"),
    Visit("trend", "trend/", f"/trend/?sensor={SENSOR}&sensor={ROLLER}/late"),
    Visit("trend of states", "trend/", f"/trend/?sensor={ROLLER}/state"),
    Visit("alarms", "alarms/", "/alarms/", who="vera"),
    Visit("alarms, filtered", "alarms/", "/alarms/?severity=high", who="bob"),
    Visit("alarms, closed", "alarms/", "/alarms/?show=closed", who="bob"),
    Visit("shelve alarms", "alarms/", "/alarms/", who="bob", then=open_shelf),
    Visit("alarm", "alarms/<pk>/", "/alarms/{alarm}/", who="bob"),
    Visit("comment on an alarm", "alarms/<pk>/", "/alarms/{alarm}/", who="bob", then=comment_without_words),
    Visit("decisions", "decisions/", "/decisions/?alarm={alarm}", who="bob"),
    Visit("decision", "decisions/<pk>/", "/decisions/{decision}/", who="bob"),
    Visit("health of alarms", "alarms/health/", "/alarms/health/"),
    Visit("backtest", "rules/backtest", "/rules/backtest?rule={rule}", who="bob"),
    Visit("dead letters", "dead-letters/", "/dead-letters/", who="bob"),
    Visit("dead letters, none", "dead-letters/", "/dead-letters/?state=replayed", who="bob"),
    Visit("discard dead letters", "dead-letters/", "/dead-letters/", who="bob", then=ask_to_discard),
    Visit("dead letter", "dead-letters/<pk>/", "/dead-letters/{deadletter}/", who="bob"),
    Visit("discovered sensors", "discovered-sensors/", "/discovered-sensors/", who="bob"),
    Visit("discovered sensor", "discovered-sensors/<pk>/", "/discovered-sensors/{discoveredsensor}/", who="bob"),
    Visit("topic tester", "topic-tester/", "/topic-tester/", who="bob"),
    Visit("topic tester, answered", "topic-tester/", "/topic-tester/?letter={deadletter}", who="bob"),
    Visit("system", "system/", "/system/"),
    Visit("design", "design/", "/design/", who="bob"),
    Visit("dialog", "design/", "/design/", who="bob", then=open_dialog),
    Visit("not found", "", "/nowhere/", status=404),
    Visit("not allowed", "admin/", "/admin/login/", who="vera", status=403),
)

ADMIN = (
    Visit("admin", "admin/", "/admin/"),
    Visit("admin of an operator", "admin/", "/admin/", who="bob"),
    Visit("admin of an app", "admin/<app_label>/", "/admin/plants/"),
    Visit("admin, topic tester", "admin/topic-tester/", "/admin/topic-tester/"),
    Visit("admin, readings", "admin/readings/", f"/admin/readings/?sensor={SENSOR}"),
    Visit("admin, live sensors", "admin/plants/sensor/", "/admin/plants/sensor/"),
    Visit("admin, own password", "admin/password_change/", "/admin/password_change/"),
    Visit("admin, own password changed", "admin/password_change/done/", "/admin/password_change/done/"),
    Visit("admin, password", "admin/accounts/user/<id>/password/", "/admin/accounts/user/{user}/password/"),
    Visit("admin, delete", "admin/plants/plant/<object_id>/delete/", "/admin/plants/plant/{plant}/delete/"),
    Visit("admin, shelve", "admin/alarms/alarm/", "/admin/alarms/alarm/", who="bob", then=ask_to_shelve),
    Visit("admin, history", "admin/plants/plant/<object_id>/history/", "/admin/plants/plant/{plant}/history/"),
)

# Answered with something else than a page, or by somebody else's page: the browsable API, Swagger UI.
NO_PAGES = {
    *(route for route in ROUTES if route.startswith("api/")),
    *("plants/<slug>/rate", "plants/<slug>/<zone>/<machine>/timeline", "rates", "system/state", "alarms/banner"),
    *("logout/", "favicon.ico", "health", "livez", "readyz", "metrics"),
    *("admin/login/", "admin/logout/", "admin/autocomplete/", "admin/jsi18n/", "admin/state/", "admin/<url>"),
    "admin/r/<content_type_id>/<object_id>/",
}


# Whose forms differ.
EXAMPLES = (
    *("accounts.user", "plants.plant", "plants.device", "alarms.rule", "alarms.alarm", "telemetry.deadletter"),
    *("alarms.notificationchannel", "alarms.notificationpolicy", "alarms.delivery"),
)


def of_models() -> Iterator[Visit]:
    """Lists and forms of the admin; those of other models have the same templates."""
    for model in EXAMPLES:
        app, name = model.split(".")
        route = f"admin/{app}/{name}/"
        yield Visit(f"admin, list of {name}s", route, f"/{route}")
        yield Visit(f"admin, {name}", f"{route}<object_id>/change/", f"/{route}{{{name}}}/change/")
        if "a" in rules.ADMIN_MODELS[model][0]:
            yield Visit(f"admin, new {name}", f"{route}add/", f"/{route}add/")


VISITS = (*OURS, *ADMIN, *of_models())


def unvisited() -> set[str]:
    """The routes of pages that no visit leads to."""
    return {route for route in ROUTES if not is_alike(route)} - NO_PAGES - {visit.route for visit in VISITS}


def is_alike(route: str) -> bool:
    """Whether a route of a model in the admin has the template of an example's, or only leads on, or nobody may."""
    app, _, rest = route.removeprefix("admin/").partition("/")
    name, _, what = rest.partition("/")
    model = f"{app}.{name}"
    if not route.startswith("admin/") or model not in rules.ADMIN_MODELS:
        return False
    often = what in ("<object_id>/", "<object_id>/delete/", "<object_id>/history/")
    return often or model not in EXAMPLES or (what == "add/" and "a" not in rules.ADMIN_MODELS[model][0])
