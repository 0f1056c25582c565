import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailor.scoring.overlap import bleu, chrf, rouge1, rouge2, rouge_l
from tailor.scoring.tokens import tokens

ALL = (rouge1, rouge2, rouge_l, bleu, chrf)
sentences = st.lists(
    st.sampled_from("nhân nhẫn nhan viên nghỉ phép 12 1.940 1,940 ngày the days".split()),
    min_size=2,
    max_size=9,
).map(" ".join)


def test_known_values():
    # police killed the gunman | police kill the gunman (Lin 2004), without the article
    assert rouge1("police kill gunman", ["police killed gunman"]) == pytest.approx(2 / 3)
    assert rouge2("police kill gunman", ["police killed gunman"]) == 0
    # the longest common sequence of a b c d | b a c d has three words
    assert rouge_l("one two three four", ["two one three four"]) == pytest.approx(0.75)
    assert rouge2("one two three four", ["two one three four"]) == pytest.approx(1 / 3)
    # bigrams to 4-grams: precisions 4/4, 1/3, and smoothed 1/(2*2), 1/(4*1)
    expected = (1 * (1 / 3) * (1 / 4) * (1 / 4)) ** (1 / 4)
    assert bleu("one two three four", ["two one three four"]) == pytest.approx(expected)


def test_chrf_is_that_of_sacrebleu():
    from sacrebleu import sentence_chrf

    text, answer = "nghỉ phép có lương", "nghỉ phép hằng năm có lương"
    assert chrf(text, [answer]) == pytest.approx(sentence_chrf(text, [answer]).score / 100)
    assert 0.5 < chrf(text, [answer]) < 1


@pytest.mark.parametrize("metric", ALL)
def test_wrong_accents_do_not_score_like_right_ones(metric):
    right, wrong = "nhân viên được nghỉ phép", "nhẫn viện đuọc nghĩ phèp"
    assert metric(right, [right]) == 1
    assert metric(wrong, [right]) < 0.25
    assert metric(wrong, [right], folded=True) == 1


def test_the_usual_tokenizer_would_not_see_them():
    from rouge_score.rouge_scorer import RougeScorer

    usual = RougeScorer(["rougeL"]).score("nhân viên được nghỉ phép", "nhẫn viện đuọc nghĩ phèp")
    assert usual["rougeL"].fmeasure > 0.85


@settings(deadline=None)
@given(sentences, sentences)
def test_rouge_is_that_of_rouge_score(text, answer):
    from rouge_score.rouge_scorer import RougeScorer

    class Tokens:
        def tokenize(self, text):
            return tokens(text, False)

    usual = RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=Tokens()).score(answer, text)
    names = {"rouge1": rouge1, "rouge2": rouge2, "rougeL": rouge_l}
    for name, metric in names.items():
        if metric is not rouge2 or len(tokens(answer, False)) > 1:
            assert metric(text, [answer]) == pytest.approx(usual[name].fmeasure, abs=1e-12)


@pytest.mark.parametrize("metric", ALL)
def test_numbers_are_numbers_and_alternatives_count(metric):
    assert metric("1.940 EUR", ["1,940 €"]) == metric("8,5 %", ["8.5 percent"]) == 1
    assert metric("about 12 days", ["a dozen days", "about 12 days"]) == 1
    assert metric("14 ngày", ["12 ngày"]) < 0.75


def test_nothing_in_common_and_nothing_there():
    for metric in ALL:
        assert metric("one two", ["three four"]) < 0.2
        assert metric("", ["three four"]) == 0
    assert rouge2("yes", ["yes"]) is None
    assert rouge2("", ["yes", "yes it is"]) == 0


@settings(deadline=None)
@given(sentences, st.lists(sentences, min_size=1, max_size=3), st.booleans())
def test_between_0_and_1_whatever_the_form(text, accepted, folded):
    for metric in ALL:
        value = metric(text, accepted, folded)
        assert value is None or 0 <= value <= 1
        assert metric(text, [*accepted, text], folded) == 1 or metric is rouge2
        decomposed = unicodedata.normalize("NFD", text)
        assert metric(decomposed, accepted[::-1], folded) == value
