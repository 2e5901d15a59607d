"""What goes wrong around ingest, with real processes, and the checker that says afterwards whether anything was lost.

plan.py         what publishers are to send, and what must become of it
publisher.py    a device as a process: sends, and writes down what it sent and what was acknowledged to it
checker.py      sent and acknowledged against what is in the database; pure
contents.py     reads what is in the database
proxy.py        the network between ingest and broker
scene.py        broker, publishers and ingest of one test
"""
