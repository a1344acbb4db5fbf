"""The configuration as values: validated, frozen, unknown keys refused.

Written by the operator as TOML (see ``config/load.py`` for the folder it comes from) and never changed while in force:
a reload makes a whole new `config.model.whole.Config`.
"""
