"""What one sensor of the demo factory reads: value, quality, and whether it reports at all, at any moment."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from plants.demo_factory import Place
from plants.models import Sensor
from plants.scales import BAD, GOOD, UNCERTAIN
from telemetry.simulator.course import Course, Interruption, days_between
from telemetry.simulator.noise import Floats, fraction_of, key_of, wander

DAY_S = 86_400
METERED_SINCE = 1_704_067_200  # 2024-01-01 UTC: where the meters that only grow began at zero
USUAL_SHARE = 0.9  # of a day in which a machine runs
WARMEST_HOUR = 14

# Seconds in which a quantity follows its machine: time constant down, duration of the way up.
FOLLOWS_AT_ONCE = (1.5, 9.0)
FOLLOWS = {
    "temperature": (900.0, 1_500.0),
    "humidity": (600.0, 1_200.0),
    "moisture": (1_800.0, 2_400.0),
    "level": (900.0, 1_500.0),
    "concentration": (120.0, 180.0),
    "pressure": (12.0, 25.0),
}
# What the day's warmth does to a quantity, at its warmest.
DAILY = {"temperature": 1.6, "humidity": -2.8}
# Unrest from the slow to the quick, as shares of a sensor's noise: drift, the process, the instrument.
UNREST = ((14_400.0, 0.5), (420.0, 0.3), (9.0, 0.2))
UNREST_AT_REST = 0.15  # a machine that stands is quieter, but its instruments are not silent

# What goes wrong with a sensor now and then; the state names the quality.
UNCERTAINTIES = Interruption("uncertain", UNCERTAIN, 25_200, 0.25, 20, 90)
FAILURES = Interruption("bad", BAD, 111_600, 0.2, 10, 60)
SILENCES = Interruption("silence", 0, 93_600, 0.3, 60, 300)


@dataclass(frozen=True)
class Signal:
    """One sensor's signal. Times are seconds since 1970 UTC, of shape (n,), as are the answers."""

    place: Place
    seed: int = 0

    @cached_property
    def key(self) -> int:
        return key_of(self.place.address, self.seed)

    @cached_property
    def course(self) -> Course:
        return Course(self.place.machine_address, self.seed)

    def value(self, t: Floats) -> Floats:
        """What the sensor reads, within its plausible range, rounded as its instrument does."""
        sensor = self.place.sensor
        if not len(t):
            return np.empty(0)
        if sensor.kind == Sensor.Kind.STATE:
            return self.course.state(t).astype(np.float64)
        if sensor.kind == Sensor.Kind.COUNTER:
            return self._counted(t)
        exact = np.clip(self._gauged(t), sensor.low, sensor.high)
        return np.round(exact, sensor.decimals + 1) + 0.0  # no negative zero

    def quality(self, t: Floats) -> NDArray[np.int16]:
        """OPC DA bytes: good but for rare moments, and always good for counters and states."""
        quality = np.full(t.shape, GOOD, np.int16)
        if self.place.sensor.kind == Sensor.Kind.GAUGE:
            quality[UNCERTAINTIES.inside(self.key, t)] = UNCERTAIN
            quality[FAILURES.inside(self.key, t)] = BAD
        return quality

    def reports(self, t: Floats) -> NDArray[np.bool_]:
        """Whether the sensor is heard of; a state always is."""
        if self.place.sensor.kind == Sensor.Kind.STATE:
            return np.ones(t.shape, np.bool_)
        return ~SILENCES.inside(self.key, t)

    def _gauged(self, t: Floats) -> Floats:
        sensor = self.place.sensor
        activity = self.course.activity(t, *FOLLOWS.get(sensor.type, FOLLOWS_AT_ONCE))
        running = sensor.running * (1.0 + 0.03 * (2.0 * fraction_of(self.key, "own") - 1.0))  # no two are equal
        if sensor.type in ("volume", "weight"):
            running = sensor.running  # what is sold has to be exact
        value = sensor.rest + (running - sensor.rest) * activity
        if sensor.strained is not None:
            value += (sensor.strained - running) * activity * self.course.strain(t)
        if sensor.type in DAILY:
            hour = t / 3600 + self._hours_from_utc
            value += DAILY[sensor.type] * np.cos((hour - WARMEST_HOUR) * (np.pi / 12))
        if sensor.swing is not None:
            turns = t / sensor.swing.period_s + fraction_of(self.key, "swing")
            value += sensor.swing.amplitude * activity * np.tanh(1.6 * np.sin(turns * (2 * np.pi)))
        unrest = sum(share * wander(self.key + i, t, period) for i, (period, share) in enumerate(UNREST))
        value += sensor.noise * unrest * (UNREST_AT_REST + (1.0 - UNREST_AT_REST) * activity)
        return value

    @cached_property
    def _hours_from_utc(self) -> float:
        """The plant's, without daylight saving: the sun doesn't know of it, and it would make a jump."""
        midnight = days_between(self.place.plant.timezone, METERED_SINCE, METERED_SINCE)[0]
        return (METERED_SINCE - midnight) / 3600

    def _counted(self, t: Floats) -> Floats:
        """Pieces since the plant's midnight, or a meter that grows by the same amount every UTC day."""
        sensor = self.place.sensor
        timezone = self.place.plant.timezone if sensor.resets_daily else "UTC"
        midnights = days_between(timezone, int(t.min()) // DAY_S * DAY_S, (int(t.max()) // DAY_S + 1) * DAY_S)
        value = np.empty(t.shape)
        for day_start, day_end in pairwise(midnights):
            of_day = (t >= day_start) & (t < day_end)
            if not of_day.any():
                continue
            so_far, in_all = self.course.running_s(t[of_day], day_start, day_end)
            if sensor.resets_daily:
                value[of_day] = sensor.running / 3600 * so_far
            else:
                days = (day_start - METERED_SINCE) // DAY_S + so_far / in_all
                value[of_day] = sensor.running * 24 * USUAL_SHARE * days
        scale = 10.0**sensor.decimals
        return np.floor(value * scale) / scale
