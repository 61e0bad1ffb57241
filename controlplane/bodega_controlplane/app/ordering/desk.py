"""Where orders are handed in: those that wait when the one before has been committed are placed together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from bodega.errors import Unavailable
from bodega.limits_hub import ORDERS_PER_COMMIT_MAX, ORDERS_WAITING_MAX
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.idempotency import StoredResponse
from bodega_controlplane.app.ordering.together import Wish, place_together


@dataclass(slots=True)
class _Waiting:
    wish: Wish
    answer: asyncio.Future[StoredResponse]


class OrderDesk:
    """Answers in the order of arrival."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._waiting: deque[_Waiting] = deque()
        self._working: asyncio.Task[None] | None = None

    async def place(self, wish: Wish) -> StoredResponse:
        """What the order is answered, now or before. Raises what `place_together` says of it, InFlight, Unavailable."""
        with self._hub.hold_key(wish.request):
            if len(self._waiting) >= ORDERS_WAITING_MAX:
                raise Unavailable("too many orders wait already", hint="try again in a moment")
            waiting = _Waiting(wish, asyncio.get_running_loop().create_future())
            self._waiting.append(waiting)
            if self._working is None or self._working.done():
                self._working = asyncio.create_task(self._work())
            return await waiting.answer

    async def _work(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), ORDERS_PER_COMMIT_MAX))]
            # Who has given up does not hold his key any more.
            batch = [one for one in batch if not one.answer.done()]
            answers = await self._placed([one.wish for one in batch])
            for waiting, answer in zip(batch, answers, strict=True):
                if waiting.answer.done():
                    continue
                if isinstance(answer, Exception):
                    waiting.answer.set_exception(answer)
                else:
                    waiting.answer.set_result(answer)

    async def _placed(self, wishes: Sequence[Wish]) -> Sequence[StoredResponse | Exception]:
        if not wishes:
            return []
        vault = self._hub.key.vault
        try:
            return await self._hub.run(lambda tx: place_together(tx, wishes, vault))
        except Unavailable as error:
            return [error] * len(wishes)
        except Exception as error:  # noqa: BLE001 - it is raised where the order was handed in
            if len(wishes) == 1:
                return [error]
            # Whichever of them it was, the others are placed.
            return [(await self._placed([one]))[0] for one in wishes]
