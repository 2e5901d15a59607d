"""The factory in the admin: admins see all of it, operators the plants that they are a member of."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest, HttpResponse

from accounts.audit_admin import AuditedAdmin
from accounts.confirmation import ask_first
from accounts.models import User
from plants.broker import state_of
from plants.models import OWNER_STAYS, Machine, Membership, Plant, Sensor, Zone
from plants.models.devices import Device, DeviceQuerySet, RevokedError


class FactoryAdmin(AuditedAdmin):
    """Lists, autocompletes and choices of parents hold only what exists for the user.

    An autocomplete asks the related model's own admin, which is one of these too.
    """

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return rows.visible_to(request.user)

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any] | None:
        parents: Any = db_field.remote_field.model._default_manager.using(db)
        if hasattr(parents, "visible_to"):
            return parents.visible_to(request.user)
        return super().get_field_queryset(db, db_field, request)

    def people_known_to(self, request: HttpRequest, keys: set[str]) -> QuerySet[User]:
        """Admins know everybody; operators themselves and who belongs to their plants."""
        people = super().people_known_to(request, keys)
        if request.user.is_superuser:
            return people
        colleagues = Membership.objects.filter(plant__in=Plant.objects.visible_to(request.user))
        return people.filter(Q(pk=request.user.pk) | Q(pk__in=colleagues.values("user")))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Filters in the address ask nothing about what operators don't see, such as `?members=…` of their plant."""
        field = next((field for field in self.opts.get_fields() if field.name == lookup.partition("__")[0]), None)
        if field is not None and field.is_relation and not field.many_to_one and not request.user.is_superuser:
            return False
        return super().lookup_allowed(lookup, value, request)


class PlantFilter(admin.RelatedFieldListFilter):
    """Only plants that exist for the user."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return [(plant.pk, str(plant)) for plant in Plant.objects.visible_to(request.user).order_by("name")]


class MembershipFormSet(BaseInlineFormSet):
    """The database makes whoever owns a plant a member of it; they stay one as long as they own it, as over REST."""

    def clean(self) -> None:
        super().clean()
        owner = self.instance.owner_id
        for form in self.initial_forms:
            stays = form not in self.deleted_forms and "user" not in form.changed_data
            if form.initial["user"] == owner and not stays:
                raise ValidationError(OWNER_STAYS, code="owner")

    def save_new(self, form: ModelForm, commit: bool = True) -> Membership:
        """With the plant's new owner as a member, it has been saved by now."""
        made = Membership.objects.filter(plant=self.instance, user=form.instance.user_id).first()
        return made or super().save_new(form, commit)


class MembershipInline(admin.TabularInline):
    model = Membership
    formset = MembershipFormSet
    autocomplete_fields = ("user",)
    extra = 0


@admin.register(Plant)
class PlantAdmin(FactoryAdmin):
    list_display = ("name", "slug", "location", "timezone", "owner")
    list_select_related = ("owner",)
    list_filter = ("timezone", "on_unknown")
    search_fields = ("name", "slug", "location")
    autocomplete_fields = ("owner",)
    readonly_fields = ("id", "created_at")
    inlines = (MembershipInline,)
    history_includes = {"membership": "plant_id"}

    def get_readonly_fields(self, request: HttpRequest, obj: Plant | None = None) -> tuple[str, ...]:
        """The slug is every device's topic and the owner may hand out access: both are for admins to change."""
        facts = ("id", "created_at")
        return facts if request.user.is_superuser else ("slug", "owner_name", *facts)

    def get_exclude(self, request: HttpRequest, obj: Plant | None = None) -> tuple[str, ...]:
        """A read-only `owner` would be a link to the user's page, which is for admins."""
        return () if request.user.is_superuser else ("owner",)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Only admins come here, and all that a plant has goes with it, also alarms, which nobody deletes."""
        listed, counts, _, protected = super().get_deleted_objects(objs, request)
        return listed, counts, set(), protected

    @admin.display(description="owner")
    def owner_name(self, plant: Plant) -> str:
        return str(plant.owner or self.get_empty_value_display())


@admin.register(Zone)
class ZoneAdmin(FactoryAdmin):
    list_display = ("name", "slug", "kind", "plant", "position")
    list_select_related = ("plant",)
    list_filter = (("plant", admin.RelatedOnlyFieldListFilter), "kind")
    search_fields = ("name", "slug", "plant__name", "plant__slug")
    autocomplete_fields = ("plant",)


class TypeFilter(admin.AllValuesFieldListFilter):
    """By type, where a link to what has none has words."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "none"}


@admin.register(Machine)
class MachineAdmin(FactoryAdmin):
    list_display = ("name", "slug", "type", "zone", "plant", "position")
    list_select_related = ("zone__plant",)
    list_filter = (("zone__plant", admin.RelatedOnlyFieldListFilter), ("type", TypeFilter))
    search_fields = ("name", "slug", "type", "zone__name", "zone__plant__name", "zone__plant__slug")
    autocomplete_fields = ("zone",)

    @admin.display(ordering="zone__plant__name")
    def plant(self, machine: Machine) -> Plant:
        return machine.zone.plant


@admin.register(Sensor)
class SensorAdmin(FactoryAdmin):
    """What a sensor is; telemetry, which stands above this app, adds its readings."""

    list_display: tuple[str, ...] = ("name", "address_path", "number", "kind", "is_active")
    list_select_related: ClassVar[tuple[str, ...]] = ("machine__zone__plant",)
    list_filter = (
        ("machine__zone__plant", admin.RelatedOnlyFieldListFilter),
        "kind",
        "is_active",
        ("type", TypeFilter),
    )
    search_fields = ("name", "slug", "type", "machine__name", "address_path")
    autocomplete_fields = ("machine",)
    readonly_fields: ClassVar[tuple[str, ...]] = ("id", "number", "created_at")
    fieldsets = (
        (None, {"fields": ("machine", "slug", "name", "position", "is_active")}),
        ("Measurement", {"fields": ("type", "unit", "kind", "states", "decimals", "low", "high", "rollover_at")}),
        ("Reporting", {"fields": ("expected_interval_s", "stale_after_s", "duplicate_policy")}),
        ("Facts", {"fields": ("number", "id", "created_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        sensors: Any = super().get_queryset(request)
        return sensors.with_address()

    def get_fieldsets(self, request: HttpRequest, obj: Sensor | None = None) -> Any:
        """A new sensor has no facts yet."""
        return super().get_fieldsets(request, obj) if obj else self.fieldsets[:-1]

    @admin.display(description="address", ordering="address_path")
    def address_path(self, sensor: Sensor) -> str:
        return sensor.address


@admin.register(Device)
class DeviceAdmin(FactoryAdmin):
    """Credentials of devices; a secret is shown once, in the message after it was made."""

    list_display = ("name", "plant", "prefix", "broker_state", "is_online", "last_seen", "revoked_at")
    list_select_related = ("plant",)
    list_filter = (("plant", admin.RelatedOnlyFieldListFilter), ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "prefix", "plant__name", "plant__slug")
    autocomplete_fields = ("plant",)
    actions = ("rotate", "revoke")
    change_form_template = "admin/plants/device/change_form.html"
    facts = (
        "username",
        "broker_state",
        "is_online",
        "last_seen",
        "previous_valid_until",
        "revoked_at",
        "created_at",
        "id",
    )

    def get_fields(self, request: HttpRequest, obj: Device | None = None) -> tuple[str, ...]:
        return ("plant", "name", "prefix", *(self.facts if obj else ()))

    def get_readonly_fields(self, request: HttpRequest, obj: Device | None = None) -> tuple[str, ...]:
        """Another place is another device: its credentials lie in the old place."""
        return ("plant", "name", "prefix", *self.facts) if obj else ()

    def save_model(self, request: HttpRequest, obj: Device, form: ModelForm, change: bool) -> None:
        if change:
            return
        secret = obj.issue_secret()
        super().save_model(request, obj, form, change)
        self._show(request, obj, secret)

    @admin.display(description="on the broker")
    def broker_state(self, device: Device) -> str:
        return state_of(device).label

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        actions = [("rotate", "New secret"), ("revoke", "Revoke")]
        context = {"form_actions": actions, "checkbox": ACTION_CHECKBOX_NAME, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    @admin.action(description="Give selected devices new secrets", permissions=["change"])
    def rotate(self, request: HttpRequest, devices: DeviceQuerySet) -> HttpResponse | None:
        def act() -> None:
            for device in devices.select_related("plant"):
                try:
                    self._show(request, device, device.rotate(timedelta(minutes=settings.DEVICE_GRACE_MINUTES)))
                except RevokedError as error:
                    self.message_user(request, f"{device}: {error}", messages.ERROR)

        return self._ask_first(
            request,
            devices,
            verb="Give new secrets",
            consequence="Each gets a new user name and secret, shown once on the next page. The present one is good "
            f"for {settings.DEVICE_GRACE_MINUTES} minutes more, any older one ends now.",
            act=act,
        )

    @admin.action(description="Revoke selected devices, for good", permissions=["change"])
    def revoke(self, request: HttpRequest, devices: DeviceQuerySet) -> HttpResponse | None:
        def act() -> None:
            for device in devices:
                device.revoke()
                self.message_user(request, f"{device} is revoked.", messages.SUCCESS)

        return self._ask_first(
            request,
            devices,
            verb="Revoke",
            consequence="Their secrets and certificates are good for nothing any more, over HTTP at once and on the "
            "broker within seconds. This cannot be taken back.",
            act=act,
        )

    def _ask_first(
        self, request: HttpRequest, devices: DeviceQuerySet, *, verb: str, consequence: str, act: Callable[[], None]
    ) -> HttpResponse | None:
        named = devices.select_related("plant")
        return ask_first(
            self, request, named, verb=verb, consequence=consequence, describe=lambda device: device.name_of(1), act=act
        )

    def _show(self, request: HttpRequest, device: Device, secret: str) -> None:
        text = f"User name {device.username}, and its secret, shown this once: {secret}"
        self.message_user(request, text, messages.WARNING)
