"""What the form of a list says: which of its rows."""

from uuid import UUID

from django.http import QueryDict


def chosen_ids(form: QueryDict, name: str) -> list[UUID]:
    """Those that are ids."""
    found = []
    for text in form.getlist(name):
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
