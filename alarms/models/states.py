"""Where rules stand between two batches of ingest: no models' methods, for SQL alone reads and writes these."""

from django.db import models


class RuleState(models.Model):
    """A rule and sensor that is not plainly normal: a delay runs, or the condition holds. Most have no row.

    `phase` is that of conditions.Phase; `since` in its scale, the reading at which the phase began; `anchor` the value
    from which a stuck one has not moved. `due_at`, by the database's clock: when a delay is over if no reading comes.
    """

    pk = models.CompositePrimaryKey("rule_id", "sensor")
    rule_id = models.UUIDField()
    sensor = models.IntegerField()  # Sensor.number
    phase = models.SmallIntegerField()
    since_us = models.BigIntegerField()
    anchor = models.FloatField()
    due_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "rule_state"
        default_permissions = ()

    def __str__(self) -> str:
        return f"rule {self.rule_id} at sensor {self.sensor}"


class LastGood(models.Model):
    """The last reading of a sensor that was not bad, while newer ones are: rates and the like go on from there."""

    sensor = models.IntegerField(primary_key=True)
    time_us = models.BigIntegerField()
    value = models.FloatField()

    class Meta:
        db_table = "last_good"
        default_permissions = ()

    def __str__(self) -> str:
        return f"last good of sensor {self.sensor}"


class RulesChange(models.Model):
    """A transaction that changed rules, or sensors that they may be about; triggers write it, `watch` forgets old ones.

    Who holds rules in memory compares all of these with what it saw when it read the rules: a number that counts up
    would be seen before what it counts is committed, or make writers wait for each other.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        db_table = "rules_change"
        default_permissions = ()

    def __str__(self) -> str:
        return f"change {self.pk}"
