"""Stages 3 and 4 of 8 for one sample; the pipeline does the same for many in one go."""

from telemetry.ingest.resolve import Directory
from telemetry.ingest.validate import Window, validate
from telemetry.readings import Reading, Rejected, Sample


def reading_of(sample: Sample, directory: Directory, accepted: Window) -> Reading | Rejected:
    """The reading that a sample makes, or why it makes none."""
    sensor = directory.sensors.get(sample[0])
    return directory.unknown(sample[0]) if sensor is None else validate(sample, sensor, accepted)
