"""Rules, and the alarms that they raise: from a reading to a person who knows what to do (ISA-18.2).

    new reading ─▶ condition of a rule ─▶ delays ─▶ alarm ─▶ journal ─▶ live feed, notifications, people

`conditions.py` and `lifecycle.py` say purely what happens; `evaluate.py` does it in ingest's transaction, `watch.py`
in the worker where no reading comes, and the methods of `models/` where people do something. All write through
`record.py`. docs/alarms.md says what users may rely on.
"""
