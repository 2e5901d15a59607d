"""Paths of the pages that open and close a session."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("login/", views.login, name="login"),
    path("admin/login/", views.admin_login),  # found before the admin's own
    path("admin/password_change/", views.admin_password_change),
    path("logout/", views.logout, name="logout"),
]
