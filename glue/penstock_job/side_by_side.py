"""Several iterators at once, each in a thread of its own, their items as they come."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from queue import Full, Queue
from typing import Generic, TypeVar

Item = TypeVar("Item")
PATIENCE_SECONDS = 0.1


class _End:
    """An iterator has ended, by itself or by an error."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Reader(threading.Thread, Generic[Item]):
    def __init__(
        self, items: Iterator[Item], queue: Queue[Item | _End], stop: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self._items = items
        self._queue = queue
        self._stop_asked = stop

    def run(self) -> None:
        try:
            for item in self._items:
                if not self._put(item):
                    break
            self._put(_End())
        except BaseException as error:  # noqa: BLE001 - it is raised where the items are taken
            self._put(_End(error))
        finally:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()

    def _put(self, item: Item | _End) -> bool:
        while not self._stop_asked.is_set():
            try:
                self._queue.put(item, timeout=PATIENCE_SECONDS)
            except Full:
                continue
            return True
        return False


def side_by_side(iterators: Sequence[Iterator[Item]]) -> Generator[Item, None, None]:
    """Yield the items of all iterators. The first error of one ends all, and is raised here.

    Nobody runs ahead by more than an item. All threads have ended when this has.
    """
    queue: Queue[Item | _End] = Queue(1)
    stop = threading.Event()
    readers = [_Reader(items, queue, stop) for items in iterators]
    for reader in readers:
        reader.start()
    left = len(readers)
    try:
        while left:
            item = queue.get()
            if not isinstance(item, _End):
                yield item
            elif item.error is not None:
                raise item.error
            else:
                left -= 1
    finally:
        stop.set()
        for reader in readers:
            reader.join()
