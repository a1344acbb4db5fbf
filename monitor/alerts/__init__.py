"""Alerts: which rows a match makes (policy), what they say (wording), how they leave (dispatch, channels)."""
