"""Work in several threads whose results come in order, a little ahead of who takes them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

Task, Result, Tool = TypeVar("Task"), TypeVar("Result"), TypeVar("Tool")

AHEAD = 2  # tasks of each thread that are done or wait beyond the one whose result is taken


def in_order(
    work: Callable[[Task], Result], tasks: Iterable[Task], num_threads: int
) -> Iterator[Result]:
    """The result of each task, in the tasks' order.

    Tasks are taken by who takes the results, not by the threads, and only a few more than results
    were taken. When the results end, fail or are taken no more, the threads end.

    Args:
        work: What is done, in any of the threads.
        tasks: There may be no end of them. Where they fail, the results of those before it are
            given first.
        num_threads: Threads that work.

    Raises:
        Exception: What `work` or `tasks` raises.

    Example:
        >>> list(in_order(str.upper, "abc", num_threads=2))
        ['A', 'B', 'C']
    """
    with ThreadPoolExecutor(num_threads, "kgen") as threads:
        tasks, begun, failure = iter(tasks), deque(), None
        try:
            while failure is None:
                try:
                    begun.append(threads.submit(work, next(tasks)))
                except StopIteration:
                    break
                except Exception as raised:
                    failure = raised
                if len(begun) > AHEAD * num_threads:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
            if failure is not None:
                raise failure
        finally:
            for each in begun:
                each.cancel()


class Lent(Generic[Tool]):
    """Tools for one thread at a time: an idle one, or else a new one, which is idle later.

    Args:
        make: Makes a new one.

    Example:
        >>> lists = Lent(list)
        >>> with lists.one() as first, lists.one() as second:
        ...     first is second, len(lists)
        (False, 0)
        >>> len(lists)
        2
    """

    def __init__(self, make: Callable[[], Tool]):
        self._make, self._idle = make, deque()

    @contextmanager
    def one(self) -> Iterator[Tool]:
        """One of them, until the context ends."""
        try:
            tool = self._idle.pop()  # which a deque hands to one thread only
        except IndexError:
            tool = self._make()
        try:
            yield tool
        finally:
            self._idle.append(tool)

    def __len__(self) -> int:
        """How many are idle."""
        return len(self._idle)
