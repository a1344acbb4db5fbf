"""The store over one SQLite file: one writer thread, a few readers, write-ahead log."""
