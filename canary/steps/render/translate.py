"""The trace's English sentences in Chinese; one that is not known stays as it is."""

from __future__ import annotations

import re
from typing import Final

CHANCE = r"(below 0\.001|above 0\.999|[\d.]+)"
LIST = r"(.+)"  # a few names, perhaps "and 3 more"

PATTERNS: Final = tuple(
    (re.compile(english), chinese)
    for english, chinese in (
        (
            r"(.+): ([\d,]+) of its ([\d,]+) canar(?:y|ies) stands? in the leak(?:, by (.+?))?"
            r"(?:; ([\d,]+) of ([\d,]+) marks read agree)?; false accusation at most (\S+)",
            "{1}：其 {3} 条诱饵中有 {2} 条出现在泄露数据中{4?(，命中字段 %s)}{5?(；读出的标记中 %s 个相符)}"
            "{6?(（共 %s 个）)}；错误指控概率不超过 {7}",
        ),
        (
            rf"(.+): among the sources with probability {CHANCE}, source of (\S+) of what can be attributed",
            "{1}：为泄露源之一的概率为 {2}，可归因内容中有 {3} 来自它",
        ),
        (
            r"(.+) is not named: the bound on false accusation is above the limit",
            "{1} 未被认定：错误指控概率上限高于阈值",
        ),
        (
            r"(.+) also holds ([\d,]+) of these canaries, in a copy derived from one of (.+)",
            "{1} 也持有其中 {2} 条诱饵，位于由 {3} 的副本衍生的副本中",
        ),
        (
            rf"(.+) is not named: a deeper copy, of {LIST}, explains the same canaries",
            "{1} 未被认定：更下级的副本（{2}）已能解释同样的诱饵",
        ),
        (
            rf"([\d,]+) control canar(?:y|ies) stood in the leak, never handed to anybody: {LIST}",
            "泄露数据中有 {1} 条从未交付任何人的对照诱饵：{2}",
        ),
        (
            rf"{LIST}: never issued anything, yet above the bar; a fault or a stolen key, nobody is named",
            "{1}：从未获得任何交付，却超过阈值；系故障或密钥被盗，不认定任何一方",
        ),
        (
            rf"{LIST}: above the bar without holding a copy made before the leak was seen",
            "{1}：在泄露被发现之前未持有任何副本，却超过阈值",
        ),
        (rf"registry or keys compromised: probability {CHANCE}", "登记库或密钥失陷：概率 {1}"),
        (
            r"time of the leak unknown, so every release up to now counts",
            "泄露时间未知，因此迄今全部交付均计入",
        ),
        (
            r"only releases made before the leak was first seen, (.+), count",
            "仅计入在首次发现泄露（{1}）之前的交付",
        ),
        (
            r"the bound counts ([\d,]+) recipients?(?:, ([\d,]+) ghosts? among them)?; nobody is named above (\S+)",
            "上限按 {1} 个接收方计算{2?(，其中 %s 个为虚设)}；高于 {3} 者一律不认定",
        ),
        (
            r"this is trace ([\d,]+) of the incident; all of them share one limit, with weights fixed beforehand",
            "这是本事件的第 {1} 次溯源；各次溯源按事先固定的权重共用同一阈值",
        ),
        (
            r"([\d,]+) canar(?:y|ies) had become public before and count for nothing",
            "{1} 条诱饵此前已公开，不计入",
        ),
        (
            rf"{LIST}: canaries issued only after the leak was first seen stand in it, and do not count",
            "{1}：泄露数据中有在首次发现泄露之后才交付给它的诱饵，不计入",
        ),
        (
            rf"nobody counted the candidates for {LIST}, so finding one counts as chance",
            "未统计 {1} 的候选值数量，其命中按偶然处理",
        ),
        (
            r"([\d,]+) canar(?:y|ies) of ours stands? in the leak "
            r"\(([\d,]+) rows? read(?:, ([\d,]+) of them recognised)?\)",
            "泄露数据中有我方诱饵 {1} 条（共读取 {2} 行{3?(，其中 %s 行可识别)}）",
        ),
        (
            r"no canary of ours stands in the leak \(([\d,]+) rows? read(?:, ([\d,]+) of them recognised)?\)",
            "泄露数据中没有我方诱饵（共读取 {1} 行{2?(，其中 %s 行可识别)}）",
        ),
        (rf"a source outside the registry: probability {CHANCE}", "登记库以外的来源：概率 {1}"),
        (r"nobody can be named or listed from this", "据此不能认定、也不能列出任何一方"),
        (r"(.+): confirmed by (.+?), (.+)", "{1}：已由 {2} 复核确认，理由：{3}"),
    )
)
HOLE = re.compile(r"\{(\d+)(?:\?\((.*?)\))?\}")
WORDS: Final = (
    (re.compile(r" and (\d+) more"), r" 等（另 \1 个）"),
    (re.compile("^below "), "小于 "),
    (re.compile("^above "), "大于 "),
)


def translate(sentence: str, lang: str) -> str:
    """Give a sentence of a trace in the language; what has no translation stays English."""
    if lang != "zh":
        return sentence
    for pattern, chinese in PATTERNS:
        found = pattern.fullmatch(sentence)
        if found:
            return _fill(chinese, [_word(group) for group in found.groups()])
    return sentence


def _word(text: str | None) -> str | None:
    if text is None:
        return None
    for pattern, chinese in WORDS:
        text = pattern.sub(chinese, text)
    return text


def _fill(chinese: str, groups: list[str | None]) -> str:
    """Fill {n} with group n; {n?(text %s)} with the text where the group was found."""

    def put(hole: re.Match[str]) -> str:
        group = groups[int(hole[1]) - 1]
        if hole[2] is None:
            return group or ""
        return hole[2].replace("%s", group) if group is not None else ""

    return HOLE.sub(put, chinese)
