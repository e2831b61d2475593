"""Free text without the accidents of spelling: width, case, invisible characters, old Chinese forms."""

from __future__ import annotations

import unicodedata
from typing import Final

from canary.patterns import late

# Characters that show nothing: soft hyphen, joiners, direction marks, variation selectors, fillers.
INVISIBLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e01ef"
)
_INVISIBLE = late(f"[{INVISIBLE}]+")

# Traditional form, then the simplified one, of characters that addresses, companies and names are made of.
_PAIRS: Final = (
    "號号樓楼單单區区縣县鎮镇鄉乡東东廣广灣湾臺台門门園园場场廈厦長长陽阳陰阴濱滨遼辽寧宁龍龙雲云貴贵蘇苏滬沪漢汉"
    "黃黄綠绿紅红藍蓝馬马鳳凤鳥鸟鷄鸡鶴鹤鴻鸿鵬鹏魚鱼麗丽華华國国際际業业產产電电話话機机聯联絡络郵邮編编寄寄"
    "張张劉刘陳陈楊杨趙赵吳吴孫孙羅罗鄭郑許许馮冯鄧邓葉叶蔣蒋蕭萧譚谭鄒邹陸陆閻阎錢钱湯汤賀贺龔龚萬万顧顾賴赖"
    "嚴严韋韦賈贾譯译傅傅鍾钟鐘钟薑姜盧卢紀纪習习歐欧諸诸溫温畢毕喬乔駱骆閔闵應应戴戴範范倫伦關关蘭兰衛卫"
    "偉伟強强軍军傑杰濤涛輝辉剛刚勇勇飛飞鑫鑫艷艳豔艳麗丽靜静燕燕紅红梅梅玲玲麗丽蓮莲鳳凤潔洁瓊琼雲云珍珍瑩莹"
    "嬌娇倩倩婭娅嫺娴嫻娴婷婷穎颖瀟潇瀾澜淵渊鴿鸽慶庆賢贤賓宾贊赞質质輪轮運运達达遠远選选邊边還还進进連连過过"
    "義义樂乐榮荣權权樹树橋桥檔档標标歡欢殘残氣气漁渔潤润澤泽濟济瀋沈灘滩爐炉爾尔獎奖環环現现瑪玛畫画當当"
    "盡尽監监盤盘碼码礦矿禮礼稅税積积穩稳竅窍競竞築筑筆笔節节範范簡简糧粮約约級级紡纺純纯紙纸細细終终組组結结"
    "絕绝給给統统經经綜综維维網网線线練练總总績绩織织續续羣群習习職职聽听肅肃膠胶與与興兴舊旧艙舱藝艺藥药"
    "蘆芦處处虛虚衝冲補补裝装見见規规視视覽览覺觉觀观計计訂订訊讯記记設设訪访評评試试該该詳详誠诚語语說说課课調调"
    "請请諒谅論论謝谢證证識识議议護护讀读變变讓让豐丰負负財财貨货責责費费賀贺資资賬账購购贈赠車车軟软較较載载輸输"
    "轉转辦办農农遊游郎郎鄰邻醫医釋释針针鋼钢錄录鋪铺鎖锁鏡镜鐵铁閣阁間间隊队階阶隨随險险雙双雜杂離离難难"
    "雞鸡霧雾靈灵靜静頂顶項项順顺須须預预領领頭头題题顏颜類类願愿風风養养館馆騰腾驛驿驗验體体鬆松點点齊齐"
    "嶺岭島岛嶼屿峽峡岡冈崗岗壩坝壇坛塊块壯壮夢梦奧奥學学實实審审寶宝將将專专導导層层屬属歲岁帶带幣币幹干庫库"
    "廟庙廠厂廳厅彎弯後后從从復复愛爱態态慮虑戶户戰战撫抚據据擇择擔担數数斷断時时晉晋曉晓暢畅書书會会榮荣槍枪樣样"
    "橫横檢检櫃柜欄栏殼壳決决沒没況况淺浅測测湧涌準准滿满潛潜澱淀濃浓為为無无營营獨独獲获瑋玮異异發发眾众研研"
    "眞真祿禄禪禅種种稱称窮穷竹竹籬篱罰罚聖圣聞闻聲声腦脑臨临舉举艦舰蔭荫蠟蜡術术裡里裏里親亲託托訓训詞词誌志"
    "譜谱讚赞豬猪貓猫貝贝賽赛蹤踪軌轨農农邁迈鄺邝鄔邬醬酱鈴铃鉄铁銀银銅铜錦锦錫锡鍋锅鑰钥鑒鉴開开閃闪閩闽陝陕"
    "隱隐隴陇雖虽頻频顆颗顧顾餐餐駐驻驅驱騎骑鬥斗魯鲁鮑鲍鯉鲤麥麦黨党齡龄龐庞兒儿內内兩两劃划動动務务勝胜勞劳"
    "勢势匯汇協协參参員员問问啟启單单喪丧嗎吗嚮向團团圍围圖图圓圆報报壓压備备傳传債债傷伤價价優优億亿償偿"
    "創创戲戏寫写屆届掃扫擴扩擺摆擊击攜携攝摄攤摊敗败敵敌於于昇升曆历歷历殺杀毀毁滅灭煙烟熱热燈灯燒烧燦灿狀状獅狮瘋疯盜盗"
    "睜睁矯矫確确磚砖禍祸離离竄窜筍笋簽签籃篮籌筹籍籍絲丝綁绑綱纲縮缩縱纵繁繁繞绕缺缺罵骂羨羡翹翘聰聪職职脅胁腸肠臉脸膽胆"
    "艙舱莊庄菸烟萊莱蒼苍蓋盖薩萨蘋苹虧亏蝦虾衆众裊袅褲裤襯衬計计詩诗誼谊談谈謀谋謙谦譽誉貞贞貢贡販贩貪贪賞赏賠赔賣卖賺赚"
    "趕赶跡迹踐践輛辆輝辉遞递遲迟遺遗還还邏逻鄂鄂鋒锋錄录鍵键鍛锻鎮镇鑽钻閒闲閉闭闊阔陣阵隸隶雕雕電电靚靓韓韩響响頓顿頗颇"
    "額额飯饭飲饮飼饲餅饼駕驾騙骗驚惊骯肮髮发鬧闹鮮鲜鯨鲸鷹鹰鹽盐麵面龜龟凍冻剝剥勁劲匱匮厲厉叢丛嘗尝嚇吓堅坚墊垫墻墙牆墙"
    "夠够奪夺婦妇孃娘寬宽屍尸巖岩帥帅幾几廢废廣广弔吊張张彥彦徑径恆恒悅悦惡恶惠惠愨悫憲宪懷怀懸悬戀恋"
    "買买佈布併并來来侖仑俠侠個个們们倉仓倫伦側侧偵侦條条棟栋極极構构樞枢楓枫榆榆"
)
_SIMPLE: Final = {ord(old): new for old, new in zip(_PAIRS[::2], _PAIRS[1::2], strict=True) if old != new}
_OLD = late("[" + "".join(map(chr, _SIMPLE)) + "]")
_PLAIN = late(r"[\x00-\x7f\u4e00-\u9fff]*\Z")  # NFKC leaves these alone


def visible(text: str) -> str:
    """Take out the characters that show nothing."""
    return _INVISIBLE.sub("", text)


def simplified(text: str) -> str:
    """Write the traditional characters of a small table in their simplified form."""
    return text.translate(_SIMPLE) if _OLD.search(text) else text


def fold(text: str) -> str:
    """Fold free text: NFKC, lower case, simplified, nothing invisible, single blanks; idempotent."""
    if _PLAIN.match(text) and not _OLD.search(text):
        return " ".join(text.lower().split())
    before = None
    while before != text:
        before = text
        text = visible(unicodedata.normalize("NFKC", simplified(text).casefold()))
    return " ".join(text.split())


def compact(text: str) -> str:
    """Fold text and keep its letters and digits alone."""
    return "".join(filter(str.isalnum, fold(text)))
