"""What lists are asked for: an order or a value that makes no sense is a mistake, and said to be one."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django_filters import BooleanFilter
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from rest_framework.views import APIView

BOOLEANS = {"", "true", "false", "1", "0"}


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


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter's own reads a boolean that it doesn't know as no wish, and would give all rows."""

    def get_filterset_kwargs(self, request: Request, queryset: QuerySet[Any], view: APIView) -> dict[str, Any]:
        for name, filter_ in self.get_filterset_class(view, queryset).base_filters.items():
            value = request.query_params.get(name, "")
            if isinstance(filter_, BooleanFilter) and value.lower() not in BOOLEANS:
                raise ValidationError({name: f"“{value}” is neither true nor false."})
        return super().get_filterset_kwargs(request, queryset, view)
