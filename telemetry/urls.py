"""Pages with readings, for people; programs have `telemetry.api.urls`."""

from django.urls import path

from telemetry import views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("plants/<slug:slug>/", views.plant, name="plant"),
    path("plants/<slug:slug>/rate", views.plant_rate, name="plant_rate"),
]
