"""Leaves out, in the graph, words that change no picture.

No colour, number, place, size or negation is among them: `words_that_matter` holds those, and a
test keeps the two apart. So "in", "on" and 在 may go, but "under", "left", 上 and 左 stay.
"""

from collections.abc import Sequence

import tensorflow as tf

ENGLISH = frozenset(
    "a an the this that these those some any such "
    "is are was were be been being am 's has have had having does do did "
    "of in on at to for from by with as into "
    "and or but so then than very quite rather just also too "
    "it its they them their he him his she her hers you your we our us i me my "
    "who whom whose which what there here "
    "image picture photo photograph showing shows shown see seen depicting depicts".split()
)

# Single characters, as captions are cut into characters unless told otherwise; the longer ones
# count where they are cut into words.
CHINESE = frozenset(
    "的 了 着 地 得 之 与 和 及 或 是 在 有 为 也 就 都 而 且 把 被 让 给 对 从 以 于 其 这 那 该 此 "
    "吗 呢 吧 啊 呀 哦 嘛 们 它 他 她 您 你 我 "
    "一种 一些 这个 那个 这是 那是 以及 并且 而且 或者 它的 他的 她的 我的 你的 有着 存在 "
    "图片 照片 画面 图像 图中 显示".split()
)

STOP_WORDS = ENGLISH | CHINESE


class StopWords:
    """Finds the stop words among tokens.

    Args:
        vocabulary: Tokens in the order of their ids.
    """

    def __init__(self, vocabulary: Sequence[str]):
        self._is_stop_word = [token in STOP_WORDS for token in vocabulary]
        self._continues = [token.startswith("##") for token in vocabulary]

    def others(self, token_ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """True where no stop word stands: bool, ragged (B, None), of ids int32 (B, None)."""
        ids = token_ids.values
        # "a" before "##pple" begins a word and is none itself. The first token of the next
        # caption continues nothing.
        goes_on = tf.gather(self._continues, tf.concat([ids[1:], ids[:1]], axis=0))
        return token_ids.with_values(~tf.gather(self._is_stop_word, ids) | goes_on)
