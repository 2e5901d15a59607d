"""Pages of lists: by number, of a size that the client chooses within bounds."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.views import APIView


class Pages(PageNumberPagination):
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000  # about 0.5 MB of sensors

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        """Ties are broken by key: without a total order a row may be on two pages, and another on none."""
        if isinstance(queryset, QuerySet) and queryset.query.order_by:
            queryset = queryset.order_by(*queryset.query.order_by, "pk")
        return super().paginate_queryset(queryset, request, view)
