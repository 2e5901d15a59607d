"""Keeps InQube from losing its last active admin, and admins from shutting themselves out."""

from collections.abc import Collection
from uuid import UUID

from accounts.models import Role, User

OWN_ACCESS = "You cannot deactivate, demote or delete yourself: another admin can."
LAST_ADMIN = "This is the last active admin: make another user an admin first."
LAST_ADMIN_IS_YOU = "You are the last active admin: make another user an admin first."
NO_LONGER_ADMIN = "You are no longer an admin."


class AdminNeededError(Exception):
    """The change would shut the acting admin out, or leave no active admin; its text may be shown."""


def keep_an_admin(losing: Collection[UUID], by: UUID | None = None) -> None:
    """Call in a transaction before these users lose the role of admin, their activity, or existence.

    Locks the active admins until the transaction ends: of two admins who demote each other at once, the second
    waits here, and is then no admin any more. `by` is who acts; None for a command.

    Raises AdminNeededError.
    """
    active = User.objects.filter(role=Role.ADMIN, is_active=True)
    admins = set(active.order_by("pk").select_for_update().values_list("pk", flat=True))
    losing = set(losing)
    if by in losing:
        raise AdminNeededError(OWN_ACCESS if admins - losing else LAST_ADMIN_IS_YOU)
    if by is not None and by not in admins:
        raise AdminNeededError(NO_LONGER_ADMIN)
    if admins & losing and not admins - losing:
        raise AdminNeededError(LAST_ADMIN)
