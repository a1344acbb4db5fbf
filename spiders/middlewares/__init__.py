"""Downloader middlewares, one manner each; the order they stand in is written in ``config/crawl.py``."""
