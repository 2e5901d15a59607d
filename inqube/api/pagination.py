"""Pages of lists: by number, of a size that the client chooses within bounds."""

import re
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.views import APIView

SIZE = re.compile(r"0*[1-9][0-9]{0,8}")


class Pages(PageNumberPagination):
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000  # about 0.5 MB of sensors

    def get_page_size(self, request: Request) -> int | None:
        """DRF's own takes its default for what is no number, as if the client had not asked."""
        asked = request.query_params.get(self.page_size_query_param)
        if asked is not None and not SIZE.fullmatch(asked):
            raise ValidationError({self.page_size_query_param: f"“{asked}” is no number of rows."})
        return super().get_page_size(request)

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        """Ties are broken by key: without a total order a row may be on two pages, and another on none."""
        if isinstance(queryset, QuerySet) and queryset.query.order_by:
            queryset = queryset.order_by(*queryset.query.order_by, "pk")
        return super().paginate_queryset(queryset, request, view)
