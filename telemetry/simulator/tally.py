"""Counts of what was published, and of what InQube should make of it, to be compared with its ledger."""

from collections import Counter
from typing import Any

from telemetry.simulator import faults
from telemetry.simulator.drafts import Publication

TOLD = {
    faults.DRIFT: "values drifted",
    faults.STUCK: "values stuck",
    faults.AHEAD: "values of clocks ahead",
    faults.BEHIND: "values of clocks behind",
    faults.GAP: "values not sent in gaps",
    faults.MALFORMED: "messages malformed",
    faults.DUPLICATES: "messages sent twice",
    faults.REORDERING: "messages overtaken",
}


class Tally:
    """Of the messages that were handed over to the broker's client."""

    def __init__(self) -> None:
        self.messages = self.samples = self.stored = self.duplicate = 0
        self.dead: Counter[str] = Counter()  # samples, by reason
        self.faults: Counter[str] = Counter()  # values or messages, by fault
        self.is_timed = True

    def count(self, publication: Publication) -> None:
        for fault, number in publication.faults:
            self.faults[fault] += number
        if publication.payload is None:
            return
        self.messages += 1
        self.samples += publication.samples
        self.is_timed &= publication.is_timed
        if publication.reason is not None:
            self.dead[str(publication.reason)] += publication.samples
        elif publication.is_repeated and publication.is_timed:
            self.duplicate += publication.samples
        else:
            self.stored += publication.samples

    def as_dict(self) -> dict[str, Any]:
        """`faults` in values or messages; `ledger` in samples, as `manage.py ledger` counts them."""
        return {
            "messages": self.messages,
            "faults": {fault: self.faults[fault] for fault in TOLD},
            "ledger": {
                "received": self.samples,
                "stored": self.stored,
                "duplicate": self.duplicate,
                "conflict": 0,
                "dead": sum(self.dead.values()),
            },
            "dead": dict(sorted(self.dead.items())),
        }

    def words(self) -> str:
        """The same for people: a line about faults, if there were any, and one to compare with the ledger."""
        lines = []
        if told := [f"{number:,} {words}" for fault, words in TOLD.items() if (number := self.faults[fault])]:
            lines.append(f"Faults: {', '.join(told)}.")
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in sorted(self.dead.items()))
        dead = f"{sum(self.dead.values()):,} dead" + (f" ({reasons})" if reasons else "")
        lines.append(
            f"Where all sensors exist, the ledger gains {self.samples:,} received = {self.stored:,} stored + "
            f"{self.duplicate:,} duplicate + 0 conflict + {dead}."
        )
        if not self.is_timed:
            lines.append("Bare numbers have no time: those of one sensor that arrive together are one reading.")
        return "\n".join(lines)
