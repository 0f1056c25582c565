"""What the report and two rows beside each other say, in English and Vietnamese."""

from __future__ import annotations

from collections.abc import Mapping

from tailor.task import Task, worded


def words(task: Task, lang: str) -> dict[str, str]:
    """The sentences in the words of a task."""
    return {name: worded(text, task, lang) for name, text in WORDS[lang].items()}


WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Which technique pays off?",
        "subtitle": "{workspace} · {n} {split} {questions} · {date}",
        "verdict": "Verdict",
        "bars": "Score by row",
        "bars_note": "Share of right words (F1) on the {n} {split} questions. The line on each bar "
        "is the 95% interval: with other questions of this kind the score would likely lie there.",
        "bars_note_number": "Skill: the share of the best constant's error that is saved, on the "
        "{n} {split} items; below 0% a row is worse than the constant. The line on each bar is the "
        "95% interval.",
        "bars_note_label": "Accuracy: the share of the {n} {split} items that got their label; an "
        "item without one counts as wrong. The line on each bar is the 95% interval.",
        "tradeoff": "What a better score costs",
        "by_cost": "Score against cost",
        "by_latency": "Score against time",
        "cost_axis": "US dollars for 1,000 {questions}",
        "latency_axis": "median seconds from {question} to answer",
        "frontier": "The dashed line joins the rows that no other beats in both: everything off it "
        "is worse than some row that asks for no more.",
        "cost_equal": "All rows cost the same ({cost} for 1,000 {questions}), so that cost does "
        "not choose between them.",
        "cost_unknown": "The price of no row is known: name prices in tailor.toml.",
        "all_rows": "All rows",
        "all_rows_note": "The winner (★) is chosen on the dev {questions}, scores are of the "
        "{split} {questions}. Differences are paired by {question}; their intervals hold for each "
        "step alone.",
        "answered": "How the answers ended", "metrics": "All metrics, means",
        "measure": "Metric",
        "changes": "What each step changed",
        "changes_note": "Only settings that differ from the row before.",
        "from": "built on {row}",
        "root": "starts from the plain model",
        "no_change": "nothing differs",
        "setting": "Setting", "before": "before", "after": "after",
        "none": "none",
        "slices_tag": "By tag",
        "slices_lang": "By language",
        "slices_note": "At most six rows, those with the highest scores. Slices with few "
        "{questions} (in lighter type) tell little: their intervals are wide.",
        "slice": "Slice",
        "cause": "Cause",
        "why": "Why answers are wrong",
        "why_note": "The first broken link from the documents to the reply.",
        "guide": "When to use which technique",
        "guide_data": "Data", "guide_hardware": "Hardware", "guide_money": "Money",
        "guide_changes": "When documents change",
        "cost": "Cost",
        "cost_note": "Of the answers to dev and test {questions}, as first paid; training and "
        "tuning include the rows that a row builds on. Prices are those of tailor.toml, else of "
        "{date}.",
        "n_answers": "Answers", "input": "Input tokens", "output": "Output tokens",
        "answers_usd": "Answers, USD", "per_1000": "1,000 {questions}", "judge": "Judge",
        "training": "Training time", "training_usd": "Training", "total": "Total",
        "worst": "The worst answers",
        "worst_note": "The {shown} lowest scores of {row}, of {n} {questions} below 100%.{diff}",
        "worst_diff": " Words that {base} said and {row} did not are struck through, new ones are "
        "underlined.",
        "all_right": "Every scored answer of {row} is right.",
        "expected": "Expected:",
        "not_said": "the documents do not say",
        "sources": "Passages given:",
        "evidence": "evidence",
        "not_shown": "no room in the prompt",
        "no_passages": "no passages",
        "same": "the same",
        "stale": "These rows are out of date and count for nothing here until they are run again:",
        "stale_benchmark": "the benchmark changed since the run",
        "stale_documents": "the documents changed since the run",
        "stale_metrics": "the metrics changed since the run",
        "incomplete": "Not complete:",
        "measured": "How it was measured",
        "made": "Report made", "benchmark": "Benchmark digest", "task": "Task",
        "questions": "Number of {questions}", "generation": "Index generation", "metric": "Score",
        "metric_version": "Metric version", "folder": "Workspace",
        "statistics": "Statistics",
        "statistics_how": "95% intervals by seeded resampling, the same at every call; questions "
        "about one document are drawn together. A row is better or worse where the interval of the "
        "paired difference excludes 0 and p, adjusted for all steps (Holm), is below 0.05; a tie "
        "where the interval lies within {margin} points.",
        "run": "Run", "fingerprint": "Fingerprint", "started": "Started", "seeds": "Seeds",
        "versions": "Versions", "row": "Row", "model": "Model", "score": "Score (95%)",
        "state": "State", "holds": "holds", "fewer": "{done} of {total} {questions} asked",
        "to": " to ",
        "ok": "answered", "error": "error",
        "refused_long": "says the documents do not say",
        "unparseable_long": "not in the wanted form", "not_asked": "not asked",
        "better": "better", "worse": "worse", "unscored": "not scored in both",
        "paid": "Did each step pay?",
        "pair": "{candidate} against {base} on {n} {questions}: {step}.",
        "counts": "▲ {better} better, ▼ {worse} worse, {same} the same, {unscored} not scored in "
        "both.",
        "hidden": "Not shown, as their score is the same: {count} {questions}; --all shows them.",
        "errors": "How far off, and how often close",
        "errors_note": "The mean absolute error of each row with its 95% interval (shorter is "
        "better), and its numbers by grade.",
        "grades_rule": "Good: off by less than {good} or {good_share}. Fair: by less than {fair} "
        "or {fair_share}. Poor: by more.",
        "grade_good": "good",
        "grade_fair": "fair",
        "grade_poor": "poor",
        "grade_none": "none",
        "mean_error": "Mean error",
        "grades": "Grades",
        "estimates": "Each estimate against the truth",
        "estimates_note": "One mark for each item; on the dashed diagonal the estimate is right, "
        "above it too high. Marks beyond the edge stand on it.",
        "truth_axis": "true number",
        "items_axis": "items",
        "running": "The error as items are added",
        "running_note": "The mean error of the first items, in the order of the file, with its 95% "
        "band: where the line still moves, more items would tell more.",
        "by_band": "The error by size of the true number",
        "cut_note": "Bars end at {end}, {times} times the best constant's error: a longer one is "
        "cut (→), and its number tells how far it goes.",
        "by_band_note": "Bands are quarters of the train items. Rows that are good on average "
        "may fail on dear items.",
        "band_all": "all",
        "band_below": "below {high}",
        "band_from": "{low} or more",
        "band": "{low} to {high}",
        "confusion": "Which labels are mixed up",
        "confusion_note": "Of {row}: each line is a true label, each column the label that was "
        "given. The diagonal is right; the stronger the colour, the larger the share of the line.",
        "label": "Label",
        "precision": "Precision",
        "recall": "Recall",
        "f1": "F1",
    },
    "vi": {
        "title": "Kỹ thuật nào đáng dùng?",
        "subtitle": "{workspace} · {n} {questions} của tập {split} · {date}",
        "verdict": "Kết luận",
        "bars": "Điểm theo từng dòng",
        "bars_note": "Tỷ lệ từ đúng (F1) trên {n} câu hỏi của tập {split}. Vạch trên mỗi thanh là "
        "khoảng tin cậy 95%: với những câu hỏi khác cùng loại, điểm nhiều khả năng nằm trong đó.",
        "bars_note_number": "Mức giảm sai số so với hằng số tốt nhất trên {n} mục của tập {split}; "
        "dưới 0% là kém hơn hằng số. Vạch trên mỗi thanh là khoảng tin cậy 95%.",
        "bars_note_label": "Độ chính xác: tỷ lệ trong {n} mục của tập {split} được gán đúng nhãn; "
        "mục không được gán nhãn tính là sai. Vạch trên mỗi thanh là khoảng tin cậy 95%.",
        "tradeoff": "Điểm cao hơn thì tốn bao nhiêu",
        "by_cost": "Điểm so với chi phí",
        "by_latency": "Điểm so với thời gian",
        "cost_axis": "USD cho 1.000 {questions}",
        "latency_axis": "số giây trung vị từ {question} đến câu trả lời",
        "frontier": "Đường nét đứt nối các dòng không bị dòng nào hơn ở cả hai mặt: dòng nằm "
        "ngoài đường này đều kém một dòng khác không đòi hỏi nhiều hơn.",
        "cost_equal": "Mọi dòng đều tốn như nhau ({cost} cho 1.000 {questions}), nên chi phí không "
        "giúp lựa chọn.",
        "cost_unknown": "Chưa biết giá của dòng nào: hãy ghi giá vào tailor.toml.",
        "all_rows": "Tất cả các dòng",
        "all_rows_note": "Dòng thắng (★) được chọn trên các {questions} dev, điểm số tính trên các "
        "{questions} {split}. Chênh lệch được tính theo từng {question}; khoảng tin cậy đúng cho "
        "riêng từng bước.",
        "answered": "Các câu trả lời kết thúc ra sao", "metrics": "Mọi thước đo, trung bình",
        "measure": "Thước đo",
        "changes": "Mỗi bước thay đổi những gì",
        "changes_note": "Chỉ các thiết lập khác với dòng trước.",
        "from": "dựa trên {row}",
        "root": "bắt đầu từ mô hình gốc",
        "no_change": "không có gì khác",
        "setting": "Thiết lập", "before": "trước", "after": "sau",
        "none": "không có",
        "slices_tag": "Theo nhãn",
        "slices_lang": "Theo ngôn ngữ",
        "slices_note": "Nhiều nhất sáu dòng có điểm cao nhất. Phần có ít {questions} (chữ nhạt) có "
        "khoảng tin cậy rộng, chưa nói lên nhiều.",
        "slice": "Phần",
        "cause": "Nguyên nhân",
        "why": "Vì sao trả lời sai",
        "why_note": "Mắt xích đầu tiên bị đứt trên đường từ tài liệu đến câu trả lời.",
        "guide": "Khi nào dùng kỹ thuật nào",
        "guide_data": "Dữ liệu", "guide_hardware": "Phần cứng", "guide_money": "Chi phí",
        "guide_changes": "Khi tài liệu thay đổi",
        "cost": "Chi phí",
        "cost_note": "Tính cho các {questions} của tập dev và test, theo lần trả tiền đầu tiên; "
        "huấn luyện và tinh chỉnh gồm cả các dòng mà dòng đó dựa vào. Giá lấy từ tailor.toml, nếu "
        "không có thì theo bảng giá ngày {date}.",
        "n_answers": "Câu trả lời", "input": "Token đầu vào", "output": "Token đầu ra",
        "answers_usd": "Câu trả lời, USD", "per_1000": "1.000 {questions}", "judge": "Mô hình chấm",
        "training": "Thời gian huấn luyện", "training_usd": "Huấn luyện", "total": "Tổng",
        "worst": "Những câu trả lời kém nhất",
        "worst_note": "{shown} điểm thấp nhất của {row}, trong {n} {questions} dưới 100%.{diff}",
        "worst_diff": " Từ mà {base} nói còn {row} không nói thì bị gạch ngang, từ mới thì được "
        "gạch chân.",
        "all_right": "Mọi câu trả lời chấm được của {row} đều đúng.",
        "expected": "Đáp án:",
        "not_said": "tài liệu không nói đến",
        "sources": "Các đoạn được đưa vào:",
        "evidence": "bằng chứng",
        "not_shown": "hết chỗ trong lời nhắc",
        "no_passages": "không có đoạn nào",
        "same": "như nhau",
        "stale": "Các dòng sau đã cũ và không được tính ở đây cho đến khi chạy lại:",
        "stale_benchmark": "bộ câu hỏi đã thay đổi sau lần chạy",
        "stale_documents": "tài liệu đã thay đổi sau lần chạy",
        "stale_metrics": "cách chấm điểm đã thay đổi sau lần chạy",
        "incomplete": "Chưa chạy xong:",
        "measured": "Đo như thế nào",
        "made": "Lập báo cáo lúc", "benchmark": "Mã bộ câu hỏi", "task": "Loại bài",
        "questions": "Số {questions}", "generation": "Thế hệ chỉ mục", "metric": "Điểm",
        "metric_version": "Phiên bản cách chấm", "folder": "Thư mục",
        "statistics": "Thống kê",
        "statistics_how": "Khoảng tin cậy 95% bằng lấy mẫu lại với hạt giống cố định, lần nào cũng "
        "như nhau; các câu hỏi về cùng một tài liệu được lấy cùng nhau. Một dòng tốt hơn hoặc kém "
        "hơn khi khoảng của chênh lệch theo cặp không chứa 0 và p, đã điều chỉnh cho mọi bước "
        "(Holm), nhỏ hơn 0,05; ngang nhau khi khoảng đó nằm trong phạm vi {margin} điểm phần trăm.",
        "run": "Lần chạy", "fingerprint": "Dấu vân tay", "started": "Bắt đầu", "seeds": "Hạt giống",
        "versions": "Phiên bản", "row": "Dòng", "model": "Mô hình", "score": "Điểm (95%)",
        "state": "Trạng thái", "holds": "còn giá trị",
        "fewer": "đã hỏi {done} trên {total} {questions}",
        "to": " đến ",
        "ok": "đã trả lời", "error": "lỗi",
        "refused_long": "trả lời rằng tài liệu không nói đến",
        "unparseable_long": "không đúng dạng yêu cầu", "not_asked": "chưa hỏi",
        "better": "tốt hơn", "worse": "kém hơn", "unscored": "chưa chấm được ở cả hai",
        "paid": "Từng bước có đáng không?",
        "pair": "{candidate} so với {base} trên {n} {questions}: {step}.",
        "counts": "▲ {better} tốt hơn, ▼ {worse} kém hơn, {same} như nhau, {unscored} chưa chấm "
        "được ở cả hai.",
        "hidden": "Không hiện {count} {questions} không đổi điểm; dùng --all để hiện.",
        "errors": "Lệch bao nhiêu, và gần đúng bao nhiêu lần",
        "errors_note": "Sai số tuyệt đối trung bình của mỗi dòng kèm khoảng tin cậy 95% (ngắn "
        "hơn là tốt hơn), và các con số theo mức.",
        "grades_rule": "Tốt: lệch dưới {good} hoặc {good_share}. Khá: dưới {fair} hoặc "
        "{fair_share}. Kém: lệch hơn thế.",
        "grade_good": "tốt",
        "grade_fair": "khá",
        "grade_poor": "kém",
        "grade_none": "không có",
        "mean_error": "Sai số trung bình",
        "grades": "Các mức",
        "estimates": "Từng ước lượng so với giá trị thật",
        "estimates_note": "Mỗi dấu là một mục; nằm trên đường chéo nét đứt là đúng, phía trên là "
        "cao hơn thật. Dấu vượt ra ngoài được vẽ ở mép.",
        "truth_axis": "giá trị thật",
        "items_axis": "số mục",
        "running": "Sai số khi thêm dần các mục",
        "running_note": "Sai số trung bình của những mục đầu, theo thứ tự trong tệp, kèm dải "
        "95%: đường còn dao động thì nên có thêm mục.",
        "by_band": "Sai số theo độ lớn của giá trị thật",
        "cut_note": "Cột chỉ vẽ đến {end}, gấp {times} lần sai số của hằng số tốt nhất: cột dài "
        "hơn bị cắt (→), con số bên cạnh cho biết giá trị.",
        "by_band_note": "Các khoảng là bốn phần bằng nhau của tập train. Dòng tốt về trung bình "
        "vẫn có thể sai nhiều ở mục giá trị lớn.",
        "band_all": "tất cả",
        "band_below": "dưới {high}",
        "band_from": "từ {low}",
        "band": "{low} đến {high}",
        "confusion": "Nhãn nào bị nhầm",
        "confusion_note": "Của {row}: mỗi hàng là nhãn thật, mỗi cột là nhãn được gán. Đường "
        "chéo là đúng; màu càng đậm thì tỷ lệ trong hàng càng lớn.",
        "label": "Nhãn",
        "precision": "Độ chuẩn xác",
        "recall": "Độ phủ",
        "f1": "Điểm F1",
    },
}  # fmt: skip
"""Whole sentences by key; both languages have the same keys and placeholders."""
