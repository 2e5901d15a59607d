"""A rule, saved or not, on stored readings: what it would have raised, and what would make it calmer.

    rule ─▶ checks (as ingest has them) ─▶ readings, in time order ─▶ the conditions of alarms ─▶ figures, advice

`report.py` is the way in. The conditions are those that ingest and the watch use; only where readings come from, and
what becomes of changes, is different: nothing is written. It takes what is stored in the order of its time, so a
reading that came late counts here, and did not when it came.
"""
