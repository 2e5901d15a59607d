"""The history of an object in the admin: from the audit trail, in place of what the admin itself notes."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.template.response import TemplateResponse
from django.utils.text import capfirst

from accounts.audit import SECURITY, Change, Entry, Filter, Position, entries, sources
from accounts.models import User
from accounts.security_events import Kind

PAGE_SIZE = 50
NOTHING = "—"
HIDDEN = "(not visible to you)"
SOMEBODY = "another user"


@dataclass(frozen=True, slots=True)
class Line:
    """An entry in words: `[("unit", "°C", "K")]` are its changes."""

    entry: Entry
    who: str
    what: str
    changes: list[tuple[str, str, str]]


class AuditedAdmin(admin.ModelAdmin):
    """Shows who changed what; writes no log of its own, which would miss what happens elsewhere."""

    object_history_template = "admin/audit_history.html"
    # Rows of other models that belong to the object's history for admins: the column that names the object.
    history_includes: ClassVar[dict[str, str]] = {}

    def people_known_to(self, request: HttpRequest, keys: set[str]) -> QuerySet[User]:
        """Whose email addresses the request's user may read, of these."""
        return User.objects.filter(pk__in=keys)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            return self._get_obj_does_not_exist_redirect(  # type: ignore[attr-defined]  # not in the stubs
                request, self.opts, object_id
            )
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        try:
            after = Position.of_cursor(request.GET["after"]) if "after" in request.GET else None
        except ValueError as error:
            return HttpResponseBadRequest(str(error))
        found = self._found(request, obj, after)
        shown = found[:PAGE_SIZE]
        context = {
            **self.admin_site.each_context(request),
            "title": f"Change history: {obj}",
            "subtitle": None,
            "lines": self._lines(request, shown),
            "older": shown[-1].position.cursor() if len(found) > PAGE_SIZE else None,
            "module_name": str(capfirst(self.opts.verbose_name_plural)),
            "object": obj,
            "opts": self.opts,
            "shows_origin": request.user.is_superuser,
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.object_history_template, context)

    def _found(self, request: HttpRequest, obj: Model, after: Position | None) -> list[Entry]:
        wanted = [Filter(object_type=self.opts.model_name, object_id=obj.pk)]
        if request.user.is_superuser:
            wanted += [
                Filter(object_type=name, reference=(column, obj.pk)) for name, column in self.history_includes.items()
            ]
        found = [entry for each in wanted for entry in entries(each, PAGE_SIZE + 1, after=after)]
        return sorted(found, key=lambda entry: entry.position, reverse=True)[: PAGE_SIZE + 1]

    def _lines(self, request: HttpRequest, found: list[Entry]) -> list[Line]:
        names = self._names(request, found)
        return [
            Line(
                entry,
                names.get(entry.actor_id, SOMEBODY) if entry.actor_id else _origin(entry),
                _action(entry, of_another=entry.object_type != self.opts.model_name),
                [_words(change, names) for change in entry.changes],
            )
            for entry in found
        ]

    def _names(self, request: HttpRequest, found: list[Entry]) -> dict[str, str]:
        """What the request's user may call the rows that the entries refer to; to others, rows stay hidden."""
        names = {key: name for entry in found for key, name in entry.names.items()}
        if request.user.is_superuser:
            return names
        keys: dict[Any, set[str]] = defaultdict(set)
        for entry in found:
            keys[User].add(entry.actor_id)
            for change in entry.changes:
                if change.is_reference:
                    model = sources()[entry.source]._meta.get_field(change.field).related_model
                    keys[model] |= {change.before, change.after}
        known: set[str] = set()
        for model, wanted in keys.items():
            asked = {key for key in wanted if key}
            if model is User:
                rows = self.people_known_to(request, asked)
            else:
                rows = model._default_manager.filter(pk__in=asked).visible_to(request.user)
            known |= {str(key) for key in rows.values_list("pk", flat=True)}
        return {key: name for key, name in names.items() if key in known}

    # The admin's own log would be a second truth beside the audit trail.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        pass

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        pass

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:  # type: ignore[override]
        pass


def _origin(entry: Entry) -> str:
    if entry.command:
        return f"manage.py {entry.command}"
    return "nobody signed in" if entry.request_id else "outside InQube"


def _action(entry: Entry, *, of_another: bool) -> str:
    if entry.source == SECURITY:
        label = Kind(entry.action).label if entry.action in Kind.values else entry.action
    else:
        label = capfirst(entry.action.replace("_", " "))
    return f"{entry.object_type}, {entry.object_label}: {label.lower()}" if of_another else label


def _words(change: Change, names: dict[str, str]) -> tuple[str, str, str]:
    def word(value: Any) -> str:
        if value is None or value == "":
            return NOTHING
        if change.is_reference:
            return names.get(value, HIDDEN)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return str(value)

    return change.field.replace("_", " "), word(change.before), word(change.after)
