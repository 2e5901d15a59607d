"""Users in the admin; operators have no permission here, so only admins see it."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.models import User

admin.site.unregister(Group)  # roles are the only source of permissions
admin.site.site_header = admin.site.site_title = "InQube"
admin.site.index_title = "Administration"


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
        """Whoever knew the old password may hold tokens: they end with it."""
        user = super().save(commit)
        user.revoke_tokens()
        return user


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
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

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and {"role", "is_active"} & set(form.changed_data):
            obj.revoke_tokens()
