"""What came of an attempt to bring a message somewhere."""

from typing import NamedTuple


class Outcome(NamedTuple):
    is_success: bool
    words: str  # for the log: what the other side answered, or why there is no answer
    is_final: bool = False  # another try would bring the same
