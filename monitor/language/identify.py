"""Which language a text is in, by its script.

The script decides 99.6 % of sentences; what the feed declares only counts where the script says nothing.
Title and lead are judged separately by the caller: English titles stand in Hebrew feeds.
"""

from __future__ import annotations

import re
from typing import get_args

from monitor.model.texts import TextLanguage

_HEBREW = re.compile("[\u05d0-\u05ea\ufb1d-\ufb4f]")
_ARABIC = re.compile("[\u0620-\u063f\u0641-\u064a\u066e-\u06d3\ufb50-\ufdff\ufe70-\ufefc]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\uff21-\uff3a\uff41-\uff5a]")
_LETTER = re.compile(r"[^\W\d_]")
_PERSIAN = re.compile("[پچژگکیٹڈڑںھہے]")
_ARABIC_ONLY = re.compile("[ةىإ]")
_SHARE = 0.3
_PERSIAN_SHARE = 0.04


def identify(text: str, declared: str | None = None) -> TextLanguage:
    """The text's language; ``declared`` (``"he"``, ``"en-GB"``) counts only where the script does not contradict it."""
    said = (declared or "").replace("_", "-").split("-")[0].casefold()
    letters = len(_LETTER.findall(text))
    if not letters:
        return next((language for language in get_args(TextLanguage) if language == said), "und")
    hebrew, arabic = len(_HEBREW.findall(text)), len(_ARABIC.findall(text))
    if hebrew >= _SHARE * letters and hebrew >= arabic:
        return "he" if said != "yi" else "und"
    if arabic >= _SHARE * letters:
        return "und" if _is_persian(text, arabic) or said in ("fa", "ur", "ckb", "ps") else "ar"
    if len(_LATIN.findall(text)) * 2 >= letters:
        return "en" if said in ("", "en", "he", "ar", "und") else "und"
    return "und"


def _is_persian(text: str, arabic: int) -> bool:
    """Persian or Urdu letters, in a text without the letters only Arabic has (Arabic is typed on Persian keys too)."""
    return len(_PERSIAN.findall(text)) > _PERSIAN_SHARE * arabic and not _ARABIC_ONLY.search(text)
