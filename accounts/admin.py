"""Users in the admin; operators have no permission here, so only admins see it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.audit_admin import AuditedAdmin
from accounts.confirmation import ask_first
from accounts.last_admin import AdminNeededError, keep_an_admin
from accounts.models import User, UserQuerySet

admin.site.unregister(Group)  # roles are the only source of permissions


class NewUserForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name", "role")


class EditUserForm(UserChangeForm):
    class Meta:
        model = User
        fields = ("email", "name", "role", "is_active", "password")


class NewPasswordForm(AdminPasswordChangeForm):
    def save(self, commit: bool = True) -> User:
        """Writes the password alone: the hash takes a while, in which another admin may take the user's role."""
        user: User = super().save(commit=False)
        if commit:
            user.save(update_fields=["password"])
            user.refresh_from_db(fields=["token_version"])
        return user


@admin.register(User)
class UserAdmin(AuditedAdmin, DjangoUserAdmin):
    add_form = NewUserForm
    form = EditUserForm
    change_password_form = NewPasswordForm
    add_fieldsets = ((None, {"fields": ("email", "name", "role", "usable_password", "password1", "password2")}),)
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Access", {"fields": ("role", "is_active")}),
        ("Facts", {"fields": ("last_login", "created_at", "id")}),
    )
    readonly_fields = ("last_login", "created_at", "id")
    list_display = ("email", "name", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("email", "name")
    ordering = ("email",)
    filter_horizontal = ()
    actions = ("deactivate", "force_logout")
    history_includes = {"membership": "user_id"}

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """One's own access is for another admin to take."""
        return (*self.readonly_fields, *(("role", "is_active") if obj and obj.pk == request.user.pk else ()))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.pk != request.user.pk)

    # The rows that these lock stay so until the view's transaction ends; a refusal is caught in `_or_say_why`.
    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        if change and not obj.is_admin:
            keep_an_admin([obj.pk], by=request.user.pk)
        obj.save(update_fields=form.changed_data if change else None)  # two admins may change different fields at once

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        keep_an_admin([obj.pk], by=request.user.pk)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        with transaction.atomic():
            keep_an_admin(queryset.values_list("pk", flat=True), by=request.user.pk)
            super().delete_queryset(request, queryset)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_say_why(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_say_why(request, super().delete_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_say_why(request, super().changelist_view, *args, **kwargs)

    def _or_say_why(self, request: HttpRequest, view: Callable[..., Any], *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except AdminNeededError as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    @admin.action(description="Deactivate selected users", permissions=["change"])
    def deactivate(self, request: HttpRequest, users: UserQuerySet) -> HttpResponse | None:
        return self._ask_first(
            request,
            users,
            verb="Deactivate",
            consequence="They cannot sign in until they are made active again. All that they are signed in with ends: "
            "pages and tokens at once, live feeds within five seconds.",
            act=lambda: self._deactivate(request, users),
        )

    @admin.action(description="Log selected users out everywhere", permissions=["change"])
    def force_logout(self, request: HttpRequest, users: UserQuerySet) -> HttpResponse | None:
        return self._ask_first(
            request,
            users,
            verb="Log out",
            consequence="All that they are signed in with ends: pages and tokens at once, live feeds within five "
            "seconds. They may sign in again.",
            act=users.end_access,
        )

    def _deactivate(self, request: HttpRequest, users: UserQuerySet) -> int:
        with transaction.atomic():
            keep_an_admin(users.values_list("pk", flat=True), by=request.user.pk)
            return users.update(is_active=False)

    def _ask_first(
        self, request: HttpRequest, users: UserQuerySet, *, verb: str, consequence: str, act: Callable[[], int]
    ) -> HttpResponse | None:
        def act_and_say() -> None:
            count = act()
            self.message_user(request, f"{verb}: done for {count} user{'' if count == 1 else 's'}.", messages.SUCCESS)

        def describe(user: User) -> str:
            name = f" ({user.name})" if user.name else ""
            return f"{user.email}{name}, {user.get_role_display()}"

        return ask_first(self, request, users, verb=verb, consequence=consequence, describe=describe, act=act_and_say)
