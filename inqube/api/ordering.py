"""Order of lists: by fields that the view names; any other is a mistake and said to be one."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from rest_framework.views import APIView


class StrictOrderingFilter(OrderingFilter):
    """DRF's own leaves out what it doesn't know: a misspelt field would silently give another order."""

    def remove_invalid_fields(
        self, queryset: QuerySet[Any], fields: Iterable[str], view: APIView, request: Request
    ) -> list[str]:
        known = [name for name, _ in self.get_valid_fields(queryset, view, {"request": request})]
        wanted = list(fields)
        for field in wanted:
            if field.removeprefix("-") not in known:
                choices = ", ".join(sorted(known))
                raise ValidationError({self.ordering_param: f"There is no order by “{field}”; choose from {choices}."})
        return wanted
