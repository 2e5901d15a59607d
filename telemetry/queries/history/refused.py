"""What a question about the past is refused for."""


class RefusedError(Exception):
    """A parameter that makes no sense, or asks for too much; with what to ask instead."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail
