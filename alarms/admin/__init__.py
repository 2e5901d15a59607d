"""alarms in the admin, a module for each list. Django looks here."""

from alarms.admin import alarms, decisions, notifications, rules

__all__ = ["alarms", "decisions", "notifications", "rules"]
