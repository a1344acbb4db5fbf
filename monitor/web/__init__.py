"""The page: what the service is doing, what it found, what it told."""
