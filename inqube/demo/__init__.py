"""`manage.py demo`: a live factory on one machine, out of pip packages.

directory.py    what lies under .inqube/, and that one demo at a time uses it
environment.py  ports, keys and credentials: chosen once, kept
supervision.py  supervisor starts, restarts and stops the parts
prepare.py      a child process: migrate, static files, seed, history
travel.py       waits for a reading that went MQTT → database → WebSocket
summary.py      what to open, and what to paste
run.py          the steps in their order
"""


class DemoError(Exception):
    """The demo can't go on; the message is one sentence for the person who started it."""
