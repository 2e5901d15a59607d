"""Telling people of alarms, by email and webhook, at once and step by step until somebody has acknowledged it.

    event of an alarm ─▶ enqueue (its transaction) ─▶ plan (job): a Delivery for each step ─▶ deliver (a job each)
                                                              policy.py: now, later, in a digest, or not at all

`enqueue.py` defers one job where the alarm's plant has a policy for it; `plan.py` makes its deliveries, `deliver.py`
sends each at its time, if it is still called for. `facts.py` reads what there is to say, `messages.py` and
`payloads.py` purely say it; `mail.py` and `webhook.py` bring it there.
"""
