"""Paths of readings: pages for people, REST for programs."""

from django.urls import URLPattern, path

from telemetry import views

page_urlpatterns = [
    path("", views.overview, name="overview"),
    path("plants/<slug:slug>/", views.plant, name="plant"),
    path("plants/<slug:slug>/rate", views.plant_rate, name="plant_rate"),
]

api_urlpatterns: list[URLPattern] = []
