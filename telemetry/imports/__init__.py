"""Readings from files, by the same stages as those from the broker:

files.py     a file into records: CSV or NDJSON, gzipped or not, from any place on
rows.py      record → sample, through ingest's decode; pure
run.py       batches through ingest's resolve, validate and store; what came of them, by reason
state.py     how far a file has been imported, kept beside it
"""
