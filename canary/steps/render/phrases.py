"""The report's words in both languages: (English, Chinese)."""

from __future__ import annotations

from typing import Final

WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Leak report", "数据泄露溯源报告"),
    "made": ("written {utc} ({local})", "生成时间 {utc}（{local}）"),
    "result": ("Result", "结论"),
    "meaning": ("What this says, and what it does not", "结论的含义与限度"),
    "suspects": ("Suspects", "嫌疑接收方"),
    "reasons": ("How the result came about", "结论的依据"),
    "alternatives": ("What else could explain it", "其他可能的解释"),
    "matches": ("Canaries seen", "发现的诱饵记录"),
    "sightings": ("Sightings", "发现记录"),
    "releases": ("Releases of the suspects", "嫌疑接收方的数据交付"),
    "ledger": ("Ledger", "账本"),
    "priors": ("Limits and priors used", "采用的阈值与先验"),
    "errors": ("What could not be read", "无法读取的内容"),
    "incident": ("incident", "事件"),
    "opened": ("opened", "立案时间"),
    "state": ("state", "状态"),
    "outcome": ("outcome", "结果"),
    "recipient": ("recipient", "接收方"),
    "name": ("name", "名称"),
    "kind": ("kind", "类型"),
    "parents": ("above it", "上级"),
    "status": ("status", "认定"),
    "grade": ("grade", "等级"),
    "probability": ("share of the leak", "泄露占比"),
    "contributed": ("is a source", "为泄露源的概率"),
    "false_accusation": ("false accusation at most", "错误指控概率上限"),
    "evidence": ("evidence", "证据"),
    "evidence_text": ("canaries: {canaries}, fields: {fields}", "诱饵 {canaries} 条、字段 {fields} 个"),
    "marks_text": ("{agreeing} of {read} marks agree", "读出标记 {read} 个，{agreeing} 个相符"),
    "release": ("release", "交付编号"),
    "time": ("time", "时间"),
    "utc": ("time (UTC)", "时间（UTC）"),
    "local": ("local time", "当地时间"),
    "file": ("file", "文件"),
    "rows": ("rows", "行数"),
    "ledger_index": ("ledger entry", "账本序号"),
    "canary": ("canary", "诱饵编号"),
    "fields": ("fields", "字段"),
    "strength": ("strength", "强度"),
    "seen": ("sightings", "发现次数"),
    "given": ("given to", "交付给"),
    "sighting": ("sighting", "发现编号"),
    "source": ("source", "来源"),
    "event": ("event", "事件类型"),
    "bytes": ("bytes", "字节数"),
    "named": ("named", "已认定"),
    "shortlisted": ("shortlisted", "列入候选"),
    "inconclusive": ("inconclusive", "无法得出结论"),
    "lead": ("lead", "线索"),
    "probable": ("probable", "很可能"),
    "confirmed": ("confirmed", "已复核确认"),
    "partner": ("partner", "合作方"),
    "account": ("account", "账号"),
    "insider": ("insider", "内部人员"),
    "system": ("system", "系统"),
    "open": ("open", "处理中"),
    "closed": ("closed", "已结案"),
    "strong": ("strong", "强"),
    "weak": ("weak", "弱"),
    "none": ("none", "无"),
    "on_named": (
        "the leak contains a copy, or something derived from one, that was issued to: {names}",
        "泄露数据中含有交付给下列接收方的副本，或由其衍生的数据：{names}",
    ),
    "on_shortlisted": (
        "nobody is named; the leak came more likely than not from among: {names}",
        "不认定任何一方；泄露更可能来自下列接收方之一：{names}",
    ),
    "on_inconclusive": ("nobody is named or listed", "不认定、也不列出任何一方"),
    "says": (
        "Naming a recipient says that a copy issued to it, or something derived from one, entered this leak. "
        "It never says that the recipient, or a person, did it: the copy may have been stolen or passed on.",
        "认定某接收方，只表示交付给该接收方的某份副本或由其衍生的数据进入了本次泄露；"
        "绝不表示该接收方或任何个人实施了泄露：副本可能被窃取或被转交。",
    ),
    "bound": (
        "The false accusation bounds the chance of naming anybody whose copies are not in the leak. "
        "It holds whatever the leaker did, as long as the secrets of the registry were not used.",
        "错误指控概率是“认定任何一个其副本不在泄露数据中的接收方”的概率上限；"
        "只要登记库的密钥未被他人使用，无论泄露者如何处理数据，该上限均成立。",
    ),
    "probabilities": (
        "The probabilities rest on the priors below; the bound does not.",
        "各概率依赖下列先验；错误指控概率上限不依赖先验。",
    ),
    "canaries_note": (
        "Canaries are made-up records: they are to be subtracted from the number of people affected.",
        "诱饵是虚构记录，统计受影响人数时应予扣除。",
    ),
    "alt_unknown": (
        "a source outside the registry: probability {p}",
        "登记库以外的来源：概率 {p}",
    ),
    "alt_compromised": (
        "the registry or its keys were in other hands, who can imitate anything: probability {p}",
        "登记库或其密钥已落入他人之手（可伪造任何痕迹）：概率 {p}",
    ),
    "alt_stolen": (
        "the copy was stolen from the recipient, or passed on by it within its contract",
        "副本系从接收方处被窃取，或由其依约转交他人",
    ),
    "alt_runs": (
        "another run of tag made the same copy, and somebody kept it: see who ran the releases below",
        "tag 的另一次运行生成了同一副本并被他人留存：请核查下列交付的执行人",
    ),
    "prior_bound": (
        "nobody is named above a false accusation of {limit}, or below a probability of {named}",
        "错误指控概率上限高于 {limit} 或为泄露源的概率低于 {named} 者，一律不认定",
    ),
    "prior_weights": (
        "prior weights: recipients {recipients}, unknown source {unknown}, registry compromised {compromised}",
        "先验权重：接收方 {recipients}，未知来源 {unknown}，登记库失陷 {compromised}",
    ),
    "prior_sources": (
        "prior of one, two, three … sources: {sources}",
        "泄露源为一个、两个、三个……的先验：{sources}",
    ),
    "ledger_ok": (
        "{entries} entries, intact; root {root}",
        "共 {entries} 条，完整无误；根哈希 {root}",
    ),
    "ledger_bad": (
        "{entries} entries, NOT intact from entry {first_bad}; root {root}",
        "共 {entries} 条，自第 {first_bad} 条起校验失败；根哈希 {root}",
    ),
    "ledger_open": (
        "truncation: not checkable without a checkpoint kept elsewhere",
        "截断：没有外部留存的检查点，无法核验",
    ),
    "ledger_closed": (
        "truncation: checked against a checkpoint kept elsewhere",
        "截断：已与外部留存的检查点核对",
    ),
    "counts": (
        "{rows} rows read; {canaries} canaries seen in {sightings} sightings",
        "读取 {rows} 行；在 {sightings} 次发现中看到 {canaries} 条诱饵",
    ),
}


class Tongue:
    """Looks up and fills the words of one language."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._place = ("en", "zh").index(lang)

    def __call__(self, word: str, **values: object) -> str:
        """Give the text of a known word, filled."""
        text = WORDS[word][self._place]
        return text.format(**values) if values else text

    def known(self, word: str) -> str:
        """Give the text of a word, or what was given where the word is not in the list."""
        return WORDS[word][self._place] if word in WORDS else word
