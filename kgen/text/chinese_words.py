"""Words of two to four Chinese characters, learned from captions without a dictionary."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable

# As RE2's \\p{Han}, which cuts captions in the graph, without the rarest planes' signs.
HAN = re.compile(r"[々〇\u2e80-\u2fd5\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff"
                 r"\uf900-\ufad9\U00020000-\U000323af]+")  # fmt: skip
PARTICLES = frozenset("的了着地得之与和或是")
LONGEST = 4
FEWEST = 3  # times that a word is seen
FEWEST_NEIGHBOURS = 3
LEAST_COHESION = 0.5


def is_chinese(word: str) -> bool:
    """Whether a word is made of Chinese characters only."""
    return HAN.fullmatch(word) is not None


def learn_chinese_words(captions: Iterable[str]) -> tuple[str, ...]:
    """Finds which characters belong together: those that stand together more often than chance
    has it, and among changing neighbours.

    Formula:
        cohesion(w) = min over the cuts w = uv of log(p(w) / (p(u) p(v))) / -log p(w)
        variety(w) = min(different characters before w, different characters after w)

        where p is the share among the captions' Chinese characters, and the ends of a stretch of
        Chinese are another neighbour each time. Cohesion is 1 for parts that stand together only,
        0 for chance. w is a word where it is seen 3 times or more, its cohesion is 0.5 or more,
        its variety is 3 or more, and it neither begins nor ends with a particle (的, 了).

    Args:
        captions: Captions as the user wrote them, in any language.

    Returns:
        The words, sorted.

    Source: accessor variety and particles: Feng et al. 2004, eq. 1 and section 3.2; cohesion:
        Bouma 2009, eq. 5 (normalised pointwise mutual information).
    """
    stretches = Counter(run for caption in captions for run in HAN.findall(caption))
    counts, before, after = Counter(), defaultdict(Counter), defaultdict(Counter)
    for run, times in stretches.items():
        for start in range(len(run)):
            for end in range(start + 1, min(start + LONGEST, len(run)) + 1):
                word = run[start:end]
                counts[word] += times
                if end - start > 1:
                    before[word][run[start - 1] if start else ""] += times
                    after[word][run[end] if end < len(run) else ""] += times
    total = sum(times for word, times in counts.items() if len(word) == 1)
    return tuple(
        sorted(
            word
            for word, times in counts.items()
            if len(word) > 1
            and not {word[0], word[-1]} & PARTICLES
            and times >= FEWEST
            and min(_variety(before[word]), _variety(after[word])) >= FEWEST_NEIGHBOURS
            and _cohesion(word, counts, total) >= LEAST_COHESION
        )
    )


def _variety(neighbours: Counter) -> int:
    return len(neighbours) - ("" in neighbours) + neighbours[""]


def _cohesion(word: str, counts: Counter, total: int) -> float:
    times = counts[word]
    if times == total:
        return 1.0
    weakest = min(
        times * total / (counts[word[:cut]] * counts[word[cut:]]) for cut in range(1, len(word))
    )
    return math.log(weakest) / math.log(total / times)
