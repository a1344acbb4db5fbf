"""The demo: an invented day of news, served on loopback to the real service (docs/demo.md)."""
