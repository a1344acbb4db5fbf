"""Parcels for tests of wording and channels: of one alert, or of several that were gathered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from config.model.fields import SEVERITIES
from monitor.alerts.gathered import worded
from monitor.alerts.markup import HTML, MARKDOWN, PLAIN
from monitor.alerts.wording import WHOLE, Form, Wording
from monitor.model.alerts import Alert, Telling
from monitor.model.items import Item
from monitor.model.messages import Message, MessageKind, Parcel
from tests.monitor.alerts.conftest import NOW


def single(
    alert: Alert, item: Item, copies: Sequence[Item] = (), *, was: str = "", taken: Sequence[str] = ()
) -> Parcel:
    return gathered(Telling(alert=alert, item=item, copies=tuple(copies), was=was), kind="alert", taken=taken)


def gathered(*tellings: Telling, kind: MessageKind = "digest", taken: Sequence[str] = ()) -> Parcel:
    """In the order in which a store gives them: the most severe first."""
    ordered = sorted(tellings, key=lambda each: -SEVERITIES.index(each.alert.severity))
    alerts = tuple(each.alert for each in ordered)
    keys = "\n".join(alert.key for alert in alerts)
    digest = blake2b(keys.encode(), digest_size=16).hexdigest()
    channel = alerts[0].channel
    key = alerts[0].key if len(alerts) == 1 else f"gathered|{channel}|{digest}"
    message = Message(
        id=f"m{digest[:12]}", key=key, channel=channel, kind=kind, severity=alerts[0].severity, alerts=alerts,
        created=NOW, attempts=1, fence=1, taken=tuple(taken),
    )  # fmt: skip
    return Parcel(message=message, tellings=tuple(ordered))


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A message in every form at once."""

    title: str
    body: str
    markdown: str
    html: str
    payload: dict[str, Any]

    @property
    def texts(self) -> tuple[str, str, str]:
        return self.body, self.markdown, self.html


def words(parcel: Parcel, wording: Wording, *, form: Form = WHOLE, brief: bool = False) -> Words:
    told = worded(parcel, wording, form=form, brief=brief)
    return Words(
        title=told.title(), body=told.text(PLAIN), markdown=told.text(MARKDOWN), html=told.text(HTML),
        payload=told.payload(NOW),
    )  # fmt: skip
