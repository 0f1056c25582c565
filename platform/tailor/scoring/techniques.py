"""What each technique is for and what it needs, as a rule; this workspace's figures say more."""

from __future__ import annotations

from collections.abc import Mapping

from tailor.scoring.item_rules import RULES
from tailor.scoring.technique import Rule, Technique
from tailor.task import Task

TECHNIQUES: tuple[Technique, ...] = (
    "baseline", "prompting", "few_shot", "retrieval", "fine_tuning", "retrieval_tuning",
)  # fmt: skip
"""For answers from documents."""


def techniques(task: Task) -> tuple[Technique, ...]:
    """Those that a task knows, in the order in which they are tried."""
    return (*TECHNIQUES, "ensemble") if task == "number" else TECHNIQUES


def rule(technique: Technique, lang: str, task: Task = "answer") -> Rule:
    """The rule on a technique; ``en`` or ``vi``."""
    return (_RULES if task == "answer" else RULES)[lang][technique]


_RULES: Mapping[str, Mapping[Technique, Rule]] = {
    "en": {
        "baseline": Rule(
            name="No language model",
            when="Run it always: every other row must beat it to be worth its price. By itself it "
            "can be enough where answers are short and stand in the documents in the words of the "
            "question.",
            data="The documents; questions only to measure.",
            hardware="Any computer.",
            money="Nothing per question but the machine.",
            changes="Ingest again; there is nothing to train.",
        ),
        "prompting": Rule(
            name="Prompting",
            when="The first step with any language model: say the role, the language, the length "
            "and when to refuse. It can be enough where the model knows the subject or the rules "
            "fit into the prompt; it adds no knowledge of your company.",
            data="None; dev questions to choose the wording.",
            hardware="What the model needs.",
            money="A few more input tokens per question.",
            changes="Nothing, unless the instructions themselves name facts.",
        ),
        "few_shot": Rule(
            name="Few-shot examples",
            when="When the form of the answer is what goes wrong: labels, tone, a fixed pattern, "
            "when to refuse. A handful of examples is often enough; they rarely teach facts.",
            data="Some tens of train questions with good answers, none of them from dev or test.",
            hardware="What the model needs.",
            money="Every example lengthens every prompt.",
            changes="Correct the examples whose answers have changed.",
        ),
        "retrieval": Rule(
            name="Retrieval",
            when="When the answers stand in documents that are private, many or changing: the "
            "facts come from the passages and can be checked there. It helps little where the "
            "passages do not hold the answer or the model cannot use them, and it can hurt "
            "questions that need no documents.",
            data="The documents; questions with evidence to measure the search.",
            hardware="What the model needs, and an index on disk; the search runs on a CPU.",
            money="The passages are often most of the prompt, paid with every question; embedding "
            "is paid once per changed passage.",
            changes="Ingest again: only changed files are read and embedded.",
        ),
        "fine_tuning": Rule(
            name="Fine-tuning",
            when="When style, form or the use of passages stays wrong after the steps before, or "
            "when there are so many questions that shorter prompts or a smaller model pay for the "
            "training. It is a poor way to teach facts that change.",
            data="Usually hundreds of good pairs of question and answer, apart from dev and test.",
            hardware="A GPU, except for very small models; QLoRA needs less memory than LoRA. The "
            "weights must then be hosted.",
            money="Training once for each model and each change of the data; then your own "
            "hosting, whether there are many questions or few.",
            changes="Train again where learned facts have changed; facts that come from passages "
            "need no training.",
        ),
        "retrieval_tuning": Rule(
            name="Retrieval tuning",
            when="When evidence is often not retrieved or does not fit into the prompt: it looks "
            "for the passage size, the weight of words and meaning, and the number of passages "
            "that serve best on dev.",
            data="Dev questions with evidence, some tens at least.",
            hardware="As retrieval, and time for several indexes; a CPU is enough.",
            money="A search once, with some model calls; afterwards a question costs more or less "
            "than before, with the number of passages it chose.",
            changes="Search again when the kind of documents or questions changes.",
        ),
    },
    "vi": {
        "baseline": Rule(
            name="Không dùng mô hình ngôn ngữ",
            when="Luôn nên chạy: mọi dòng khác phải hơn nó thì mới đáng giá tiền. Chỉ riêng nó có "
            "thể đã đủ khi câu trả lời ngắn và nằm trong tài liệu bằng chính từ ngữ của câu hỏi.",
            data="Tài liệu; câu hỏi chỉ để đo.",
            hardware="Máy tính nào cũng được.",
            money="Không tốn gì cho mỗi câu hỏi ngoài chi phí máy.",
            changes="Nạp lại tài liệu; không phải huấn luyện gì.",
        ),
        "prompting": Rule(
            name="Viết lời nhắc",
            when="Bước đầu tiên với mọi mô hình ngôn ngữ: nêu vai trò, ngôn ngữ, độ dài và khi nào "
            "phải từ chối. Có thể đã đủ khi mô hình biết sẵn chủ đề hoặc các quy tắc vừa trong lời "
            "nhắc; cách này không thêm hiểu biết nào về công ty của bạn.",
            data="Không cần; câu hỏi dev để chọn cách viết.",
            hardware="Như mô hình đòi hỏi.",
            money="Thêm vài token đầu vào cho mỗi câu hỏi.",
            changes="Không phải làm gì, trừ khi chính lời nhắc có nêu dữ kiện.",
        ),
        "few_shot": Rule(
            name="Ví dụ mẫu (few-shot)",
            when="Khi chỗ sai là hình thức câu trả lời: nhãn, giọng văn, mẫu cố định, khi nào từ "
            "chối. Thường chỉ cần vài ví dụ; ví dụ hiếm khi dạy được dữ kiện.",
            data="Vài chục câu hỏi train có câu trả lời tốt, không lấy từ dev hay test.",
            hardware="Như mô hình đòi hỏi.",
            money="Mỗi ví dụ làm mọi lời nhắc dài thêm.",
            changes="Sửa những ví dụ có câu trả lời đã thay đổi.",
        ),
        "retrieval": Rule(
            name="Truy xuất",
            when="Khi câu trả lời nằm trong tài liệu nội bộ, nhiều hoặc hay thay đổi: dữ kiện lấy "
            "từ các đoạn văn và có thể đối chiếu ở đó. Ít tác dụng khi các đoạn không chứa câu trả "
            "lời hoặc mô hình không biết dùng chúng, và có thể gây hại cho những câu hỏi không cần "
            "tài liệu.",
            data="Tài liệu; câu hỏi có bằng chứng để đo việc tìm kiếm.",
            hardware="Như mô hình đòi hỏi, cùng một chỉ mục trên đĩa; việc tìm kiếm chạy bằng CPU.",
            money="Các đoạn văn thường chiếm phần lớn lời nhắc và phải trả cho từng câu hỏi; việc "
            "nhúng chỉ trả một lần cho mỗi đoạn thay đổi.",
            changes="Nạp lại: chỉ những tệp đã thay đổi được đọc và nhúng.",
        ),
        "fine_tuning": Rule(
            name="Tinh chỉnh (fine-tuning)",
            when="Khi giọng văn, hình thức hay cách dùng đoạn văn vẫn sai sau các bước trước, hoặc "
            "khi có nhiều câu hỏi đến mức lời nhắc ngắn hơn hay mô hình nhỏ hơn bù được chi phí "
            "huấn luyện. Đây là cách kém để dạy những dữ kiện hay thay đổi.",
            data="Thường là hàng trăm cặp câu hỏi và câu trả lời tốt, tách khỏi dev và test.",
            hardware="Một GPU, trừ các mô hình rất nhỏ; QLoRA cần ít bộ nhớ hơn LoRA. Sau đó phải "
            "tự chạy mô hình.",
            money="Huấn luyện một lần cho mỗi mô hình và mỗi lần dữ liệu thay đổi; sau đó là chi "
            "phí chạy mô hình, dù có nhiều hay ít câu hỏi.",
            changes="Huấn luyện lại khi dữ kiện đã học thay đổi; dữ kiện lấy từ các đoạn văn thì "
            "không cần.",
        ),
        "retrieval_tuning": Rule(
            name="Tinh chỉnh truy xuất",
            when="Khi bằng chứng thường không được tìm ra hoặc không vừa lời nhắc: bước này tìm độ "
            "dài đoạn, trọng số giữa từ ngữ và ý nghĩa, và số đoạn cho kết quả tốt nhất trên dev.",
            data="Câu hỏi dev có bằng chứng, ít nhất vài chục câu.",
            hardware="Như truy xuất, thêm thời gian cho vài chỉ mục; CPU là đủ.",
            money="Một lần tìm kiếm với một số lượt gọi mô hình; sau đó mỗi câu hỏi đắt hơn hoặc "
            "rẻ hơn trước, tùy số đoạn được chọn.",
            changes="Tìm lại khi loại tài liệu hoặc loại câu hỏi thay đổi.",
        ),
    },
}
