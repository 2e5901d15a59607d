from django.apps import AppConfig


class InqubeConfig(AppConfig):
    name = "inqube"
