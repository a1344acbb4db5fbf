"""What a text is: its language and its kind."""

from __future__ import annotations

from typing import Literal

TextLanguage = Literal["en", "he", "ar", "und"]
"""A text's own language; ``und``: no letters, or another language."""
Kind = Literal["article", "live", "opinion", "video"]
