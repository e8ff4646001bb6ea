"""Work in several threads whose results come in order, a little ahead of who takes them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Task, Result = TypeVar("Task"), TypeVar("Result")

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
