"""Article pages: when one is read again, and what an answer says of the article. Pure; the time is an argument.

========================  ========================================  ================================================
answer                    first reading                             another reading
========================  ========================================  ================================================
the article, or 304       its text is the item's                    an edit, if it tells something else; if it was
                                                                    withdrawn, it is back
410                       not asked again                           withdrawn
404                       tried three times                         withdrawn, if it is so again ten minutes later: a
                                                                    hiccup is no withdrawal
it leads to a front page  no text is taken: moved or gone           the same
or says "not found"
404, 5xx, no answer       tried three times, then at the next time  the same
robots, a challenge       not asked again                           not asked again
========================  ========================================  ================================================

Only a page that was read once can be withdrawn: an outlet that answers 404 to programs withdraws nothing.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import unquote

from config.model.outlets import CLOSEST, Outlet
from monitor.entries import CUT_SHORT, TEXT_LOST
from monitor.model.entries import Answer
from monitor.model.filing import PageAfter
from monitor.model.sources import Outcome, PageDue
from monitor.schedule import GOOD
from monitor.stories.addresses import Compared, Rules, rules

ATTEMPTS = 3
PUT_OFF = timedelta(minutes=10)
SURE = timedelta(minutes=10)
"""Between the first and the second 404 of a page, at least."""
NOT_FOUND, GONE = 404, 410

_ERROR_PAGE = re.compile(r"(?i)(?:error[-_]?)?(?:404|410)|error|(?:page[-_]?)?not[-_]?found")
_LIKE_AN_ARTICLE = re.compile(r"\d{4}|[^-_]+(?:[-_][^-_]+){2}")
"""A number, or a slug of three words."""


def after(answer: Answer, due: PageDue, outlet: Outlet, *, now: datetime) -> PageAfter:
    """What is remembered of a page after an answer."""
    scheduled = PageAfter(again=_next(due, outlet, now), validators=due.validators, read=due.read, asked=due.url)
    if answer.outcome in GOOD:
        return _there(answer, scheduled, due, outlet, now)
    if answer.outcome is Outcome.GONE:
        if answer.status == GONE:
            return _withdrawn(scheduled, due, now, "HTTP 410")
        return replace(scheduled, fate="lost", words=answer.reason)
    if answer.outcome is not Outcome.FAILED:
        return replace(scheduled, again=None)
    return _failed(answer, scheduled, due, now)


def _failed(answer: Answer, scheduled: PageAfter, due: PageDue, now: datetime) -> PageAfter:
    if answer.status == NOT_FOUND and due.read is not None:
        return _missing(scheduled, due, now)
    if due.attempts + 1 < ATTEMPTS:
        return replace(scheduled, again=answer.not_before or now + PUT_OFF, attempts=due.attempts + 1)
    return scheduled


def is_whole(answer: Answer) -> bool:
    """Its text can be compared with an earlier reading's."""
    return not any(mark == CUT_SHORT or mark.startswith(TEXT_LOST) for mark in answer.marks)


def _there(answer: Answer, scheduled: PageAfter, due: PageDue, outlet: Outlet, now: datetime) -> PageAfter:
    unread = answer.outcome is Outcome.UNCHANGED or (due.read is not None and not is_whole(answer))
    read = due.read if unread else now
    return replace(
        scheduled, fate="there", validators=answer.validators, read=read, moved_to=moved_to(answer, outlet),
        led_on=_led_on(answer, outlet),
    )  # fmt: skip


def _missing(scheduled: PageAfter, due: PageDue, now: datetime) -> PageAfter:
    since = min(due.missing or now, now)  # the clock may have been set back
    if now - since >= SURE:
        return replace(_withdrawn(scheduled, due, since, "HTTP 404"), missing=since)
    if due.attempts + 1 >= ATTEMPTS:  # now missing, now failing: at its next time
        return replace(scheduled, missing=since)
    return replace(scheduled, again=since + SURE, attempts=due.attempts + 1, missing=since)


def _withdrawn(scheduled: PageAfter, due: PageDue, since: datetime, words: str) -> PageAfter:
    if due.read is None:
        return replace(scheduled, again=None)
    return replace(scheduled, fate="withdrawn", since=since, words=words)


def _next(due: PageDue, outlet: Outlet, now: datetime) -> datetime | None:
    """The first of the outlet's times that is not too near; those that have passed meanwhile are left out."""
    if outlet.pages == "none" or due.first_seen is None:
        return None
    times = (due.first_seen + each for each in outlet.reread)
    return next((each for each in times if each - now >= CLOSEST), None)


# ------------------------------------------------------------------ where an address leads


def moved_to(answer: Answer, outlet: Outlet) -> str:
    """The article's new address, where the one that was asked leads for good to another of the outlet's; else empty."""
    rule = rules(outlet)
    asked, target = rule.compared(answer.url), rule.compared(answer.moved_to or "")
    if asked is None or target is None or not rule.own(target.host) or not _differ(asked, target, rule):
        return ""
    return rule.clean(answer.moved_to or "")


def _led_on(answer: Answer, outlet: Outlet) -> bool:
    rule = rules(outlet)
    asked, final = rule.compared(answer.url), rule.compared(answer.final_url)
    return asked is not None and final is not None and _differ(asked, final, rule)


def leads_to_front(asked_url: str, final_url: str, outlet: Outlet) -> bool:
    """An article's address leads to the home page, a section's front or an error page: it may have moved or be gone,
    and what stands there is not its text."""
    rule = rules(outlet)
    asked, final = rule.compared(asked_url), rule.compared(final_url)
    if asked is None or final is None or not _differ(asked, final, rule):
        return False
    if not final.path:
        return True
    if not rule.own(asked.host) or rule.id_of(final) is not None:
        return False
    return rule.id_of(asked) is not None or _is_front(asked, final)


def _is_front(asked: Compared, final: Compared) -> bool:
    """By the address alone: a part of the article's own path, a known name, or a shorter one that names no article."""
    *_, last = unquote(final.path).split("/")
    if asked.path.startswith(final.path + "/") or _ERROR_PAGE.fullmatch(last):
        return True
    return final.path.count("/") < asked.path.count("/") and _LIKE_AN_ARTICLE.search(last) is None


def _differ(one: Compared, other: Compared, rule: Rules) -> bool:
    """Two articles by their addresses: neither the same one nor the same id."""
    if str(one) == str(other):
        return False
    named = rule.id_of(one)
    return named is None or named != rule.id_of(other)
