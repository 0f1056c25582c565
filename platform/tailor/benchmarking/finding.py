"""What a check finds, told in English and Vietnamese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tailor.task import Task, worded

Level = Literal["error", "warning"]
Sentences = tuple[Level, str, str]
"""Level, English and Vietnamese sentence of a kind."""


def sentence(kind: Sentences, values: Mapping[str, Any], lang: str) -> str:
    """The sentence of a kind in a language, with its values filled in."""
    values = dict(values)
    if "how" in values:
        values["how"] = HOW[values["how"]][lang == "vi"]
    return kind[1 + (lang == "vi")].format(**values)


@dataclass(frozen=True)
class Finding:
    """Something about a benchmark, or about one line of it, that should be looked at."""

    kind: str
    """A key of ``KINDS``."""
    line: int | None = None
    """Of the file; None where it is about the whole benchmark."""
    id: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    task: Task = "answer"
    """Of the workspace, which says what the lines are called."""

    @property
    def level(self) -> Level:
        """Errors make scores wrong; warnings are for a person to judge."""
        return KINDS[self.kind][0]

    def message(self, lang: str = "en") -> str:
        """What is wrong and what to do, without file and line."""
        level, english, vietnamese = KINDS[self.kind]
        told = worded(english, self.task, "en"), worded(vietnamese, self.task, "vi")
        return sentence((level, *told), self.values, lang)

    def to_json(self) -> dict[str, Any]:
        """As ``tailor benchmark check --json`` lists it."""
        return {
            "kind": self.kind,
            "level": self.level,
            "line": self.line,
            "id": self.id,
            "message": self.message(),
            "values": dict(self.values),
        }


HOW = {
    "exact": ("word for word", "giống từng chữ"),
    "unicode": ("in another Unicode form", "chỉ khác dạng Unicode"),
    "case": ("in other letter case", "chỉ khác chữ hoa chữ thường"),
    "spacing": ("with other spaces or punctuation", "chỉ khác dấu cách, dấu câu"),
    "accents": ("with other accents", "chỉ khác dấu tiếng Việt"),
    "order": ("in another word order", "chỉ khác thứ tự từ"),
    "overlap": ("with a long run of the same words", "trùng một đoạn dài"),
    "near": ("with nearly the same letters", "gần như trùng từng chữ"),
    "fact": ("in other words, of the same evidence", "bằng lời khác, cùng một bằng chứng"),
    "meaning": ("in other words", "bằng lời khác"),
}

KINDS: Mapping[str, Sentences] = {
    "syntax": (
        "error",
        "{message}.",
        "dòng này không dùng được: {message}.",
    ),
    "no_question": (
        "error",
        "has no question; write one, or delete the row.",
        "chưa có câu hỏi; hãy viết câu hỏi hoặc xóa dòng này.",
    ),
    "no_answer": (
        "error",
        "has no answer; write one, or tick that the documents do not say.",
        "chưa có đáp án; hãy viết đáp án, hoặc đánh dấu là tài liệu không nói.",
    ),
    "no_value": (
        "error",
        "has no answer; write one, or delete the row.",
        "chưa có đáp án; hãy ghi đáp án hoặc xóa dòng này.",
    ),
    "no_number": (
        "error",
        'has the answer "{answer}", which is not a number; write one, as 12.5.',
        'có đáp án "{answer}" không phải là số; hãy ghi một số, như 12.5.',
    ),
    "empty": (
        "error",
        "The benchmark holds no {question} that counts; add {questions} or approve drafts.",
        "Bộ câu hỏi chưa có {question} nào được tính; hãy thêm {questions} hoặc duyệt bản nháp.",
    ),
    "same_id": (
        "error",
        'has the id "{id}" of line {other}; change one.',
        'trùng id "{id}" với dòng {other}; hãy đổi một trong hai.',
    ),
    "same_question": (
        "error",
        "is the {question} of line {other} {how}; delete one.",
        "lặp lại {question} ở dòng {other} ({how}); hãy xóa một {question}.",
    ),
    "near_question": (
        "warning",
        "is nearly the {question} of line {other} and has the same answer, so that it counts "
        "twice; keep one.",
        "gần giống {question} ở dòng {other} và cùng đáp án, nên được tính hai lần; hãy giữ một "
        "{question}.",
    ),
    "contradiction": (
        "warning",
        "is nearly the {question} of line {other} but has another answer; see which is right.",
        "gần giống {question} ở dòng {other} nhưng đáp án khác; hãy xem đáp án nào đúng.",
    ),
    "answers_disagree": (
        "warning",
        'accepts both "{one}" and "{two}", which hold different numbers.',
        'chấp nhận cả "{one}" lẫn "{two}", hai đáp án có số khác nhau.',
    ),
    "answer_empty": (
        "error",
        'has the answer "{answer}", in which there is nothing to compare; write words or a number.',
        'có đáp án "{answer}" không có gì để so sánh; hãy viết chữ hoặc số.',
    ),
    "answer_refuses": (
        "error",
        'has the answer "{answer}"; write null where the documents do not say.',
        'có đáp án "{answer}"; hãy viết null khi tài liệu không nói.',
    ),
    "answer_null": (
        "error",
        "says that the documents do not say (null) but names evidence; give the answer or drop "
        "the evidence.",
        "ghi là tài liệu không nói (null) nhưng lại có bằng chứng; hãy ghi đáp án hoặc bỏ bằng "
        "chứng.",
    ),
    "answer_format": (
        "error",
        'has the answer "{answer}", which does not keep its own format {pattern}.',
        'có đáp án "{answer}" không theo đúng định dạng {pattern} của chính nó.',
    ),
    "no_evidence": (
        "warning",
        "names no evidence, so that retrieval is not scored on it; add document and quote.",
        "không có bằng chứng nên không chấm được khâu tìm kiếm; hãy thêm tài liệu và trích dẫn.",
    ),
    "no_document": (
        "error",
        "names {document}, which is not in knowledge/{hint}.",
        "dẫn tới {document}, tài liệu không có trong knowledge/{hint_vi}.",
    ),
    "unread_document": (
        "error",
        "names {document}, which could not be read or was not read yet; `tailor ingest` says why.",
        "dẫn tới {document}, tài liệu chưa đọc hoặc không đọc được; `tailor ingest` cho biết lý "
        "do.",
    ),
    "no_quote": (
        "error",
        '{document} does not say "{quote}"{hint}.',
        '{document} không có câu "{quote}"{hint_vi}.',
    ),
    "stale": (
        "error",
        '{document} changed and no longer says "{quote}"{hint}; see whether the answer still '
        "holds.",
        '{document} đã thay đổi và không còn câu "{quote}"{hint_vi}; hãy xem đáp án còn đúng '
        "không.",
    ),
    "unsupported": (
        "warning",
        'the answer "{answer}" is not in its evidence, nor follows from two of its numbers.',
        'đáp án "{answer}" không có trong bằng chứng, cũng không tính được từ hai số trong đó.',
    ),
    "answer_in_question": (
        "warning",
        'the question itself holds the answer "{answer}", so that it can be had without documents.',
        'câu hỏi đã chứa sẵn đáp án "{answer}" nên trả lời được mà không cần tài liệu.',
    ),
    "answered_blind": (
        "warning",
        "{model} answers it rightly without any document, so that it tells little about them.",
        "{model} trả lời đúng mà không cần tài liệu nào, nên câu này nói ít về tài liệu.",
    ),
    "leak": (
        "error",
        "this {split} {question} holds the {held} {question} of line {other} ({how}); delete one, "
        "or put both into one split.",
        "{question} {split} này trùng {question} {held} ở dòng {other} ({how}); hãy xóa một "
        "{question} hoặc đưa cả hai vào cùng một tập.",
    ),
    "leak_meaning": (
        "warning",
        "this {split} {question} may be the {held} {question} of line {other} in other words; if "
        "so, put both into one split.",
        "{question} {split} này có thể cùng ý với {question} {held} ở dòng {other}; nếu vậy hãy "
        "đưa cả hai vào cùng một tập.",
    ),
    "same_fact": (
        "warning",
        "this {split} question has the answer and the evidence of the {held} question of line "
        "{other}: one fact on both sides.",
        "câu {split} này có cùng đáp án và bằng chứng với câu {held} ở dòng {other}: một sự kiện "
        "nằm ở cả hai phía.",
    ),
    "not_ingested": (
        "error",
        "The documents have not been read, so evidence was not checked; run `tailor ingest` first.",
        "Tài liệu chưa được đọc nên chưa kiểm tra được bằng chứng; hãy chạy `tailor ingest` trước.",
    ),
    "changed_documents": (
        "warning",
        "Documents that changed since they were read: {n} ({names}); run `tailor ingest`, then "
        "check again.",
        "{n} tài liệu đã thay đổi sau lần đọc cuối ({names}); hãy chạy `tailor ingest` rồi kiểm "
        "tra lại.",
    ),
    "no_split": (
        "warning",
        "Without a split: {n} {questions}, drawn anew with each file; `tailor benchmark split` "
        "records one.",
        "{n} {questions} chưa ghi tập và được chia lại theo tệp; `tailor benchmark split` sẽ ghi "
        "cố định.",
    ),
    "empty_split": (
        "warning",
        "There are no {split} {questions}; `tailor benchmark split` shares them out, with "
        "--reassign where all have a split.",
        "Chưa có {questions} {split}; `tailor benchmark split` sẽ chia giúp, thêm --reassign nếu "
        "{question} nào cũng đã có tập.",
    ),
    "shared_documents": (
        "warning",
        "Documents with questions in train and also in dev or test: {n}; `tailor benchmark split "
        "--reassign` keeps each on one side.",
        "{n} tài liệu có câu hỏi ở cả train lẫn dev hoặc test; `tailor benchmark split --reassign` "
        "giữ mỗi tài liệu ở một phía.",
    ),
    "few_questions": (
        "warning",
        "Too few test {questions} to tell anything about {names}; from {least} on a score has an "
        "interval.",
        "Quá ít {questions} test để kết luận về {names}; cần ít nhất {least} {questions} mới có "
        "khoảng tin cậy.",
    ),
    "uneven": (
        "warning",
        '"{name}" is {test} of the test {questions} but {dev} of the dev {questions}, so that what '
        "is chosen on dev fits other {questions}.",
        '"{name}" chiếm {test} {questions} test nhưng {dev} {questions} dev, nên lựa chọn trên dev '
        "hợp với loại {questions} khác.",
    ),
    "language_missing": (
        "warning",
        'No test {question} is in the language "{lang}" of {n} documents.',
        'Không có {question} test nào bằng ngôn ngữ "{lang}" của {n} tài liệu.',
    ),
    "one_document": (
        "warning",
        "{share} of the evidence is from {document}; spread the questions over more documents.",
        "{share} bằng chứng lấy từ {document}; hãy trải câu hỏi ra nhiều tài liệu hơn.",
    ),
    "none_unanswerable": (
        "warning",
        "Every question has an answer, so that guessing is never punished; add some whose answer "
        "the documents do not hold (null).",
        "Câu nào cũng có đáp án nên đoán bừa không bị trừ điểm; hãy thêm vài câu mà tài liệu không "
        "trả lời được (null).",
    ),
    "mostly_unanswerable": (
        "warning",
        "{share} of the questions have no answer in the documents, so that always refusing scores "
        "well.",
        "{share} câu hỏi không có đáp án trong tài liệu, nên luôn từ chối cũng được điểm cao.",
    ),
    "yes_no": (
        "warning",
        'Of {n} yes/no {questions} {share} have the answer "{answer}"; saying so always scores '
        "that much.",
        'Trong {n} {questions} có/không, {share} có đáp án "{answer}"; luôn trả lời như vậy cũng '
        "được chừng ấy điểm.",
    ),
}
