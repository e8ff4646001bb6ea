"""Words that change the picture: colours, sides, places, numbers, sizes, negations.

They are never stop words, and some forbid what augmentation does: a flipped picture makes "left"
a lie, a recoloured one "red".
"""

import re
import unicodedata
from collections.abc import Iterable

COLOURS = frozenset(
    "red orange yellow green cyan blue purple violet pink magenta brown black white grey gray "
    "reddish orangish yellowish greenish bluish purplish pinkish brownish blackish whitish greyish "
    "grayish golden gold silver silvery bronze turquoise teal indigo crimson scarlet maroon beige "
    "ivory navy khaki tan lavender mauve amber azure aqua fuchsia blond blonde "
    "红 橙 黄 绿 蓝 紫 黑 白 灰 棕 褐 紅 黃 綠 藍 青色 粉色 金色 金发 银色 銀色 橘色 彩色".split()
)
# How light or how strong a colour is: recolouring makes a lie of these, too.
SHADES = frozenset(
    "dark darker bright brighter pale vivid colourful colorful colourless colorless monochrome "
    "sepia rainbow multicoloured multicolored "
    "深色 浅色 暗 亮 鲜艳 五彩 彩虹 淡".split()
)
SIDES = frozenset(
    "left right leftmost rightmost lefthand righthand leftward rightward leftwards rightwards "
    "clockwise counterclockwise anticlockwise "
    "左 右 左边 右边 左侧 右侧 左面 右面 左方 右方 左手 右手 左上 右上 左下 右下 "
    "顺时针 逆时针 順時針 逆時針".split()
)
PLACES = SIDES | frozenset(
    "above below under over beneath underneath behind front beside between near far inside outside "
    "top bottom middle center centre corner edge up down upper lower around across through against "
    "upside north south east west background foreground "
    "上 下 前 后 後 里 裡 外 中 间 旁 边 侧 内 远 近 高 低 东 南 西 北 底 顶 角 "
    "上面 下面 前面 后面 里面 外面 中间 中央 旁边 背景 前景 之间 附近".split()
)
NUMBERS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety "
    "hundred thousand million first second third once twice single double triple pair couple dozen "
    "few several many both half alone only "
    "0 1 2 3 4 5 6 7 8 9 10 11 12 "
    "零 一 二 两 兩 三 四 五 六 七 八 九 十 百 千 万 半 几 多 双 数 单 许多 很多 "
    "几个 一个 两个".split()
)
SIZES = frozenset(
    "big bigger biggest large larger largest huge giant enormous small smaller smallest little "
    "tiny long longer short shorter tall taller high low wide narrow thick thin fat slim deep "
    "shallow medium miniature full empty "
    "大 小 长 長 短 高 低 矮 宽 窄 厚 薄 粗 细 胖 瘦 深 浅 巨大 微小 大型 小型 中型".split()
)
NEGATIONS = frozenset(
    "no not without never none nothing nobody nowhere neither nor cannot isn aren wasn weren don "
    "doesn didn non except lacking missing "
    "不 没 沒 无 無 未 非 别 没有 沒有 不是 并非 除了".split()
)
WORDS_THAT_MATTER = COLOURS | SHADES | PLACES | NUMBERS | SIZES | NEGATIONS

# Share of captions that may speak of what an augmentation changes, and it is still used: more
# than slips of the pen.
MOST_CAPTIONS = 0.005

# Longer words in which a character means something else. 左右 is "about" (三十左右), or both
# sides at once, which a flip leaves as they are.
NO_SIDES = ("左右", "座右铭")
NO_COLOURS = (
    "明白 白天 白菜 空白 黄昏 黃昏 黄河 黄瓜 黄油 灰尘 蓝牙 蓝莓 红绿灯 红包 红薯 口红 黑板 紫菜 "
    "橙子 橙汁 甜橙 脐橙 月亮 漂亮 亮相 冷淡 暗示"
).split()


def says_side(caption: str) -> bool:
    """Whether a caption tells left from right, so that its picture must not be flipped.

    Example:
        >>> says_side("a boat on the Left"), says_side("左边有一棵树"), says_side("a bright sun")
        (True, True, False)
        >>> says_side("一米左右的树")
        False
    """
    return _SAYS_SIDE(caption)


def names_colour(caption: str) -> bool:
    """Whether a caption names a colour or a shade, so that its picture must not be recoloured.

    Example:
        >>> names_colour("a red-brick house"), names_colour("蓝天"), names_colour("coloured paper")
        (True, True, False)
        >>> names_colour("漂亮的月亮")
        False
    """
    return _NAMES_COLOUR(caption)


def _finder(words: Iterable[str], exceptions: Iterable[str]):
    """English counts as whole words (no Latin letter beside it), Chinese wherever it stands."""
    words = sorted(words)
    english = "|".join(word for word in words if word.isascii())
    chinese = "|".join(word for word in words if not word.isascii())
    # An exception is tried first and swallows its characters.
    pattern = re.compile(f"{'|'.join(exceptions)}|((?<![a-z])(?:{english})(?![a-z])|{chinese})")

    def find(caption: str) -> bool:
        plain = unicodedata.normalize("NFKC", caption).lower()
        return any(match.group(1) for match in pattern.finditer(plain))

    return find


_SAYS_SIDE = _finder(SIDES, NO_SIDES)
_NAMES_COLOUR = _finder(COLOURS | SHADES, NO_COLOURS)
