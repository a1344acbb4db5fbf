"""What of a page is the article's: sentences, and nothing that changes around them."""

from __future__ import annotations

import pytest

from config.load import load
from config.model.fields import ChangeClass
from monitor.model.texts import Kind
from monitor.stories.changes import Text, changes
from monitor.stories.phrases import Phrases
from monitor.stories.prose import another, prose, same

ARTICLE = (
    "Seven hostages are to be freed on Sunday, mediators said.\n\n"
    "“We are close,” the envoy told reporters in Doha.\n\n"
    "The talks began in October (they were broken off twice)."
)
AROUND = [
    "1,204 views", "4 min read", "Updated 5 minutes ago", "Last updated at 14:05 GMT.", "עודכן ב-14:05",
    "آخر تحديث: 14:05", "Subscribe",
    "Eight killed in strike on Rafah, officials say", "Read more: Who are the hostages?", "Sign up for our newsletter.",
    "Watch: The envoy leaves the hall.", "קראו גם: מי הם החטופים?", "اقرأ المزيد: من هم المحتجزون؟", "Share",
    "Envoys in Doha on Monday. (AP Photo/A. Name)", "An envoy in Doha [Name Surname/Reuters]", "צילום: רויטרס",
    "Envoys arrive. (File photo: Name/AFP)",
]  # fmt: skip


@pytest.mark.parametrize("line", AROUND)
def test_what_stands_around_an_article_is_not_its_text(line: str) -> None:
    first, rest = ARTICLE.split("\n\n", 1)
    assert same(ARTICLE, f"{line}\n\n{first}\n\n{line}\n\n{rest}\n\n{line}")


@pytest.mark.parametrize(
    "line",
    [
        "He did not say when.",
        "It denied the report!",
        "“We will see.”",
        "“We will see”, he said.",
        "Watch officers in Doha saw the envoys leave.",
        "Updated figures show that 12 people were killed.",
        "פורסם כי השיחות יחודשו.",
        "הדובר הכחיש את הדיווח.",
        "نفى المتحدث النبأ.",
        "هل تستأنف المحادثات؟",
        "DOHA (AP) — Mediators handed both sides a draft.",
        " ".join(["Talks"] * 25),
    ],
)
def test_a_sentence_is_the_articles(line: str) -> None:
    assert prose(line) == line
    assert not same(ARTICLE, f"{ARTICLE}\n\n{line}")


def test_spaces_and_invisible_letters_make_no_other_text() -> None:
    assert same(ARTICLE, ARTICLE.replace("\n\n", "\n").replace("Doha", "Do\u00adha").replace("are close", "are  close"))


def test_another_article_has_few_of_the_words() -> None:
    shorter = ARTICLE.split("\n\n", 1)[0]
    assert not another(ARTICLE, ARTICLE.replace("Seven", "Eight"))
    assert not another(shorter, ARTICLE)
    assert another(ARTICLE, "A new railway timetable is in force from December, and nobody knows why it was made so.")
    assert not another("", ARTICLE)
    assert not another(ARTICLE, "")


PHRASES = Phrases.of(load(None).claims, load(None).concepts)


def classes(before: str, after: str, kind: Kind = "article") -> set[ChangeClass]:
    """As the desk compares two readings of a page."""
    old, new = (Text(title="Talks", body=prose(body), language="en", kind=kind) for body in (before, after))
    return set(changes(old, new, PHRASES).classes)


@pytest.mark.parametrize("new", ["Nine hurt in Jenin, army denies report", "12,407 views"])
@pytest.mark.parametrize("old", ["Eight killed in strike on Rafah, officials say", "1,204 views"])
def test_headlines_of_others_and_counters_have_no_class(old: str, new: str) -> None:
    assert classes(f"{ARTICLE}\n\n{old}", f"{new}\n\n{ARTICLE}") == set()


def test_a_number_changed_inside_the_article_has_its_class_whatever_changes_around_it() -> None:
    after = ARTICLE.replace("Seven", "Eight")
    assert classes(f"{ARTICLE}\n\n1,204 views", f"{after}\n\n1,300 views") == {"number"}


NEWER = "14:05\n\nThe envoy left the hall after 2 hours and denied that anything was agreed."
OLDER = "13:05\n\nA bus of 40 reporters waits on the coast road, our correspondent writes."
BLOG = f"{NEWER}\n\n{OLDER}"
POST = "15:05\n\nMinisters in the capital call the draft “a trap” and will vote at 9 in the evening."


@pytest.mark.parametrize(
    "after", [f"{POST}\n\n{BLOG}", f"{BLOG}\n\n{POST}", f"{NEWER}\n\n{POST}\n\n{OLDER}", f"{POST}\n\n{NEWER}"],
    ids=["above", "below", "between", "rolled"],
)  # fmt: skip
def test_posts_that_are_added_to_a_live_blog_are_no_edit(after: str) -> None:
    assert classes(BLOG, after, kind="live") == {"liveblog"}


def test_a_post_of_a_live_blog_that_is_corrected_is_an_edit() -> None:
    assert classes(BLOG, f"{POST}\n\n{BLOG.replace('40', '50')}", kind="live") == {"liveblog", "number"}
