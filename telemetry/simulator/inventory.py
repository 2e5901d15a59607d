"""Makes the fleet's plant in the database, so that what the fleet sends is stored."""

from django.db import transaction

from plants.models import Machine, Plant, Sensor, Zone
from telemetry.simulator.fleet import MIDDLE, SWING, Fleet

STALE_AFTER = 5  # expected intervals of silence, but a minute at least
SHORTEST_STALE_S = 60.0


@transaction.atomic
def create(fleet: Fleet, interval_s: float) -> int:
    """Creates what is missing of plant, zones, machines and sensors, and nothing else; returns how many sensors."""
    plant, _ = Plant.objects.get_or_create(slug=fleet.plant, defaults={"name": _name(fleet.plant)})
    zones = {zone.slug: zone for zone in plant.zones.all()}
    there = set(
        Sensor.objects.filter(machine__zone__plant=plant).values_list("machine__zone__slug", "machine__slug", "slug")
    )
    machines = {(m.zone.slug, m.slug): m for m in Machine.objects.filter(zone__plant=plant).select_related("zone")}
    missing = []
    for number, (zone_slug, machine_slug, slugs) in enumerate(fleet.machines()):
        if zone_slug not in zones:
            zones[zone_slug] = Zone.objects.create(
                plant=plant, slug=zone_slug, name=_name(zone_slug), kind=Zone.Kind.LINE, position=len(zones)
            )
        if (zone_slug, machine_slug) not in machines:
            machines[zone_slug, machine_slug] = Machine.objects.create(
                zone=zones[zone_slug], slug=machine_slug, name=_name(machine_slug), position=number
            )
        missing += [
            Sensor(
                machine=machines[zone_slug, machine_slug],
                slug=slug,
                name=_name(slug),
                low=MIDDLE - 1.5 * SWING,
                high=MIDDLE + 1.5 * SWING,
                expected_interval_s=interval_s,
                stale_after_s=max(SHORTEST_STALE_S, STALE_AFTER * interval_s),
                position=position,
            )
            for position, slug in enumerate(slugs)
            if (zone_slug, machine_slug, slug) not in there
        ]
    return len(Sensor.objects.bulk_create(missing, batch_size=2_000))


def _name(slug: str) -> str:
    return slug.replace("-", " ").capitalize()
