"""Stages 3 and 4 of 8 for one sample; the pipeline does the same for many in one go."""

from telemetry.ingest.resolve import Directory
from telemetry.ingest.validate import Window, outside, validate
from telemetry.readings import Reading, Reason, Rejected, Sample


def reading_of(sample: Sample, directory: Directory, accepted: Window) -> Reading | Rejected:
    """The reading that a sample makes, or why it makes none."""
    sensor = directory.sensors.get(sample[0])
    return refuse(sample, directory, accepted) if sensor is None else validate(sample, sensor, accepted)


def refuse(sample: Sample, directory: Directory, accepted: Window) -> Rejected:
    """Why a sample is refused that belongs to no sensor of the directory.

    Where that is nothing but UNKNOWN_SENSOR, it would be a reading if there were one: it is to be quarantined.
    """
    why = directory.unknown(sample[0])
    return outside(sample, accepted) or why if why.reason is Reason.UNKNOWN_SENSOR else why
