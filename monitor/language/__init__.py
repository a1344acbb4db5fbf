"""How words are written and inflected in English, Hebrew and Arabic: normalise, cut, recognise."""
