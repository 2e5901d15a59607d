"""alarms in the admin, a module for each list. Django looks here."""

from alarms.admin import alarms, notifications, rules

__all__ = ["alarms", "notifications", "rules"]
