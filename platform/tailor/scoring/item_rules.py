"""What each technique is for where items have a number or a label, as a rule."""

from __future__ import annotations

from collections.abc import Mapping

from tailor.scoring.technique import Rule, Technique

RULES: Mapping[str, Mapping[Technique, Rule]] = {
    "en": {
        "baseline": Rule(
            name="No language model",
            when="Run it always: a constant shows what knowing nothing gives, and a regression on "
            "words is often hard to beat. By itself it can be enough where there are hundreds of "
            "train items.",
            data="Train items with their number or label, some hundreds at least.",
            hardware="Any computer; fitting takes seconds.",
            money="Nothing per item but the machine.",
            changes="Fitted again by itself when train items change.",
        ),
        "prompting": Rule(
            name="Prompting",
            when="The first step with any language model: it says what is asked for and in which "
            "form, and shows what the model knows of such items by itself.",
            data="None; dev items to choose the wording.",
            hardware="What the model needs.",
            money="The tokens of the item and of the instructions.",
            changes="Nothing, unless the instructions themselves name facts.",
        ),
        "few_shot": Rule(
            name="Few-shot examples",
            when="When replies have the wrong form, or the model does not know how your numbers "
            "and labels are given: the nearest train items show it.",
            data="Train items, none of them from dev or test.",
            hardware="What the model needs.",
            money="Every example lengthens every prompt.",
            changes="Nothing: the examples are picked from the train items.",
        ),
        "retrieval": Rule(
            name="Retrieval",
            when="When similar items tell much: the model gets those that are most alike, with "
            "their numbers or labels. Compare it with neighbours, a baseline that asks no model.",
            data="Train items; the more, the nearer are the nearest ones.",
            hardware="What the model needs; the search runs on a CPU.",
            money="The similar items are most of the prompt, paid with every item.",
            changes="New train items are found at once.",
        ),
        "fine_tuning": Rule(
            name="Fine-tuning",
            when="When there are thousands of train items, or so many items to answer that a small "
            "model pays for its training.",
            data="Hundreds of train items, better thousands, apart from dev and test.",
            hardware="A GPU, except for very small models; QLoRA needs less memory than LoRA.",
            money="Training once for each model and each change of data; then your own hosting.",
            changes="Train again when prices or labels have changed.",
        ),
        "retrieval_tuning": Rule(
            name="Retrieval tuning",
            when="When retrieval helps: it looks for how many similar items, found by words or by "
            "meaning, serve best on dev.",
            data="Some tens of dev items at least.",
            hardware="As retrieval; a CPU is enough.",
            money="A search once, with some model calls.",
            changes="Search again when the kind of items changes.",
        ),
        "ensemble": Rule(
            name="Ensemble",
            when="When several rows are good and err in different ways: a weighted sum of their "
            "numbers is often better than each.",
            data="Dev items that all its rows have answered.",
            hardware="What its rows need, together.",
            money="What its rows cost, together.",
            changes="Run it again after its rows.",
        ),
    },
    "vi": {
        "baseline": Rule(
            name="Không dùng mô hình ngôn ngữ",
            when="Luôn nên chạy: một hằng số cho biết không biết gì thì được đến đâu, còn hồi quy "
            "trên từ ngữ thường rất khó vượt qua. Chỉ riêng nó có thể đã đủ khi có hàng trăm mục "
            "train.",
            data="Các mục train kèm con số hoặc nhãn, ít nhất vài trăm.",
            hardware="Máy tính nào cũng được; chỉ mất vài giây để khớp.",
            money="Không tốn gì cho mỗi mục ngoài chi phí máy.",
            changes="Tự khớp lại khi các mục train thay đổi.",
        ),
        "prompting": Rule(
            name="Viết lời nhắc",
            when="Bước đầu tiên với mọi mô hình ngôn ngữ: nêu rõ cần gì và dưới dạng nào, đồng "
            "thời cho thấy mô hình tự biết gì về những mục như vậy.",
            data="Không cần; các mục dev để chọn cách viết.",
            hardware="Như mô hình đòi hỏi.",
            money="Số token của mục và của lời nhắc.",
            changes="Không phải làm gì, trừ khi chính lời nhắc có nêu dữ kiện.",
        ),
        "few_shot": Rule(
            name="Ví dụ mẫu (few-shot)",
            when="Khi câu trả lời sai dạng, hoặc mô hình chưa biết con số và nhãn của bạn được cho "
            "như thế nào: các mục train gần nhất cho thấy điều đó.",
            data="Các mục train, không lấy từ dev hay test.",
            hardware="Như mô hình đòi hỏi.",
            money="Mỗi ví dụ làm mọi lời nhắc dài thêm.",
            changes="Không phải làm gì: ví dụ được chọn từ các mục train.",
        ),
        "retrieval": Rule(
            name="Truy xuất",
            when="Khi các mục tương tự nói lên nhiều điều: mô hình nhận những mục giống nhất kèm "
            "con số hoặc nhãn của chúng. Hãy so với neighbours, một mốc cơ sở không hỏi mô hình.",
            data="Các mục train; càng nhiều thì mục gần nhất càng gần.",
            hardware="Như mô hình đòi hỏi; việc tìm kiếm chạy bằng CPU.",
            money="Các mục tương tự chiếm phần lớn lời nhắc và phải trả cho từng mục.",
            changes="Các mục train mới được tìm thấy ngay.",
        ),
        "fine_tuning": Rule(
            name="Tinh chỉnh (fine-tuning)",
            when="Khi có hàng nghìn mục train, hoặc phải trả lời nhiều mục đến mức một mô hình nhỏ "
            "bù được chi phí huấn luyện.",
            data="Hàng trăm mục train, tốt hơn là hàng nghìn, tách khỏi dev và test.",
            hardware="Một GPU, trừ các mô hình rất nhỏ; QLoRA cần ít bộ nhớ hơn LoRA.",
            money="Huấn luyện một lần cho mỗi mô hình và mỗi lần dữ liệu thay đổi; sau đó là chi "
            "phí chạy mô hình.",
            changes="Huấn luyện lại khi giá hoặc nhãn đã thay đổi.",
        ),
        "retrieval_tuning": Rule(
            name="Tinh chỉnh truy xuất",
            when="Khi truy xuất có ích: bước này tìm xem bao nhiêu mục tương tự, tìm theo từ ngữ "
            "hay theo ý nghĩa, cho kết quả tốt nhất trên dev.",
            data="Ít nhất vài chục mục dev.",
            hardware="Như truy xuất; CPU là đủ.",
            money="Một lần tìm kiếm với một số lượt gọi mô hình.",
            changes="Tìm lại khi loại mục thay đổi.",
        ),
        "ensemble": Rule(
            name="Kết hợp (ensemble)",
            when="Khi nhiều dòng đều tốt và sai theo những cách khác nhau: tổng có trọng số của "
            "các con số thường tốt hơn từng dòng.",
            data="Các mục dev mà mọi dòng thành phần đều đã trả lời.",
            hardware="Tổng những gì các dòng thành phần cần.",
            money="Tổng chi phí của các dòng thành phần.",
            changes="Chạy lại sau khi chạy lại các dòng thành phần.",
        ),
    },
}
