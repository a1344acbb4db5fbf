"""Watches: the query language, many watches at once, why one fired or did not, and what it would have done."""
