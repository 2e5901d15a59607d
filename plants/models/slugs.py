"""Slugs: the names of a sensor's address, and how people name what has one."""

import re
import uuid
from collections.abc import Iterable

from django.core.validators import RegexValidator
from django.db import models

SLUG_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}\Z"  # not $, which lets a line feed pass at the end
slug_validator = RegexValidator(
    SLUG_PATTERN, "Use lower-case letters, digits, - and _, beginning with a letter or digit, 63 at most."
)


def named(names: Iterable[str], *slug_lookups: str) -> models.Q:
    """Matches rows by name: each a UUID, or slugs joined by `/`, one for each lookup from the plant down.

    What is neither matches nothing. 32 hexadecimal digits may be both.
    """
    condition = models.Q(pk__in=[])
    for name in names:
        slugs = name.split("/")
        if len(slugs) == len(slug_lookups) and all(re.match(SLUG_PATTERN, slug) for slug in slugs):
            condition |= models.Q(**dict(zip(slug_lookups, slugs, strict=True)))
        try:
            condition |= models.Q(pk=uuid.UUID(name))
        except ValueError:
            continue
    return condition


class SlugField(models.CharField):
    """A name's form in topics and URLs: one level of a sensor's address."""

    def __init__(self, **kwargs: object) -> None:
        kwargs.setdefault("max_length", 63)
        kwargs.setdefault("validators", [slug_validator])
        super().__init__(**kwargs)  # type: ignore[arg-type]
