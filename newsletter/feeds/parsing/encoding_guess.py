"""Score how sensible bytes are in one of a few encodings, for feeds that declare none, or a wrong one.

Why not a library: on the 60 sentences of `tests/feeds/sentences.py`, undeclared, this finds 60, chardet 7.7 59 and
charset-normalizer 3.5 49. With a wrong Latin declaration it finds 60 and chardet 7; with that of a sister encoding, 60 and 29.
"""

import re
from collections.abc import Callable
from functools import cache

#: Bytes of text that are read.
LOOKED_AT = 6000
_MARKUP = re.compile(rb"<(?!!\[CDATA\[)[^<>]*>|&#?\w{1,30};|https?://[^\s<>\"']*")
#: Words with a byte above ASCII; bytes from 0x40 may be the second half of a character.
_WORDS = re.compile(rb"[\x40-\xff]*[\x80-\xff][\x40-\xff]*")

_SIMPLIFIED = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同"
    "现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很"
    "最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走"
    "义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马"
    "科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运"
)
_TRADITIONAL = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同"
    "現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很"
    "最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位次度門任常先海通教兒原東聲提立及比員解水名真論處走"
    "義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計管期市直德資命山金指克許統區保至隊形社便空決治展馬"
    "科司五基眼書非則聽白卻界達光放強即像難且權思王象完設式色路記南品住告類求據程北邊死張該交規萬取拉格望覺術領共確傳師觀清今切院讓識候帶導爭運"
)
_KANJI = (
    "日一国人年大十二本中長出三時行見月分後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西電校語"
    "土木聞食車何南万毎白天母火右読友左休父雨会同事自社発者地業方新場員立開手力問代明動京目通言理体田主題意不作用度強公持野以"
    "思家世多正安院心界教文元重近考画海売知道集別物使品計死特私始朝運終台広住真有口少町料工建空急止送切転研究起屋館族英店政治"
    "経済"
)
_HANGUL = (
    "이다는을가의에하고로지은사한서기어자도리대인시스해나과정일수장주보그부상전조라세원구제여아있모비동소유선중국공적무들만성"
    "안경계관연신안미우면내오개방교미위발실금민회법를거음및까러드치재때년으된것등부합명업트했며"
)
_CYRILLIC_MOST = "оеаинтсрвлкмдпу"
_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґўјљњћђџ"
_ARABIC_MOST = "اليومنرتبسدعهفكحقة"
_TYPOGRAPHY = "«»„“”‘’–—…№•€°§·‚"


def _weights(words: str) -> dict[str, float]:
    """`éà8 ñ5`: letters and how common they are, in tenths."""
    return {letter: int(word[-1]) / 9 for word in words.split() for letter in word[:-1]}


_WESTERN = _weights("éüöä9 áíóñèàçãøåß8 úêæ7 ô6 âîëõûùòœ4 ïìðþýÿ3")
_CENTRAL = _weights("áíéěščřžýłąę9 óżśőăşţ8 ćůńö7 úüșț6 źűîâđľťňď5 ôä4 ßëŕĺçý3")


def sample(body: bytes) -> bytes:
    """The words of a document that are not plain ASCII, without its markup."""
    text = _MARKUP.sub(b" ", body[: 40 * LOOKED_AT])
    return b" ".join(_WORDS.findall(text))[:LOOKED_AT]


def plausibility(words: bytes, encoding: str) -> float:
    """How sensible `words` are in `encoding`: about 1 for good prose, 0 and less for nonsense."""
    try:
        text = words.decode(encoding, "replace")
    except LookupError:
        return -2.0
    odd = [index for index, char in enumerate(text) if char > "\x7f"]
    if not odd:
        return 0.0
    weigh = _MODELS.get(encoding, _any_letter)
    return sum(weigh(text, index) for index in odd) / len(odd)


def _common(text: str, index: int) -> float | None:
    """The weight of what every encoding may have; None for a letter."""
    char = text[index]
    if char == "\ufffd":
        return -3.0
    if "\x80" <= char <= "\x9f" or "\ue000" <= char <= "\uf8ff":
        return -2.0
    return 0.3 if char in _TYPOGRAPHY or char == "\xa0" else None


def _any_letter(text: str, index: int) -> float:
    known = _common(text, index)
    return known if known is not None else 0.6 if text[index].isalpha() else -0.5


def _ideographs(common: str, encoding: str, rows: range, likely: float = 0.25) -> Callable[[str, int], float]:
    most = frozenset(common)

    @cache
    def usual() -> frozenset[str]:
        """The characters that the standard itself calls frequent: its first level."""
        pairs = (bytes((row, cell)) for row in rows for cell in range(0x40, 0xFF))
        return frozenset(pair.decode(encoding, "ignore") for pair in pairs)

    def weigh(text: str, index: int) -> float:
        char = text[index]
        known = _common(text, index)
        if known is not None:
            return known
        if char in most:
            return 1.0
        if "\u3001" <= char <= "\u3011" or "\uff01" <= char <= "\uff5e":
            return 0.5
        if encoding == "euc_jp" and "\u3041" <= char <= "\u30fe":
            return 0.9
        return likely if char in usual() else -0.6

    return weigh


def _beside_latin(text: str, index: int) -> bool:
    around = text[max(index - 1, 0) : index + 2]
    return any(char.isascii() and char.isalpha() for char in around)


def _cyrillic(text: str, index: int) -> float:
    known = _common(text, index)
    if known is not None:
        return known
    char, before = text[index], text[index - 1] if index else " "
    if _beside_latin(text, index):
        return -0.8
    if char in _CYRILLIC_MOST:
        return 1.0
    if char in _CYRILLIC:
        return 0.6
    if char.lower() not in _CYRILLIC:
        return -1.0
    # the encodings of Russian differ in which half has the capitals
    return -0.8 if before.lower() in _CYRILLIC and before.islower() else 0.1 if before.isupper() else 0.5


def _arabic(text: str, index: int) -> float:
    known = _common(text, index)
    if known is not None:
        return known
    char = text[index]
    if _beside_latin(text, index):
        return -0.8
    return 1.0 if char in _ARABIC_MOST else 0.6 if "\u0600" <= char <= "\u06ff" else -0.5


def _latin(weights: dict[str, float]) -> Callable[[str, int], float]:
    def weigh(text: str, index: int) -> float:
        known = _common(text, index)
        if known is not None:
            return known
        char, before, after = text[index], text[index - 1 : index] or " ", text[index + 1 : index + 2] or " "
        if char.lower() not in weights:
            return -1.0
        if before > "\x7f" and before.isalpha() and after > "\x7f" and after.isalpha():
            return -1.0  # three in a row: no Latin script
        if char.isupper() and before.islower():
            return -1.0
        alone = not (before.isalpha() or after.isalpha())
        return weights[char.lower()] * (0.5 if alone or (before > "\x7f" and before.isalpha()) else 1.0)

    return weigh


_MODELS: dict[str, Callable[[str, int], float]] = {
    "gb18030": _ideographs(_SIMPLIFIED, "gb2312", range(0xB0, 0xD8)),
    "big5hkscs": _ideographs(_TRADITIONAL, "big5", range(0xA4, 0xC7)),
    "euc_kr": _ideographs(_HANGUL, "euc_kr", range(0xB0, 0xC9), 0.5),
    "cp949": _ideographs(_HANGUL, "euc_kr", range(0xB0, 0xC9), 0.5),
    "euc_jp": _ideographs(_KANJI, "euc_jp", range(0xB0, 0xD0)),
    "cp932": _ideographs(_KANJI, "euc_jp", range(0xB0, 0xD0)),
    "cp1251": _cyrillic,
    "koi8_u": _cyrillic,
    "cp1256": _arabic,
    "cp1250": _latin(_CENTRAL),
    "iso8859_2": _latin(_CENTRAL),
    "cp1252": _latin(_WESTERN),
}
#: Tried where nothing else is known; of equals the first.
CANDIDATES = ("cp1252", "cp1251", "cp1250", "cp1256", "koi8_u", "gb18030", "big5hkscs", "cp932", "euc_jp", "cp949")
#: What a document in a language may be in.
LANGUAGES = {
    **dict.fromkeys(("ru", "uk", "be", "bg", "sr", "mk", "kk"), ("cp1251", "koi8_u")),
    **dict.fromkeys(("cs", "sk", "pl", "hu", "ro", "sl", "hr"), ("cp1250", "iso8859_2")),
    **dict.fromkeys(("ar", "fa", "ur", "ug"), ("cp1256",)),
    **dict.fromkeys(("en", "fr", "de", "es", "it", "pt", "nl", "sv", "da", "no", "nb", "fi"), ("cp1252",)),
    "zh": ("gb18030", "big5hkscs"),
    "ja": ("cp932", "euc_jp"),
    "ko": ("cp949",),
}
