"""Users in the admin; operators have no permission here, so only admins see it."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group

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


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    add_form = NewUserForm
    form = EditUserForm
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
