"""How well a keyword finds its word: recall, precision and F1 on treebanks, beside the usual ways.

Run ``python -m benchmarks.keywords`` with WIREWATCH_CORPORA pointing at the corpora. For each language and seed,
300 lemmas (half names, half common nouns where the treebank tells them apart) of three letters and more that stand
in two sentences or more are keywords, typed as the citation form. A sentence is a true hit when it holds the lemma
in any form. Micro-averaged over keyword and sentence.
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import re
import sqlite3
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.model.watches import Watch
from monitor.language.normalise import normalise
from monitor.language.tokens import Words
from monitor.watches.compile import WatchSet, compile_watches
from monitor.watches.engine import ItemText

FILES = {
    "he": ("he_htb-ud-dev.conllu.gz", "he_iahltknesset-ud-dev.conllu.gz", "he_iahltwiki-ud-dev.conllu.gz"),
    "ar": ("ar-ud-dev.v1-history.conllu.gz",),
    "en": ("en_ewt-ud-dev.conllu.gz",),
}
SEEDS = (7, 11)
KEYWORDS = 300
_PLAIN = re.compile(r"""[^\W\d_]+(?:["'-][^\W\d_]+)*""")


@dataclass(frozen=True, slots=True)
class Sentence:
    """``stems``: normalised lemma → the forms it has here, without attached particles; ``nouns``: lemma as listed
    and part of speech of its nouns."""

    text: str
    stems: dict[str, set[str]]
    nouns: set[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Keyword:
    lemma: str
    pos: str
    stems: tuple[str, ...]
    """Further stems as a lexicon's author would list them: the two most frequent in the treebank."""


def sentences(path: Path, *, arabic: bool) -> Iterator[Sentence]:
    """The sentences of a CoNLL-U file, as they are written."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        block: list[list[str]] = []
        text = ""
        for line in lines:
            if line.startswith("# text = "):
                text = line[9:].strip()
            elif line[:1].isdigit():
                block.append(line.rstrip("\n").split("\t"))
            elif not line.strip() and block:
                stems: dict[str, set[str]] = defaultdict(set)
                nouns = set()
                for row in block:
                    form, lemma = (unvoiced(row[1]), unvoiced(row[2])) if arabic else (row[1], row[2])
                    stems[normalise(lemma)].add(form.replace("_", ""))
                    if row[3] in ("NOUN", "PROPN"):
                        nouns.add((lemma, row[3]))
                yield Sentence(arabic_text(block) if arabic else text, dict(stems), nouns)
                block, text = [], ""


_TASHKEEL = re.compile("[\u064b-\u0652\u0670]")
_ENCLITIC = frozenset(["ه", "ها", "هم", "هن", "هما", "ك", "كم", "ي", "نا", "ني", "كما"])


def unvoiced(form: str) -> str:
    """Without vowel signs, as newspapers print it."""
    return _TASHKEEL.sub("", form).replace("ٱ", "ا")


def arabic_text(rows: Sequence[Sequence[str]]) -> str:
    """A sentence of the Arabic file, whose particles and pronouns stand apart, put together again."""
    words: list[str] = []
    glue = ""
    for row in rows:
        form = unvoiced(row[1])
        if row[4][:1] in "PCF" and len(form) == 1:
            glue += form
        elif row[4].startswith("S") and form in _ENCLITIC and words and not glue:
            words[-1] += form
        else:
            if glue.endswith("ل") and form.startswith("ال"):
                glue, form = glue[:-1], "لل" + form[2:]
            words.append(glue + form)
            glue = ""
    return " ".join(words)


def chosen(corpus: Sequence[Sentence], seed: int, *, halves: bool) -> list[Keyword]:
    """The keywords of one seed."""
    where: Counter[str] = Counter(lemma for sentence in corpus for lemma in sentence.stems)
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    as_what: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for sentence in corpus:
        for lemma, found in sentence.stems.items():
            forms[lemma].update(found)
        for lemma, pos in sentence.nouns:
            as_what[normalise(lemma)][lemma, pos] += 1
    usable = sorted(
        lemma for lemma in as_what if where[lemma] >= 2 and len(lemma) >= 3 and _PLAIN.fullmatch(lemma)
    )  # fmt: skip
    kind = {lemma: as_what[lemma].most_common(1)[0][0] for lemma in usable}
    rng = random.Random(seed)
    groups = [[w for w in usable if kind[w][1] == pos] for pos in ("PROPN", "NOUN")] if halves else [usable]
    picked = [lemma for group in groups for lemma in rng.sample(group, min(len(group), KEYWORDS // len(groups)))]
    return [
        Keyword(*kind[lemma], tuple(f for f, _ in forms[lemma].most_common() if normalise(f) != lemma)[:2])
        for lemma in picked
    ]  # fmt: skip


# -------------------------------------------------------------------- ways of finding: sentence number, keyword number

Found = set[tuple[int, int]]
Way = Callable[[Sequence[str], Sequence[Keyword]], Found]


def substring(texts: Sequence[str], keywords: Sequence[Keyword]) -> Found:
    return {(i, k) for i, text in enumerate(texts) for k, word in enumerate(keywords) if word.lemma in text}


def substring_normalised(texts: Sequence[str], keywords: Sequence[Keyword]) -> Found:
    folded = [normalise(word.lemma) for word in keywords]
    return {(i, k) for i, text in enumerate(map(normalise, texts)) for k, word in enumerate(folded) if word in text}


def equality(texts: Sequence[str], keywords: Sequence[Keyword]) -> Found:
    return _by_stem(texts, keywords, lambda text: re.findall(r"\w+", text))


def equality_normalised(texts: Sequence[str], keywords: Sequence[Keyword]) -> Found:
    return _by_stem(texts, keywords, lambda text: Words(text).norms)


def snowball(language: str) -> Way | None:
    """Stem both sides; ``None`` where there is no stemmer."""
    try:
        import Stemmer  # type: ignore[import-not-found]  # noqa: PLC0415  # a benchmark's own dependency
    except ImportError:
        return None
    name = {"en": "english", "ar": "arabic"}.get(language)
    if name is None:
        return None
    stemmer = Stemmer.Stemmer(name)
    return lambda texts, keywords: _by_stem(texts, keywords, lambda text: stemmer.stemWords(Words(text).norms))


def _by_stem(texts: Sequence[str], keywords: Sequence[Keyword], cut: Callable[[str], list[str]]) -> Found:
    wanted: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for k, word in enumerate(keywords):
        wanted[tuple(cut(word.lemma))].append(k)
    longest = max(map(len, wanted))
    found: Found = set()
    for i, text in enumerate(texts):
        tokens = cut(text)
        for size in range(1, longest + 1):
            for at in range(len(tokens) - size + 1):
                found.update((i, k) for k in wanted.get(tuple(tokens[at : at + size]), ()))
    return found


def fts5(tokenizer: str) -> Way:
    def find(texts: Sequence[str], keywords: Sequence[Keyword]) -> Found:
        with sqlite3.connect(":memory:") as db:
            db.execute(f"create virtual table t using fts5(body, tokenize='{tokenizer}')")
            db.executemany("insert into t(rowid, body) values (?, ?)", enumerate(texts))
            found: Found = set()
            for k, word in enumerate(keywords):
                phrase = '"' + word.lemma.replace('"', '""') + '"'
                found.update((i, k) for (i,) in db.execute("select rowid from t where t match ?", (phrase,)))
        return found

    return find


def ours(*, stems: bool, kinds: bool = True) -> Way:
    """A watch for each keyword; ``stems``: with the listed stems, ``kinds``: names are typed ``name:…``."""

    def find(texts: Sequence[str], keywords: Sequence[Keyword]) -> Found:
        watches, bad = compile_watches(
            (Watch(id=f"k{k}", title=word.lemma, when=_query(word, stems=stems, kinds=kinds))
             for k, word in enumerate(keywords)),
            {}, outlets=(),
        )  # fmt: skip
        assert not bad, bad
        return _all_matches(watches, texts)

    return find


def _query(word: Keyword, *, stems: bool, kinds: bool) -> str:
    prefix = "name:" if kinds and word.pos == "PROPN" else ""
    forms = (word.lemma, *(word.stems if stems else ()))
    return " OR ".join(prefix + form for form in forms if Words(form).norms)


def _all_matches(watches: WatchSet, texts: Sequence[str]) -> Found:
    return {(i, int(match.watch[1:])) for i, text in enumerate(texts) for match in watches.match(ItemText(text))}


# -------------------------------------------------------------------- figures


@dataclass(frozen=True, slots=True)
class Score:
    precision: float
    recall: float
    microseconds: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def truth(corpus: Sequence[Sentence], keywords: Sequence[Keyword]) -> Found:
    numbers = {normalise(word.lemma): k for k, word in enumerate(keywords)}
    return {
        (i, numbers[key]) for i, sentence in enumerate(corpus) for key in sentence.stems if key in numbers
    }  # fmt: skip


def score(found: Found, true: Found, seconds: float, count: int) -> Score:
    right = len(found & true)
    return Score(right / len(found) if found else 0.0, right / len(true), seconds / count * 1e6)


def ways(language: str) -> dict[str, Way | None]:
    return {
        "substring, raw": substring,
        "substring, normalised": substring_normalised,
        "token equality, raw": equality,
        "token equality, normalised": equality_normalised,
        "Snowball": snowball(language),
        "FTS5 unicode61": fts5("unicode61 remove_diacritics 2"),
        **({"FTS5 porter": fts5("porter unicode61")} if language == "en" else {}),
        "wirewatch, citation form": ours(stems=False),
        "wirewatch, citation form, no name: typed": ours(stems=False, kinds=False),
        "wirewatch, two more stems listed": ours(stems=True),
    }


def worst(found: Found, true: Found, keywords: Sequence[Keyword], corpus: Sequence[Sentence]) -> list[str]:
    """The twenty keywords with the most errors, each with the forms missed."""
    missed, false = Counter(k for _, k in true - found), Counter(k for _, k in found - true)
    lines = []
    for k, count in (missed + false).most_common(20):
        word = keywords[k]
        forms = {form for i, j in true - found if j == k for form in corpus[i].stems[normalise(word.lemma)]}
        lines.append(
            f"{word.lemma} ({word.pos}): {missed[k]} missed, {false[k]} false of {count}; missed as {sorted(forms)[:6]}"
        )  # fmt: skip
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worst", action="store_true", help="list the twenty worst lemmas of each language")
    parser.add_argument("--language", choices=sorted(FILES), help="only this language")
    options = parser.parse_args()
    folder = os.environ.get("WIREWATCH_CORPORA")
    if not folder:
        print("WIREWATCH_CORPORA is not set: nothing to measure", file=sys.stderr)
        return 2
    for language in [options.language] if options.language else FILES:
        report(language, Path(folder) / "language", show_worst=options.worst)
    return 0


def report(language: str, folder: Path, *, show_worst: bool) -> None:
    arabic = language == "ar"
    corpus = [s for name in FILES[language] for s in sentences(folder / name, arabic=arabic)]
    texts = [sentence.text for sentence in corpus]
    print(f"\n{language}: {len(corpus)} sentences\n\n| way | " + " | ".join(f"P, R, F1 seed {s}" for s in SEEDS)
          + " | mean F1 | µs a sentence |\n| --- |" + " --- |" * (len(SEEDS) + 2))  # fmt: skip
    picks = [chosen(corpus, seed, halves=not arabic) for seed in SEEDS]
    for name, way in ways(language).items():
        if way is None:
            print(f"| {name} | none for this language, or PyStemmer is not installed |")
            continue
        scores = []
        for keywords in picks:
            started = time.perf_counter()
            found = way(texts, keywords)
            scores.append(score(found, truth(corpus, keywords), time.perf_counter() - started, len(texts)))
        cells = " | ".join(f"{s.precision:.3f}, {s.recall:.3f}, {s.f1:.3f}" for s in scores)
        mean = sum(s.f1 for s in scores) / len(scores)
        print(f"| {name} | {cells} | **{mean:.3f}** | {sum(s.microseconds for s in scores) / len(scores):.0f} |")
    if show_worst:
        found = ours(stems=False)(texts, picks[0])
        print("\n".join(["", f"Worst, seed {SEEDS[0]}:", *worst(found, truth(corpus, picks[0]), picks[0], corpus)]))


if __name__ == "__main__":
    raise SystemExit(main())
