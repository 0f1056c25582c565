"""What is said of served questions, in English and Vietnamese."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tailor.monitoring.relevance import EXPECTED
from tailor.scoring import format

if TYPE_CHECKING:
    from tailor.monitoring.monitored import Monitored
    from tailor.monitoring.online import Measure
    from tailor.monitoring.retrained import Proposal
    from tailor.monitoring.traffic import Traffic
    from tailor.scoring.statistics import Interval

SHOWN = 5
"""Questions of a topic that are shown."""

COLUMNS = ("day", "questions", "refused", "unparseable", "errors", "p50", "p95", "cost")

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "day": "Day",
        "all": "All",
        "questions": "Questions",
        "refused": "Refused",
        "unparseable": "Unparseable",
        "errors": "Errors",
        "p50": "Median time",
        "p95": "95% within",
        "cost": "Cost",
        "measure": "Measure",
        "benchmark": "Benchmark",
        "online": "Served",
        "liked": "Liked by those who said so",
        "score": "Score",
        "refused_share": "Refused",
        "error": "Errors",
        "differs": "differs",
        "share": "{mean} ({low} to {high}; n = {n})",
        "last": "Retrieval, drift, topics and measures are told of the last {read} of {all} "
        "questions.",
        "weak": "Weak retrieval: {share} of the served questions, where 5% are usual: the "
        "passages shown hold few of their words.",
        "drifted": "Drift: {share} of the served questions are unlike anything in the benchmark, "
        "where 5% are usual. Add some of them to the benchmark, then run `tailor retrain`.",
        "stable": "No drift: {share} of the served questions are unlike anything in the "
        "benchmark, where about 5% are usual.",
        "few": "Too few questions to tell whether they drift from the benchmark.",
        "better": "Proposed: serve {best} in place of {served}. On the {n} test questions it is "
        "better by {delta} points ({low} to {high}).",
        "same": "What is served, {served}, is the best row still.",
        "not_better": "Keep {served}: the best row by dev, {best}, is not better on the {n} test "
        "questions ({delta} points, {low} to {high}).",
        "undecided": "Keep {served}: the {n} test questions do not tell whether {best} is better "
        "({delta} points, {low} to {high}).",
        "nothing": "Keep {served}: no test question is scored for both it and {best}.",
    },
    "vi": {
        "day": "Ngày",
        "all": "Tất cả",
        "questions": "Câu hỏi",
        "refused": "Từ chối",
        "unparseable": "Không đọc được",
        "errors": "Lỗi",
        "p50": "Thời gian trung vị",
        "p95": "95% trong vòng",
        "cost": "Chi phí",
        "measure": "Số đo",
        "benchmark": "Bộ câu hỏi",
        "online": "Đã phục vụ",
        "liked": "Được thích, trong số có ý kiến",
        "score": "Điểm",
        "refused_share": "Từ chối",
        "error": "Lỗi",
        "differs": "khác nhau",
        "share": "{mean} ({low} đến {high}; n = {n})",
        "last": "Tìm kiếm, trôi dạt, chủ đề và các thước đo được tính trên {read} câu hỏi gần nhất "
        "trong số {all} câu.",
        "weak": "Tìm kiếm yếu: {share} số câu hỏi đã phục vụ, trong khi thường là 5%: các đoạn "
        "được đưa ra chứa ít từ của câu hỏi.",
        "drifted": "Trôi dạt: {share} số câu hỏi đã phục vụ không giống câu nào trong bộ câu hỏi, "
        "trong khi thường là 5%. Hãy thêm một số câu vào bộ câu hỏi rồi chạy `tailor retrain`.",
        "stable": "Không trôi dạt: {share} số câu hỏi đã phục vụ không giống câu nào trong bộ câu "
        "hỏi, thường là khoảng 5%.",
        "few": "Quá ít câu hỏi để biết chúng có trôi dạt khỏi bộ câu hỏi hay không.",
        "better": "Đề xuất: phục vụ {best} thay cho {served}. Trên {n} câu hỏi test, nó hơn "
        "{delta} điểm phần trăm ({low} đến {high}).",
        "same": "Dòng đang phục vụ, {served}, vẫn là tốt nhất.",
        "not_better": "Giữ {served}: dòng tốt nhất theo dev, {best}, không tốt hơn trên {n} câu "
        "hỏi test ({delta} điểm phần trăm, {low} đến {high}).",
        "undecided": "Giữ {served}: {n} câu hỏi test chưa cho biết {best} có tốt hơn không "
        "({delta} điểm phần trăm, {low} đến {high}).",
        "nothing": "Giữ {served}: không có câu hỏi test nào được chấm cho cả nó và {best}.",
    },
}


def traffic(day: Traffic, lang: str) -> tuple[str, ...]:
    """A line of the table of days, under ``COLUMNS``."""
    return (
        day.day or WORDS[lang]["all"],
        *(format.count(n, lang) for n in (day.questions, day.refused, day.unparseable, day.errors)),
        format.seconds(day.p50, lang),
        format.seconds(day.p95, lang),
        format.usd(day.cost_usd, lang),
    )


def measure(one: Measure, lang: str) -> tuple[str, str, str, str]:
    """A line of the table of measures: name, benchmark, served, and whether they differ."""
    words = WORDS[lang]
    name = words["refused_share" if one.name == "refused" else one.name]
    told = interval(one.benchmark, lang), interval(one.online, lang)
    return name, *told, words["differs"] if one.differs else ""


def interval(found: Interval | None, lang: str) -> str:
    """A share with its 95% interval and how many it is of."""
    if found is None:
        return "–"
    return WORDS[lang]["share"].format(
        mean=format.percent(found.mean, lang),
        low=format.percent(found.low, lang),
        high=format.percent(found.high, lang),
        n=format.count(found.n, lang),
    )


def sentences(found: Monitored, lang: str) -> Iterator[tuple[bool, str]]:
    """Of how many; weak retrieval; drift: each with whether it is more than is to be expected."""
    words = WORDS[lang]
    if len(found.served) < found.all.questions:
        counts = (format.count(n, lang) for n in (len(found.served), found.all.questions))
        yield False, words["last"].format(**dict(zip(("read", "all"), counts, strict=True)))
    weak = found.retrieved.weak if found.retrieved else None
    if weak is not None:
        yield weak.low > EXPECTED, words["weak"].format(share=interval(weak, lang))
    if found.drift is not None:
        far = found.drift.far
        kind = "few" if far is None else "drifted" if found.drift.drifted else "stable"
        yield kind == "drifted", words[kind].format(share=interval(far, lang))


def proposal(found: Proposal, lang: str) -> str:
    """What is proposed, a sentence."""
    step = found.step
    kind = found.reason if step is not None or found.reason == "same" else "nothing"
    values = {"served": found.served[0], "best": found.best[0]}
    if step is not None:
        low, high = step["ci95"]
        values |= {
            "n": format.count(step["n"], lang),
            "delta": format.points(step["delta"], lang),
            "low": format.points(low, lang),
            "high": format.points(high, lang),
        }
    return WORDS[lang][kind].format(**values)
