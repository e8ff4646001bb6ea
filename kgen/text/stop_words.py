"""Words that change no picture.

No colour, number, place, size or negation is among them: `words_that_matter` holds those, and a
test keeps the two apart. So "in", "on" and 在 may go, but "under", "left", 上 and 左 stay.
"""

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
    "的 了 着 地 得 之 与 和 及 或 是 在 有 为 也 就 都 而 且 把 被 让 给 对 从 以 于 "
    "其 这 那 该 此 吗 呢 吧 啊 呀 哦 嘛 们 它 他 她 您 你 我 "
    "一种 一些 这个 那个 这是 那是 以及 并且 而且 或者 它的 他的 她的 我的 你的 有着 存在 "
    "图片 照片 画面 图像 图中 显示".split()
)

STOP_WORDS = ENGLISH | CHINESE
