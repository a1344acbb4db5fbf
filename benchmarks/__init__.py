"""Every figure of ``docs/figures.md`` and the command that makes it."""
