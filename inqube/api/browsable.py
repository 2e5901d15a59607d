"""The browsable API under our content security policy."""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer

STYLE_ATTRIBUTE = re.compile(r' style="[^"]*"')  # only of DRF's templates: in data, quotes are escaped


class BrowsableRenderer(BrowsableAPIRenderer):
    """Without DRF's few inline styles, which browsers would refuse; `browsable.css` says the same."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return STYLE_ATTRIBUTE.sub("", super().render(data, accepted_media_type, renderer_context))

    def get_context(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context(*args, **kwargs), "code_style": ""}  # Pygments', where that is installed
