"""How bad an alarm is: four priorities, as ISA-18.2 advises to have few."""

from django.db import models


class Severity(models.TextChoices):
    CRITICAL = "critical", "Critical"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"


WORST_FIRST: tuple[str, ...] = tuple(Severity.values)
