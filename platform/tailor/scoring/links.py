"""The links between the documents and a reply, and what is said where one of them is broken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Broken = Literal[
    "right", "not_in_documents", "no_documents", "not_retrieved", "dropped", "not_used",
    "refused_wrongly", "format", "answered_unanswerable", "error", "unknown",
]  # fmt: skip
"""Of answers from documents: ``right``, or what is wrong; see `tailor.scoring.attribution.why`."""
NEXT: Mapping[str, tuple[str, ...]] = {
    "right": (),
    "not_in_documents": (),
    "no_documents": ("retrieval",),
    "not_retrieved": ("retrieval_tuning",),
    "dropped": ("retrieval_tuning",),
    "not_used": ("fine_tuning",),
    "refused_wrongly": ("prompting", "few_shot"),
    "format": ("prompting", "few_shot"),
    "answered_unanswerable": ("prompting", "few_shot"),
    "error": (),
    "unknown": (),
}
"""The stages to try next; none where no stage mends it."""

LABELS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "right": "right",
        "not_in_documents": "evidence not in the documents",
        "no_documents": "no documents were given",
        "not_retrieved": "evidence not retrieved",
        "dropped": "evidence did not fit into the prompt",
        "not_used": "evidence in the prompt, answer wrong",
        "refused_wrongly": "evidence in the prompt, refused",
        "format": "right but too long, or not in the wanted form",
        "answered_unanswerable": "answered what the documents do not say",
        "error": "no answer: error",
        "unknown": "cause not known",
    },
    "vi": {
        "right": "đúng",
        "not_in_documents": "bằng chứng không có trong tài liệu",
        "no_documents": "không được cung cấp tài liệu",
        "not_retrieved": "không tìm ra bằng chứng",
        "dropped": "bằng chứng không vừa lời nhắc",
        "not_used": "có bằng chứng trong lời nhắc, trả lời sai",
        "refused_wrongly": "có bằng chứng trong lời nhắc, từ chối",
        "format": "đúng nhưng quá dài hoặc sai dạng",
        "answered_unanswerable": "trả lời điều tài liệu không nói",
        "error": "không có câu trả lời: lỗi",
        "unknown": "chưa rõ nguyên nhân",
    },
}

ADVICE: Mapping[str, Mapping[str, str]] = {
    "en": {
        "right": "The answer is right; there is nothing to do.",
        "not_in_documents": "The evidence is not in the ingested documents: add the documents or "
        "correct the evidence (`tailor benchmark check` names it), then run `tailor ingest`.",
        "no_documents": "The model was given no documents: try retrieval next.",
        "not_retrieved": "The search did not find the evidence: try retrieval_tuning next, or more "
        "passages (retrieval.k).",
        "dropped": "The evidence was found but did not fit into the model's context: try "
        "retrieval_tuning with fewer or shorter passages, or a model with a longer context.",
        "not_used": "The evidence was in the prompt and the answer is wrong: try fine_tuning or a "
        "stronger model next.",
        "refused_wrongly": "The evidence was in the prompt and the assistant refused: try milder "
        "instructions in prompting or answered examples in few_shot (for baseline: a lower "
        "baseline.confidence).",
        "format": "The answer is right but too long, not in the wanted form, or could not be read: "
        "state the form in prompting or show it with few_shot next.",
        "answered_unanswerable": "The documents do not say, and the assistant answered: ask for "
        "refusals in prompting or show some with few_shot next (for baseline: a higher "
        "baseline.confidence).",
        "error": "No answer came: run the same command again, which asks only what is missing.",
        "unknown": "The cause cannot be told: add evidence (document and quote) to the question; "
        "imported answers do not show what their author had read.",
    },
    "vi": {
        "right": "Câu trả lời đúng; không cần làm gì.",
        "not_in_documents": "Bằng chứng không có trong các tài liệu đã nạp: hãy bổ sung tài liệu "
        "hoặc sửa bằng chứng (`tailor benchmark check` chỉ ra chỗ sai), rồi chạy `tailor ingest`.",
        "no_documents": "Mô hình không được cung cấp tài liệu: tiếp theo hãy thử retrieval.",
        "not_retrieved": "Bước tìm kiếm không tìm ra bằng chứng: tiếp theo hãy thử "
        "retrieval_tuning, hoặc lấy nhiều đoạn hơn (retrieval.k).",
        "dropped": "Đã tìm ra bằng chứng nhưng nó không vừa ngữ cảnh của mô hình: hãy thử "
        "retrieval_tuning với ít đoạn hơn hoặc đoạn ngắn hơn, hoặc một mô hình có ngữ cảnh dài "
        "hơn.",
        "not_used": "Bằng chứng đã có trong lời nhắc mà câu trả lời vẫn sai: tiếp theo hãy thử "
        "fine_tuning hoặc một mô hình mạnh hơn.",
        "refused_wrongly": "Bằng chứng đã có trong lời nhắc mà trợ lý từ chối: hãy thử chỉ dẫn "
        "bớt nghiêm ngặt ở prompting hoặc ví dụ có câu trả lời ở few_shot (với baseline: giảm "
        "baseline.confidence).",
        "format": "Câu trả lời đúng nhưng quá dài, sai dạng hoặc không đọc được: tiếp theo hãy nêu "
        "rõ dạng trả lời ở prompting hoặc cho ví dụ ở few_shot.",
        "answered_unanswerable": "Tài liệu không nói mà trợ lý vẫn trả lời: tiếp theo hãy yêu cầu "
        "từ chối ở prompting hoặc cho ví dụ từ chối ở few_shot (với baseline: tăng "
        "baseline.confidence).",
        "error": "Không có câu trả lời: hãy chạy lại đúng lệnh đó, chỉ những câu còn thiếu được "
        "hỏi.",
        "unknown": "Chưa thể biết nguyên nhân: hãy thêm bằng chứng (tài liệu và trích dẫn) vào câu "
        "hỏi; câu trả lời nhập từ ngoài không cho biết người trả lời đã đọc gì.",
    },
}
