"""What a question asks: its weighted keys, the kind of answer expected, the noun asked about."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tailor.text import fold, language, nfc

Floats = NDArray[np.float32]

TOKEN = re.compile(
    r"""[\w.+-]+@[\w-]+(?:\.[\w-]+)+            # e-mail address
    |(?:https?://|www\.)[^\s|)>\]]*[\w/]        # web address
    |[A-ZĐ\d]+(?:[-/_.][A-ZĐ\d]+)*[-/_][A-ZĐ]*\d[A-ZĐ\d]*(?:[-/_][A-ZĐ\d]+)*   # code, date
    |[$€£¥₫]?\d+(?:[.,:]\d+)*(?:%|[^\W\d_]+)?   # number, with unit or percent sign
    |\w+(?:['’-]\w+)*
    |[^\w\s]""",
    re.VERBOSE,
)
_WORD = re.compile(r"\w")


def word_set(text: str) -> frozenset[str]:
    """The words of a blank-separated list."""
    return frozenset(text.split())


# Words by which questions are not matched, and with which no answer starts or ends.
FUNCTION_WORDS = word_set(
    "a an the of in on at to for from by with and or nor but is are was were be been being do does "
    "did has have had what which who whom whose when where why how it its this that these those as "
    "their his her our your my he she they we i you can could will would should might must not "
    "than then there into about after before during per if so such also each any all some only "
    "please name tell give me much many long often during until within between upon under over "
    "là của và hoặc được bị cho với tại ở trong từ đến vào thì mà có không các những này đó kia "
    "khi nếu để do bởi vì theo về trên dưới sau trước giữa cùng như rằng sẽ đã đang vẫn cũng chỉ "
    "ai gì nào đâu mấy bao nhiêu lâu sao thế hãy xin vui lòng biết ra lên xuống tới lúc hay "
    "bằng"
)
_UNACCENTED_FUNCTION_WORDS = frozenset(fold(word) for word in FUNCTION_WORDS)

_ENGLISH_ASKS = (
    (r"e-?mail|web ?site|\burl\b|\blink\b|web address", "address"),
    (r"phone|hotline|extension|telephone|\bfax\b|call\b", "phone"),
    (r"percent|what share|what rate|\brate\b|discount", "percent"),
    (r"how much|\bprice|\bcosts?\b|\bfee\b|salary|budget|\bpay\b|amount|allowance", "money"),
    (r"how often|how frequent|what frequency", "frequency"),
    (r"how long|how quickly|how soon|how fast|within what|duration|period", "duration"),
    (r"how many (days|weeks|months|years|hours|minutes|seconds)", "duration"),
    (r"how many|what number", "count"),
    (r"what time|opening hours|what hour", "clock"),
    (r"what year|which year", "year"),
    (r"\bwhen\b|(what|which) (date|day|month|weekday)|deadline", "date"),
    (r"\bwho\b|\bwhom\b|\bwhose\b", "person"),
    (r"\bwhere\b|(which|what) (city|country|site|town|place)|location|address", "place"),
    (r"\bcode\b|\bnumber\b|identifier|\bid\b|version|serial", "code"),
    (r"\bwhy\b|what reason", "reason"),
    (r"\bhow\b", "manner"),
    (r"\bwhich\b", "which"),
    (r"\bwhat\b", "what"),
)
# Matched against the folded question, so that they also hold where accents are not typed.
_VIETNAMESE_ASKS = (
    (r"e-?mail|thu dien tu|trang web|website|duong dan", "address"),
    (r"dien thoai|hotline|so may|may le|duong day nong", "phone"),
    (r"phan tram|ty le|ti le|chiet khau|muc giam", "percent"),
    (
        r"bao nhieu tien|\bgia\b|chi phi|muc phi|\bphi\b|\bluong\b|phu cap|ngan sach|so tien",
        "money",
    ),
    (r"bao lau mot lan|may lan|tan suat|dinh ky", "frequency"),
    (r"bao lau|(bao nhieu|may) (ngay|tuan|thang|nam|gio|phut|giay)", "duration"),
    (r"thoi han|thoi gian bao hanh|trong vong", "duration"),
    (r"may gio|luc nao|gio nao", "clock"),
    (r"nam nao", "year"),
    (r"khi nao|(ngay|thang|hom|thu) nao|bao gio|(ngay|thu) may|thoi diem nao|han chot", "date"),
    (r"bao nhieu|\bmay\b", "count"),
    (r"\bai\b|nguoi nao|ten nguoi", "person"),
    (r"o dau|noi nao|\bdau\b|thanh pho nao|dia chi|dia diem|cho nao", "place"),
    (r"ma so|so hieu|\bma\b|phien ban|so seri", "code"),
    (r"tai sao|vi sao|ly do|nguyen nhan", "reason"),
    (r"the nao|ra sao|bang cach|cach nao", "manner"),
    (r"\bnao\b", "which"),
    (r"\bgi\b|la chi", "what"),
)
ASKS = (*dict.fromkeys(name for _, name in _ENGLISH_ASKS), "other")
_HEAD_ENGLISH = re.compile(
    r"\b(?:how many|how much|what|which|whose)\s+(?:is\s+the\s+|are\s+the\s+)?(\w+)"
)
_HEAD_VIETNAMESE = re.compile(
    r"\b(?:bao nhieu|may)\s+(\w+)|(\w+)\s+(?:nao|gi|la bao nhieu|la gi)\b"
)


def stem(word: str) -> str:
    """The form by which words are matched: English endings cut, everything else as it is."""
    if word.isascii() and word.isalpha():
        if len(word) > 5:
            return word[:5]
        if len(word) > 3 and word.endswith("s"):
            return word[:-1]
    return word


@dataclass(frozen=True)
class Lexicon:
    """The words a reader was trained with.

    `weights` holds the inverse document frequency of each key, `rare` that of all others. The
    arrays have one row per key, in order, and a last row of zeros: `vectors` place keys that occur
    in a question near those that occur in its answer's sentence; `word_kinds` and `ask_kinds`
    (one row per entry of ASKS) add up to the logits of the kind of span that answers, `usual_kinds`
    are the log probabilities of the kinds among all candidates. `bound` holds pairs of words that
    are seldom apart, as the syllables of a Vietnamese word.
    """

    weights: Mapping[str, float]
    rare: float
    vectors: Floats
    word_kinds: Floats
    ask_kinds: Floats
    usual_kinds: Floats
    bound: frozenset[str]

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of each key."""
        return {key: row for row, key in enumerate(self.weights)}

    def rows_of(self, keys: Iterable[str]) -> NDArray[np.int64]:
        """Rows of the keys; unknown ones get the last, which is zero."""
        rows = self.rows
        return np.array([rows.get(key, len(rows)) for key in keys], dtype=np.int64)


@dataclass(frozen=True)
class Query:
    """A question as weighted keys (their sum is 1), word pairs, and what it asks for.

    `asks` is an index into ASKS; `kinds` the log probability of each kind of span as its answer;
    `head` the stem of the noun asked about; `folded` says that the question has no accents, so
    that passages are compared without theirs.
    """

    weights: dict[str, float]
    total: float
    pairs: frozenset[tuple[str, str]]
    asks: int
    kinds: Floats
    head: str
    folded: bool

    def key(self, word: str) -> str:
        """How a case-folded word of a passage is compared with this question."""
        return stem(fold(word)) if self.folded and not word.isascii() else stem(word)

    def share(self, keys: Collection[str]) -> float:
        """Weight of the question's words that are among the keys."""
        return sum(weight for key, weight in self.weights.items() if key in keys)


def query(question: str, lexicon: Lexicon) -> Query:
    """Analyse a question in English or Vietnamese, with or without its accents."""
    text = nfc(question).strip()
    plain = fold(text)
    folded = plain == text.casefold()
    vietnamese = language(text) == "vi"
    function_words = _UNACCENTED_FUNCTION_WORDS if folded and vietnamese else FUNCTION_WORDS
    lower = [word for word in TOKEN.findall(text.casefold()) if _WORD.match(word)]
    kept = [stem(word) for word in lower if word not in function_words]
    found = {key: lexicon.weights.get(key, lexicon.rare) for key in kept}
    total = sum(found.values())
    patterns = _VIETNAMESE_ASKS if vietnamese else _ENGLISH_ASKS
    asks = next((name for pattern, name in patterns if re.search(pattern, plain)), "other")
    logits = lexicon.ask_kinds[ASKS.index(asks)] + lexicon.word_kinds[lexicon.rows_of(found)].sum(
        axis=0
    )
    match = (_HEAD_VIETNAMESE if vietnamese else _HEAD_ENGLISH).search(plain)
    head = next((group for group in match.groups() if group), "") if match else ""
    if match and not folded and len(plain) == len(text):
        at = match.start() + match[0].find(head)
        head = text.casefold()[at : at + len(head)]
    return Query(
        {key: weight / total for key, weight in found.items()},
        total,
        frozenset(pairwise(stem(word) for word in lower)),
        ASKS.index(asks),
        logits - np.log(np.exp(logits).sum()),
        stem(head),
        folded,
    )
