"""alarms in the admin, a module for each list. Django looks here."""

from alarms.admin import alarms, rules

__all__ = ["alarms", "rules"]
