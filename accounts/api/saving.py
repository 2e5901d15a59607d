"""Saving through a serializer when another request may win a race for what is unique."""

from django.db import IntegrityError, transaction
from rest_framework.serializers import BaseSerializer


def save_or_explain(serializer: BaseSerializer) -> None:
    """Saves; what only the database noticed is explained by validating again, which sees it by now.

    Raises DRF's ValidationError, or IntegrityError if validation finds nothing wrong.
    """
    try:
        with transaction.atomic():
            serializer.save()
    except IntegrityError:
        again = type(serializer)(
            serializer.instance,
            data=serializer.initial_data,
            partial=serializer.partial,
            context=serializer.context,
        )
        again.is_valid(raise_exception=True)
        raise
