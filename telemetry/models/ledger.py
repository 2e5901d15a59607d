"""The ledger: how much came from each source and what became of it, minute by minute."""

from django.db import models

from telemetry.ingest.ledger import Kind

KINDS = [(str(kind), str(kind)) for kind in Kind]


class Counts(models.Model):
    """received = stored + duplicate + conflict + dead; late ones are among the stored. In samples."""

    received = models.BigIntegerField()
    stored = models.BigIntegerField()
    duplicate = models.BigIntegerField()
    conflict = models.BigIntegerField()
    late = models.BigIntegerField()
    dead = models.BigIntegerField()

    class Meta:
        abstract = True


class LedgerEntry(Counts):
    """A minute of a source; ingest adds to it in the transaction that stores, never through the ORM.

    No constraint holds the equation: a transaction that broke it would be tried again for ever. A job looks instead.
    """

    pk = models.CompositePrimaryKey("minute", "kind", "source")
    minute = models.DateTimeField()  # its start, by the database's clock at the commit
    kind = models.TextField(choices=KINDS)
    source = models.TextField()

    class Meta:
        db_table = "ledger"

    def __str__(self) -> str:
        return f"{self.source} at {self.minute:%Y-%m-%d %H:%M} UTC"


class DeadTotal(models.Model):
    """Why samples were dead, since there is this table; by kind as many as the ledger's."""

    pk = models.CompositePrimaryKey("kind", "reason")
    kind = models.TextField(choices=KINDS)
    reason = models.TextField()
    samples = models.BigIntegerField()

    class Meta:
        db_table = "dead_total"

    def __str__(self) -> str:
        return f"{self.reason} ({self.kind})"


class LedgerTotal(Counts):
    """All minutes before `ledger_state.checked_to`, of each kind, also those that retention has forgotten."""

    kind = models.TextField(primary_key=True, choices=KINDS)

    class Meta:
        db_table = "ledger_total"

    def __str__(self) -> str:
        return self.kind
