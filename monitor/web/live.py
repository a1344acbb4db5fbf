"""What happens, told at once to every open page (server-sent events, WHATWG HTML 9.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping

from monitor.model.filing import Filed

QUEUED = 100
"""Events that wait for a page that does not take them; then it is told to look again as a whole."""


class Live:
    """Hands each event to all who listen now. Called from the event loop only; it keeps nothing for those who come
    later: a page that was away asks for what it missed."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._listeners)

    def filed(self, filed: Filed) -> None:
        """An answer was filed: the pages hear of it when anything in it is new or has a new text."""
        if filed.new or filed.revised:
            self.tell("filed", {"items": list(filed.items), "new": filed.new, "revised": filed.revised})

    def tell(self, event: str, said: Mapping[str, object]) -> None:
        """One event with its data as JSON."""
        line = f"event: {event}\ndata: {json.dumps(said, ensure_ascii=False)}\n\n"
        for queue in self._listeners:
            if queue.full():  # it sleeps: one event that says "look again" takes the place of all that wait
                while not queue.empty():
                    queue.get_nowait()
                line = "event: again\ndata: {}\n\n"
            queue.put_nowait(line)

    async def stream(
        self, *, allowed: Callable[[], bool] = lambda: True, pause: float = 15.0, lasts: float = 3600.0
    ) -> AsyncIterator[str]:
        """The events from now on, as they go over the wire; after ``pause`` seconds without one a comment, so that a
        broken connection is noticed. Ends when `close` is called, before anything is told that is not ``allowed`` any
        more, and after ``lasts`` seconds: a page then asks again, and is asked who it is."""
        clock = asyncio.get_running_loop().time
        until = clock() + lasts
        queue: asyncio.Queue[str | None] = asyncio.Queue(QUEUED)
        self._listeners.add(queue)
        try:
            yield "retry: 2000\nevent: hello\ndata: {}\n\n"
            while not self._closed and clock() < until:
                try:
                    line = await asyncio.wait_for(queue.get(), pause)
                except TimeoutError:
                    line = ": still here\n\n"
                if line is None or not allowed():
                    return
                yield line
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """The service stops: every stream ends, and new ones end at once."""
        self._closed = True
        self.cut()

    def cut(self) -> None:
        """End every stream that is open; a page that is still there comes again."""
        for queue in self._listeners:
            while queue.full():
                queue.get_nowait()
            queue.put_nowait(None)
