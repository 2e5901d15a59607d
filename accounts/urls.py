"""Paths of the pages that open and close a session."""

from django.contrib import admin
from django.urls import path

from accounts import views

urlpatterns = [
    path("login/", views.login, name="login"),
    path("admin/login/", views.admin_login),  # found before the admin's own
    path("admin/password_change/", admin.site.admin_view(views.admin_password_change)),  # before the admin's own
    path("logout/", views.logout, name="logout"),
]
