"""What wirewatch knows, as values: frozen, slotted, keyword-only. All times are aware and in UTC.

Unknown is ``None``, empty is empty, guessed is marked. The path of one item goes through these modules:
`sources` → `entries` → `filing` → `items` → `alerts` → `messages`.
"""
