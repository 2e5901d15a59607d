"""Pages with readings, for people; programs have `telemetry.api.urls`."""

from django.urls import path

from telemetry.views import console

urlpatterns = [
    path("", console.overview, name="overview"),
    path("plants/<slug:slug>/", console.plant, name="plant"),
    path("plants/<slug:slug>/rate", console.plant_rate, name="plant_rate"),
]
