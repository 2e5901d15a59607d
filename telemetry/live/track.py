"""What a web process has heard of one plant: how each sensor stands, and since which frame it changed."""

from collections import deque
from collections.abc import Iterator

from telemetry.live import frames
from telemetry.live.frames import Frame, Row

RESUMABLE = 1200  # frames back to which a client that returns may resume: five minutes of ingest's ticks

# Clients count by ingest's frames. Those of HTTP requests come between two of them, and are numbered from there: every
# web process hears all frames of a plant in the same order, so the same frame has the same number in each.
SPAN = 1 << 20  # 2^33 of ingest's frames, 68 years, stay within the 2^53 that JavaScript counts to


class Track:
    """One row per sensor that changed, whatever the rate. Where a client stands is how many frames it has heard."""

    def __init__(self) -> None:
        self.epoch = ""  # of the ingest process; empty until the first of its frames
        self.seq = 0  # what clients call the last frame
        self.heard = 0  # frames
        self._whole_since = 0  # frames had been heard when the last was lost: who stands before needs a snapshot
        self._seqs: deque[int] = deque(maxlen=RESUMABLE)  # of the last frames in this epoch, all in a row
        self._publishers: dict[str, int] = {}  # epoch → seq of its last frame
        self._changed: dict[int, tuple[int, Row]] = {}  # by sensor, the last changed last: at which frame, to what
        self._deltas: dict[tuple[str, int, frozenset[int] | None, str | None], str] = {}  # since the last frame

    def hear(self, frame: Frame) -> int:
        """How many frames were lost before this one, as far as its publisher's numbers tell."""
        lost = max(0, frame.seq - self._publishers.get(frame.epoch, frame.seq) - 1)
        self.heard += 1
        self._deltas.clear()
        if not self._follows(frame):
            self._whole_since = self.heard
            self._seqs.clear()
            self._changed.clear()
        self._publishers[frame.epoch] = frame.seq
        if frame.leads:
            if frame.epoch != self.epoch:
                self._seqs.clear()
            self.epoch, self.seq = frame.epoch, frame.seq * SPAN
        else:
            self.seq = min(self.seq + 1, self.seq | (SPAN - 1))  # after a million without ingest the number stays
        self._seqs.append(self.seq)
        for row in frame.rows:
            number, time_ms, _, _ = row
            before = self._changed.pop(number, None)
            if before is not None and before[1][1] > time_ms:  # two publishers, whose frames have crossed
                row = before[1]
            self._changed[number] = self.heard, row
        return lost

    def _follows(self, frame: Frame) -> bool:
        """Whether nothing was lost before this frame."""
        if frame.leads and self.epoch not in ("", frame.epoch):
            return False  # another ingest process, and the last words of the one before may be missing
        last = self._publishers.get(frame.epoch)
        if last is None:  # who has begun before this process listened is no news of a lost frame, if it is ingest
            return frame.leads or frame.seq == 1
        return frame.seq == last + 1

    def where(self, epoch: str, seq: int) -> int | None:
        """Where a client stands that has seen this frame, here or from another web process; None if unknown."""
        if not epoch or epoch != self.epoch or seq not in self._seqs:
            return None
        return self.heard - (len(self._seqs) - 1 - self._seqs.index(seq))

    def is_whole_from(self, position: int) -> bool:
        """Whether what has changed since then is all known."""
        return position >= self._whole_since

    def since(self, position: int, sensors: frozenset[int] | None = None) -> list[Row]:
        """The newest row of each sensor that has changed since then."""
        rows = list(self._since(position, sensors))
        rows.reverse()
        return rows

    def has_since(self, position: int, sensors: frozenset[int] | None = None) -> bool:
        return next(self._since(position, sensors), None) is not None

    def _since(self, position: int, sensors: frozenset[int] | None) -> Iterator[Row]:
        """Newest first."""
        for at, row in reversed(self._changed.values()):
            if at <= position:
                return
            if sensors is None or row[0] in sensors:
                yield row

    def delta(self, plant: str, position: int, sensors: frozenset[int] | None, epoch: str | None) -> str:
        """As `frames.delta`, of what has changed since then; written once for all who stand and ask alike."""
        key = plant, position, sensors, epoch
        if key not in self._deltas:
            self._deltas[key] = frames.delta(plant, self.seq, self.since(position, sensors), epoch).decode()
        return self._deltas[key]
