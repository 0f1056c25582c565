from dataclasses import replace

from tailor.assistant import Answer
from tailor.scoring.comparison import compare

LARGE = "openai:gpt-5-mini"


def test_the_shipped_models_scores_are_told_from_a_larger_models(ladder, run):
    shipped = ladder(4, 8, 10, 36)
    english, vietnamese = (compare(shipped).caution(lang) for lang in ("en", "vi"))
    assert "do not tell what a larger model would reach" in english
    assert "không cho biết mô hình lớn hơn sẽ đạt bao nhiêu" in vietnamese
    large = [run("few_shot", 8, model=LARGE)]
    assert compare(large).caution() == ""
    assert compare([*shipped, *large]).caution() == ""


def test_rows_that_asked_no_model_get_no_caution(run):
    assert compare([run("baseline", 8, answer=Answer("ok", "yes", seconds=0.1))]).caution() == ""


def test_the_caution_names_the_best_search_on_todays_documents(ladder):
    def recall(row, found):
        interval = replace(row.primary, mean=found)
        return replace(row, metrics={**row.metrics, "recall@5": interval})

    comparison = compare(ladder(4, 8, 10, 36))
    first, second, third, last = comparison.rows
    rows = (first, recall(second, 0.8), recall(third, 0.7), replace(recall(last, 0.9), stale="old"))
    told = replace(comparison, rows=rows).caution("vi")
    assert f"Recall@5 của {second.row} là 80,0%." in told
