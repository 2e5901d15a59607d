"""The path of a reading from the broker to the database, one file a stage:

    1  mqtt.py      receive: MQTT 5 session, acknowledgements; subscriptions.py: its filters; shard.py: whose they are
    2  decode.py    Message → Samples; pure
    3  resolve.py   address → sensor, from a directory kept in memory
    4  validate.py  Sample + sensor + now → Reading, or Rejected; pure
    5  batch.py     collects until full or old; pure
    6  store.py     one transaction: readings (insert.py), latest, what became none (inbox.py, quarantine.py), ledger.py
    7               alarms are evaluated inside that transaction
    8  ../live/publish.py  what is new, to the browsers

`intake.py` does stages 2 to 5 in one go, with `fair.py` where more comes than can be stored. `pipeline.py` is the path
as code; `http.py` goes it without a broker and a batch, for the body of one request.
"""
