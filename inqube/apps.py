from django.apps import AppConfig


class InqubeConfig(AppConfig):
    name = "inqube"

    def ready(self) -> None:
        from inqube import checks  # noqa: F401 registers them
