"""Bytes to text: the old Vietnamese encodings, others, and what cannot be read."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailor.documents.document import document
from tailor.documents.readers import vietnamese
from tailor.documents.readers.decoding import decode
from tailor.documents.refusal import Refused

SENTENCE = "Nhân viên được nghỉ phép mười hai ngày mỗi năm. Ở kho lạnh phải đội mũ ấm."
LETTERS = "áàảãạăắằẳẵặâấầẩẫậéèẻẽẹêếềểễệíìỉĩịóòỏõọôốồổỗộơớờởỡợúùủũụưứừửữựýỳỷỹỵđ"

# As `iconv -t TCVN5712-1` and `iconv -t VISCII` write LETTERS and then LETTERS.upper().
TCVN_LETTERS = bytes.fromhex(
    "b8b5b6b7b9a8bebbbcbdc6a9cac7c8c9cbd0cccecfd1aad5d2d3d4d6ddd7d8dcdee3dfe1e2e4abe8e5e6e7e9"
    "acedeaebeceef3eff1f2f4adf8f5f6f7f9fdfafbfcfeae8380818284a1c0afbabf85a2c4c1c2c3868a878889"
    "8ba3dac5cdd98c908d8e8f919592939496a4ffdbe0f097a59b98999a9c019d9e9f02a6110405061216131415"
    "17a7"
)
VISCII_LETTERS = bytes.fromhex(
    "e1e0e4e3d5e5a1a2c6c7a3e2a4a5a6e7a7e9e8eba8a9eaaaabacadaeedecefeeb8f3f2f6f5f7f4afb0b1b2b5"
    "bdbeb6b7defefaf9fcfbf8dfd1d7d8e6f1fdcfd6dbdcf0c1c0c4c380c58182020583c28485860687c9c8cb88"
    "89ca8a8b8c8d8ecdcc9bce98d3d299a09ad48f90919293b4959697b394dad99c9d9ebfbabbbcffb9dd9f1419"
    "1ed0"
)


def windows_1258(text: str) -> bytes:
    """It writes the five tone marks behind their vowels."""
    out = ""
    for letter in text:
        marks = unicodedata.normalize("NFD", letter)
        tone = [mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"]
        vowel = unicodedata.normalize("NFC", "".join(m for m in marks if m not in tone))
        out += vowel + "".join(tone)
    return out.encode("cp1258")


def written(text: str, letters: bytes) -> bytes:
    """The text in a one-byte encoding, given as its bytes of all letters, small then capital."""
    table = dict(zip(LETTERS + LETTERS.upper(), letters, strict=True))
    return bytes(table[c] if c in table else ord(c) for c in text)


@pytest.mark.parametrize(
    ("encoding", "letters"), [("TCVN3", TCVN_LETTERS), ("VISCII", VISCII_LETTERS)]
)
def test_all_letters_of_the_one_byte_encodings(encoding: str, letters: bytes) -> None:
    text = f"{SENTENCE}\n{LETTERS}\n{LETTERS.upper()}"
    found, note = decode(written(text, letters))
    assert found == text
    assert encoding in note
    assert "(Vietnamese) by its spelling" in note


def test_windows_1258_with_all_letters() -> None:
    text = f"{SENTENCE}\n{LETTERS}\n{LETTERS.upper()}"
    assert decode(windows_1258(text)) == (text, decode(windows_1258(SENTENCE))[1])
    assert "windows-1258" in decode(windows_1258(text))[1]


SYLLABLES = (
    "nghỉ phép lương thưởng quyết định được người lao động hợp đồng khách hàng bảo hành nguyễn "
    "thuỷ khuỷu giường quýt xoáy huyện yếu ướt ngoằn uống kho lạnh cửa hàng"
).split()


@given(st.lists(st.sampled_from(SYLLABLES), min_size=4, max_size=30))
def test_round_trips(syllables: list[str]) -> None:
    text = " ".join([*syllables, "được", "lương"])
    for content in (
        written(text, TCVN_LETTERS),
        written(text, VISCII_LETTERS),
        windows_1258(text),
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
        unicodedata.normalize("NFD", text).encode(),
    ):
        assert decode(content)[0] == text


def test_capitals_of_tcvn3_fonts() -> None:
    typed = "CéNG HOµ X· HéI CHñ NGHÜA VIÖT NAM\n§éc lËp - Tù do - H¹nh phóc\n“Hµ Néi” – TP. VINH"
    meant = "CỘNG HOÀ XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc\n“Hà Nội” – TP. VINH"
    found, note = decode(typed.encode("cp1252"))
    assert found == meant
    assert "TCVN3" in note


def test_vni() -> None:
    typed = "COÄNG HOØA XAÕ HOÄI CHUÛ NGHÓA VIEÄT NAM\nÑöôøng Nguyeãn Thò Minh Khai, nhöõng ngöôøi"
    meant = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐường Nguyễn Thị Minh Khai, những người"
    found, note = decode(typed.encode("cp1252"))
    assert found == meant
    assert "VNI" in note


def test_unicode_that_was_typed_for_such_fonts_is_put_right() -> None:
    typed = "Quy chÕ l­¬ng th­ëng\n\nNg­êi lao ®éng ®­îc nghØ phÐp m­êi hai ngµy mçi n¨m.\nCafé đúng"
    found = document(typed.encode(), "quy-che.txt")
    assert found.text == (
        "Quy chế lương thưởng\n\nNgười lao động được nghỉ phép mười hai ngày mỗi năm.\nCafé đúng"
    )
    assert found.note == "typed for TCVN3 fonts (Vietnamese); put right by its spelling"
    assert found.language == "vi"


@pytest.mark.parametrize(
    "text",
    [
        "Crème brûlée à la carte, déjà vu où ça va là-bas dès l’été",
        "Die Kündigungsfrist beträgt für größere Büros vier Wochen",
        "El niño está aquí; mañana más",
        "Trần Bình, 3 µm ± 5 %, © 2026, café",
        "Smørrebrød på bordet, være gærne",
    ],
)
def test_other_texts_are_not_taken_for_old_fonts(text: str) -> None:
    assert vietnamese.fonts(text) == ""


@pytest.mark.parametrize("word", "được thuỷ quyển giường nghiêng ướt y gì".split())
def test_syllables(word: str) -> None:
    assert vietnamese.is_syllable(word)


@pytest.mark.parametrize("word", "été für bẹ́ cộngg mạtt kacà họṕ cãp Müller".split())
def test_no_syllables(word: str) -> None:
    assert not vietnamese.is_syllable(word)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Die Kündigungsfrist beträgt vier Wochen. Größe"),
        ("cp1252", "Señor Núñez, ¿cómo está usted mañana?"),
        ("cp1252", "Ação não é permitida às crianças"),
        ("cp1252", "The price is 5 €"),
        ("cp1250", "Umowa została zawarta w dniu dzisiejszym, strony ustaliły zażółć gęślą jaźń."),
        ("cp1251", "Договор поставки между сторонами вступает в силу"),
        ("koi8-r", "Договор поставки между сторонами вступает в силу с момента подписания"),
        ("shift_jis", "契約は署名の日から効力を生じるものとする。本契約の条項"),
        ("gbk", "本合同自双方签字之日起生效，任何一方不得擅自变更"),
        ("iso2022_jp", "契約は署名の日から"),
    ],
)
def test_other_encodings_are_read_and_said(encoding: str, text: str) -> None:
    found, note = decode(text.encode(encoding))
    assert found == text
    assert "read as" in note


def test_a_declared_encoding_counts_where_it_fits() -> None:
    text = "Καλημέρα"
    assert decode(text.encode("iso8859-7"), "iso-8859-7") == (text, "")
    assert decode(text.encode(), "iso-8859-7") == (text, "")
    assert decode("Café".encode("cp1252"), "no-such-encoding")[0] == "Café"


def test_files_that_grew_together() -> None:
    new, old = "Điều 1. Người lao động", "Điều 2. Thời giờ làm việc được quy định"
    found, note = decode(new.encode() + b"\n" + windows_1258(old) + b"\n" + new.encode())
    assert found == f"{new}\n{old}\n{new}"
    assert "line 2 was read as windows-1258" in note


def test_a_mark_of_utf16_amid_a_line_joins_no_lines() -> None:
    line = "Tạm ứng tối đa 10.000.000 đồng mỗi ".encode()
    torn = line + b"\xfe\xff\xc6\xb0" + line + b"\n" + line[:-4] + b"\xe1&\x1d=\x90y\x9a\x8e "
    with pytest.raises(Refused, match="not decodable"):
        decode(line + b"\n" + torn)


def test_damage_is_said_and_limited() -> None:
    text = "Điều khoản hợp đồng. " * 40
    found, note = decode(text.encode()[:-5])
    assert text.startswith(found)
    assert note == "" or "cut off" in note
    cut, note = decode("Điều khoản hợp đồ".encode()[:-1])
    assert (cut, note) == ("Điều khoản hợp đ", "UTF-8, cut off in the middle of the last character")
    broken = text.encode()[:300] + b"\n\xff" + text.encode()
    found, note = decode(broken)
    assert found.count("\ufffd") == 1
    assert "1 byte is broken" in note
    assert "line 2" in note


def test_utf8_that_was_garbled_is_put_right() -> None:
    garbled = SENTENCE.encode().decode("latin-1")
    assert decode(garbled.encode()) == (
        SENTENCE,
        "UTF-8 that had been read as Windows-1252 and saved again; put right",
    )
    assert decode("Price list – 1986â\x80\x931990, â€œquotedâ€\x9d".encode())[0] == (
        "Price list – 1986–1990, “quoted”"
    )
    assert decode("Â is a letter, Ã too; façade".encode()) == ("Â is a letter, Ã too; façade", "")


def test_lost_letters_are_said() -> None:
    assert "2 letters are lost" in decode("Ngh\ufffd ph\ufffdp".encode())[1]


@pytest.mark.parametrize(
    "content",
    [bytes(range(256)) * 20, b"\x00\x01\x02\x03" * 9, b"\x01\x02\x03\x04abc" * 50],
)
def test_binary_data_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match=r"binary data|not decodable"):
        decode(content)


@given(st.binary(max_size=300))
def test_any_bytes_give_text_or_a_refusal(content: bytes) -> None:
    try:
        text, _ = decode(content)
    except Refused:
        return
    assert unicodedata.is_normalized("NFC", text)


@given(st.text(max_size=200))
def test_utf8_stays_as_it_is_apart_from_its_normal_form(text: str) -> None:
    try:
        found, note = decode(text.encode("utf-8", "ignore"))
    except Refused:
        return
    if not note:
        assert found == unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode())
