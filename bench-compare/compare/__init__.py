"""CortexKG beside others, on the same records, scored by the same program.

`__main__` is the command, `plan` says what is run, `measured` runs one process and measures it, `worker` is that
process for a peer; `tfidf`, `splink_run`, `splink_auto` and `hand/` are the peers.
"""
