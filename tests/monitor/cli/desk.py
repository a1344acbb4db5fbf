"""A folder of configuration with a store in it, filled as a service fills it, and the command line over both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from click.testing import CliRunner, Result

from config.model.fields import Severity
from monitor.cli import cli
from monitor.model.alerts import Alert, Held, NewAlert
from monitor.model.entries import Answer, Candidate, Entry
from monitor.model.filing import Change, Decision, Filing
from monitor.model.items import Match, Span
from monitor.model.messages import Delivery, Room
from monitor.model.sources import Outcome, SourceState
from monitor.model.texts import TextLanguage
from monitor.ports import Ledger, Store
from monitor.stories import identity
from storage import open_store

T = TypeVar("T")
CHANNELS = ("desk", "duty")
FOUND = "Doha"


@dataclass(slots=True)
class Desk:
    folder: Path

    def run(self, *args: str, answer: str = "") -> Result:
        """One command; ``answer`` is typed when it asks."""
        return CliRunner().invoke(cli, ["--config", str(self.folder), *args], input=answer or None)

    def said(self, *args: str, answer: str = "") -> str:
        """What a command prints that is done without complaint."""
        result = self.run(*args, answer=answer)
        assert result.exit_code == 0, result.output
        return result.output

    def told(self, *args: str) -> list[dict[str, Any]]:
        """The objects of a listing."""
        return [json.loads(line) for line in self.said(*args, "--json").splitlines()]

    def ask(self, question: Callable[[Store], Awaitable[T]]) -> T:
        async def asked() -> T:
            store = open_store(f"sqlite:///{self.folder}/wirewatch.db")
            try:
                return await question(store)
            finally:
                await store.close()

        return asyncio.run(asked())

    def alert(self, name: str) -> Alert:
        found = self.ask(lambda store: store.alert(name))
        assert found is not None
        return found

    def file(
        self, title: str, *, watch: str = "deal", severity: Severity = "critical", held: Held | None = None,
        suppressed: str = "", language: TextLanguage = "en", key: str = "", age: timedelta = timedelta(minutes=5),
    ) -> dict[str, str]:  # fmt: skip
        """File a headline that a watch finds; channel → the alert's id."""
        at = datetime.now(UTC) - age
        own = f"url:{key or title}"
        entry = Entry(title=title, url="https://bbc.example/a", published=at)
        candidate = Candidate(
            id=identity.item_id("bbc", own), entry=entry, keys=(own,), text_hash=identity.text_hash(title, ""),
            language=language,
        )  # fmt: skip
        after = SourceState(
            id="bbc/main", outlet="bbc", url="https://bbc.example/feed", host="https://bbc.example:443",
            next_due=at + timedelta(minutes=15), outcome=Outcome.OK, last_polled=at, last_good=at, baselined=at,
        )  # fmt: skip
        answer = Answer(
            source="bbc/main", outlet="bbc", url=after.url, final_url=after.url, at=at, outcome=Outcome.OK,
            entries=(entry,),
        )  # fmt: skip

        def decide(change: Change, _ledger: Ledger) -> Decision:
            start = title.find(FOUND)
            spans = (Span(field="title", start=start, end=start + len(FOUND), term=FOUND),) if start >= 0 else ()
            state = "new" if change.fresh else f"edited:{change.revision.id}"
            rows = tuple(
                NewAlert(
                    watch=watch, channel=name, item=change.item.id, state=state, severity=severity, held=held,
                    suppressed=suppressed,
                )
                for name in CHANNELS
            )  # fmt: skip
            return Decision(matches=(Match(watch=watch, spans=spans, clause=FOUND),), alerts=rows)

        filing = Filing(answer=answer, candidates=(candidate,), after=after, held=after)
        self.ask(lambda store: store.file(filing, decide))
        rows = self.ask(lambda store: store.alerts(item=candidate.id))
        newest = max(row.created for row in rows)
        return {row.channel: row.id for row in rows if row.created == newest}

    def deliver(self, verdict: str = "sent", detail: str = "", *, channels: tuple[str, ...] = CHANNELS) -> None:
        """Everything that is due on these channels meets with this verdict."""

        async def sending(store: Store) -> None:
            now = datetime.now(UTC)
            rooms = {name: Room(messages=50, alerts=50) for name in channels}
            for message in await store.claim_messages(now, rooms=rooms, lease=timedelta(minutes=1)):
                due = now + timedelta(minutes=1) if verdict == "later" else None
                delivery = Delivery(verdict=verdict, detail=detail)  # type: ignore[arg-type]
                await store.settle(message, delivery, now=now, due=due)

        self.ask(sending)
