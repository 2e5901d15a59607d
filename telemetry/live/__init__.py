"""The live feed: from what ingest has just committed to the sockets of browsers and programs.

`publish` sends one frame per plant and tick into the channel layer; in each web process the `hub` takes a plant's
frames once and merges them for every socket; `consumers` is the socket; `frames` is the form of what is said on it.
"""
