"""News, without frameworks: what an item is, what a watch means, when an alert is told."""
