"""Markdown, MDX, reStructuredText, HTML, XML, JSON, tables and notebooks as people read them."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path

import pytest

from tailor.documents.document import Document, document
from tailor.documents.refusal import Refused


def read(name: str, content: str | bytes) -> Document:
    return document(content.encode() if isinstance(content, str) else content, name)


def places(found: Document) -> dict[str, str]:
    return {place.name: found.text[place.start : place.end] for place in found.places}


def refusal(name: str, content: str | bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        read(name, content)
    return caught.value


def test_front_matter_reads_as_names_and_values() -> None:
    text = (
        '---\ntitle: "Leave policy"\ntags:\n  - hr\n  - leave\nowner: [An, Bình]\n'
        "# a remark\ndraft:\n---\n# Leave {#top}\n\n12 days.\n"
    )
    assert places(read("leave.md", text)) == {
        "": "title: Leave policy\ntags: hr, leave\nowner: An, Bình",
        "Leave": "# Leave {#top}\n\n12 days.",
    }
    toml = '+++\ntitle = "Leave"\n+++\nText.'
    assert read("leave.md", toml).text == "title: Leave\n\nText."
    assert read("rule.md", "---\n\nA rule above.\n\n---\n").text.startswith("---")


def test_markdown_has_no_comments_tags_and_pictures() -> None:
    text = (
        "# Rent\n<!-- ## Old heading\nhidden -->\n<div align='center'><h3>Boxes</h3>\n"
        "One<br>two, <b>bold</b> &amp; <your-name>; `<b>code</b>` and a < b.\n</div>\n"
        f"![plan](data:image/png;base64,{base64.b64encode(bytes(99)).decode()})\n\n"
        "<table>\n<tr><th>Box</th><th>Rent</th></tr>\n<tr><td>A</td><td>5 €</td></tr>\n</table>\n\n"
        "```html\n<div>kept</div>\n<!-- kept -->\n```\n"
    )
    found = read("rent.md", text).text
    for gone in ("hidden", "Old heading", "<div align", "<br>", "base64", "<td>"):
        assert gone not in found
    for kept in (
        "### Boxes",
        "One\ntwo, bold & <your-name>; `<b>code</b>` and a < b.",
        "| Box | Rent |\n| A | 5 € |",
        "```html\n<div>kept</div>\n<!-- kept -->\n```",
    ):
        assert kept in found


def test_mdx_keeps_what_is_said() -> None:
    text = (
        "---\nid: start\n---\nimport Tabs from '@theme/Tabs';\nimport {A,\n  B} from 'x';\n\n"
        "export const meta = {\n  hidden: true\n};\n\n# Start\n\n{/* hidden */}\n"
        ":::tip[Good to know]\nUse it.\n:::\n\n"
        '<Tabs>\n<TabItem value="mac" label="macOS" style={{color: "red"}}>\n\n'
        "```python\nimport os  # <Tabs> stays\n```\n\n</TabItem>\n</Tabs>\n"
        '<Code title="Example">{`# no heading\nprint(1)`}</Code>\n'
        "<Picture src={plan} alt='The floor plan' />\n"
    )
    found = places(read("start.mdx", text))
    assert list(found) == ["", "Start"]
    said = found["Start"]
    for gone in ("@theme", "hidden", "TabItem", "<Code", "style=", "src="):
        assert gone not in said
    for kept in (
        "Tip: Good to know\nUse it.",
        "macOS",
        "import os  # <Tabs> stays",
        "```\n# no heading\nprint(1)\n```",
        "The floor plan",
    ):
        assert kept in said


def test_open_comments_and_code_lose_nothing() -> None:
    assert (
        read("a.md", "Before <!-- never closed\n\nafter").text
        == "Before <!-- never closed\n\nafter"
    )
    assert read("a.md", "A tick ` alone\n\n<b>bold</b>").text == "A tick ` alone\n\nbold"
    assert "# not a heading" in read("a.md", "```\n# not a heading").text


RST = """\
=============
Leave policy
=============

:Author: Marlen HR

.. |company| replace:: Marlen Cold Chain
.. _top:

Welcome to |company|, see `the intranet <https://in.example>`_ and :ref:`the rules <rules>`.

Carry-over
==========

.. note:: Up to **5 days**.
   More on request.

.. a comment
   that is hidden

.. code-block:: python
   :linenos:

   # no heading

+-------+--------+
| City  | Night  |
+=======+========+
| Hà    | 1.100  |
| Nội   |        |
+-------+--------+

Sick leave
----------

=====  ======
Day    Paid
=====  ======
1      all of
       it
=====  ======

.. list-table:: Rates
   :header-rows: 1

   * - Box
     - Rent
   * - A
     - 5 €

.. csv-table::
   :header: "Name", "Days"

   "An, Bình", 12

.. include:: /etc/passwd

Mail::

    as it is

.. figure:: plan.png
   :alt: The floor plan

   Where the boxes stand.
"""


def test_rst() -> None:
    found = places(read("leave.rst", RST))
    assert list(found) == [
        "Leave policy",
        "Leave policy > Carry-over",
        "Leave policy > Carry-over > Sick leave",
    ]
    assert found["Leave policy"] == (
        "Leave policy\n\nAuthor: Marlen HR\n\n"
        "Welcome to Marlen Cold Chain, see the intranet (https://in.example) and the rules."
    )
    carry = found["Leave policy > Carry-over"]
    assert "Note: Up to **5 days**.\nMore on request." in carry
    assert "# no heading" in carry
    assert "hidden" not in carry
    assert "linenos" not in carry
    assert "| City | Night |\n| Hà Nội | 1.100 |" in carry
    sick = found["Leave policy > Carry-over > Sick leave"]
    assert "| Day | Paid |\n| 1 | all of it |" in sick
    assert "Rates\n| Box | Rent |\n| A | 5 € |" in sick
    assert "| Name | Days |\n| An, Bình | 12 |" in sick
    assert "Mail:\n\n    as it is" in sick
    assert "The floor plan" in sick
    assert "Where the boxes stand." in sick
    assert "passwd" not in sick
    assert "::" not in sick


def test_html_without_menus_and_forms() -> None:
    html = (
        "<title>FAQ – Marlen</title><body><header><a href=/>Marlen</a></header>"
        "<nav><ul><li><a>Home</a></li><li><a>Blog</a></li></ul></nav>"
        "<div class='left sidebar'><a>Other page</a> <a>Another page</a></div>"
        "<main><h1>FAQ</h1><p hidden>secret</p><p style='display: none'>unseen</p>"
        "<ol start=3><li>Ask<ul><li>twice</li></ul></li><li>Wait</li></ol>"
        "<dl><dt>SLA</dt><dd>Service level</dd></dl>"
        "<form>Name <select><option>A</option></select><button>Send</button></form>"
        "<table><tr><th>City</th><th>Box</th><th>Rent</th></tr>"
        "<tr><td rowspan=2>Huế</td><td>A</td><td>5</td></tr><tr><td>B</td><td>6</td></tr>"
        "<tr><td colspan=2>all</td><td>11</td></tr></table></main>"
        "<footer>Imprint</footer><script>alert(1)</script></body>"
    )
    assert read("faq.html", html).text == (
        "FAQ – Marlen\n\nFAQ\n\n3. Ask\n  - twice\n4. Wait\n\nSLA: Service level\n\nName\n\n"
        "| City | Box | Rent |\n| Huế | A | 5 |\n| Huế | B | 6 |\n| all |  | 11 |"
    )


def test_html_that_is_all_menu_or_layout_is_still_read() -> None:
    assert read("a.html", "<nav><ul><li><a>Lương</a></li></ul></nav>").text == "- Lương"
    layout = "<table><tr><td><h2>Left</h2>One</td><td><ul><li>Two</li></ul></td></tr></table>"
    assert read("a.html", layout).text == "Left\n\nOne\n\n- Two"


def test_xml_records() -> None:
    xml = (
        '<?xml version="1.0" encoding="windows-1252"?><!-- hidden --><catalog xmlns="urn:x">'
        '<owner mail="a@x">Caf\xe9</owner><book id="1"><title>One</title><price>5</price></book>'
        '<book id="2"><title>Two</title><note>&lt;p&gt;Good&lt;/p&gt;</note></book></catalog>'
    )
    assert places(read("catalog.xml", xml.encode("cp1252"))) == {
        "": "owner: Café\nowner.mail: a@x",
        "book": "id: 1\ntitle: One\nprice: 5\n\nid: 2\ntitle: Two\nnote: Good",
    }


def test_xml_documents() -> None:
    xml = (
        "<article><title>Leave</title><para>Up to <emphasis>5</emphasis> days.</para>"
        "<section><title>Sick</title><para>All paid.</para>"
        "<table><row><c>A</c><c>B</c></row></table></section></article>"
    )
    assert places(read("leave.xml", xml)) == {
        "Leave": "Leave\n\nUp to 5 days.",
        "Leave > Sick": "Sick\n\nAll paid.\n\n| A | B |",
    }


def test_much_white_space_in_xml_is_read_at_once() -> None:
    """Looking for the declaration took the square of it: hours."""
    assert read("a.xml", f"<a><b>text{chr(10) * 1_000_000}more</b></a>").text == "b: text more"


def test_hostile_xml_reads_no_file_and_does_not_grow(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the canary")
    xml = (
        f"<!DOCTYPE a [<!ENTITY x SYSTEM '{secret.as_uri()}'><!ENTITY firm 'Marlen'>]>"
        "<a><b>&x;</b><c>from &firm;, here</c></a>"
    )
    found = read("a.xml", xml)
    assert found.text == "c: from Marlen, here"
    assert "left out" in found.note
    outside = f"<!DOCTYPE a SYSTEM '{secret.as_uri()}'><a><b>text</b></a>"
    assert read("a.xml", outside).text == "b: text"
    laughs = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 12))
    bomb = f"<!DOCTYPE a [<!ENTITY l0 'lol'>{laughs}]><a><b>&l11;</b><c>x</c></a>"
    with contextlib.suppress(Refused):
        assert read("a.xml", bomb).text == "c: x"


def test_broken_xml() -> None:
    assert "not XML" in refusal("a.xml", "<a><b>text</a>").reason
    assert "not XML" in refusal("a.xml", "<a>" * 5000 + "deep").reason
    mended = read("a.xml", "<a><b>Tea&nbsp;time</b><c>yes</c></a>")
    assert "c: yes" in mended.text
    assert "not quite XML" in mended.note


def test_json_leaves_out_vectors_and_data() -> None:
    value = {
        "text": "<p>Hà&nbsp;Nội<br>is <b>here</b></p>",
        "vector": [0.5] * 1536,
        "photo": base64.b64encode(bytes(900)).decode(),
        "sizes": [1, 2],
    }
    assert read("a.json", json.dumps(value)).text == (
        "text: Hà Nội\nis here\nvector: (1,536 numbers)\nphoto: (1,200 characters of data)\n"
        "sizes: 1, 2"
    )


def test_json_values_one_after_another() -> None:
    assert read("a.json", '{"a": 1}\n{\n "a": 2\n}\n').text == "a: 1\n\na: 2"
    assert "not JSON" in refusal("a.json", '{"a": 1}\n{"a": ').reason
    assert "nested" in refusal("a.json", "[" * 20_000 + "]" * 20_000).reason


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.csv", "sep=;\nName;Site\nAn, Bình;Kho\nChi;Hue\n", "Name: An, Bình; Site: Kho"),
        ("a.csv", "Name|Site\nAn|Kho\nChi|Hue\n", "Name: An; Site: Kho"),
        ("a.csv", "Tea, green\nCoffee\nWater\nMilk\n", "Tea, green\nCoffee\nWater\nMilk"),
        ("a.csv", 'Name,Note\nAn,"two\nlines"\n', "Name: An; Note: two lines"),
    ],
)
def test_tables(name: str, text: str, expected: str) -> None:
    assert read(name, text).text.startswith(expected)


def test_a_quotation_mark_that_is_never_closed_swallows_nothing() -> None:
    rows = "".join(f"Box {n},{n} inch\n" for n in range(300))
    found = read("a.csv", f'Box,Size\nOdd,"5 inch\n{rows}')
    assert "Box: Box 299; Size: 299 inch" in found.text
    assert "never closed" in found.note


def test_notebook() -> None:
    notebook = {
        "metadata": {"kernelspec": {"language": "r"}},
        "cells": [
            {"cell_type": "markdown", "source": ["# Giá thuê\n", "Theo tháng."]},
            {
                "cell_type": "code",
                "source": "print(5)",
                "outputs": [
                    {"output_type": "stream", "text": ["5\n"]},
                    {"output_type": "display_data", "data": {"image/png": "AAAA"}},
                    {"output_type": "execute_result", "data": {"text/plain": "<Figure size 1>"}},
                    {"output_type": "error", "ename": "KeyError", "evalue": "'x'"},
                    {"output_type": "stream", "text": "long " * 5000},
                ],
            },
            {"cell_type": "markdown", "source": "## Next"},
        ],
        "nbformat": 4,
    }
    found = places(read("rent.ipynb", json.dumps(notebook)))
    assert list(found) == ["Giá thuê", "Giá thuê > Next"]
    first = found["Giá thuê"]
    assert "```r\nprint(5)\n```\nOutput:\n```\n5\n```\nOutput:\n```\nKeyError: 'x'" in first
    assert "(of 25,000 characters)" in first
    assert "AAAA" not in first
    assert "Figure" not in first
    assert "not a notebook" in refusal("a.ipynb", "[1]").reason


@pytest.mark.parametrize("name", ["a.yaml", "a.toml", "a.ini", "a.properties", "a.log"])
def test_settings_are_read_as_they_are(name: str) -> None:
    assert read(name, "limit: 5\n# the reason\n").text == "limit: 5\n# the reason"


@pytest.mark.parametrize(
    "piece", ["<dl><dt>a<dd>", "<ul><li>a", "<table><tr><td>a", "<div><b>a", "<blockquote>a"]
)
def test_html_nested_without_end_is_read_once(piece: str) -> None:
    found = read("a.html", piece * 60).text
    assert "a" in found
    assert found.count("a") < 70


def test_subtitles_of_a_meeting() -> None:
    vtt = (
        "WEBVTT\n\nNOTE made by a program\n\n1\n00:00:01.000 --> 00:00:04.000 align:start\n"
        "<v Bình>Chào cả nhà.</v>\n\n00:00:04.000 --> 00:00:06.000\n<v Bình>Ta bắt đầu.</v>\n\n"
        "00:00:07.500 --> 00:00:09.000\n<v Chi><i>Vâng.</i></v>\n\n"
        "01:02:03.000 --> 01:02:05.000\nFirst half\nof it\n"
    )
    assert places(read("hop.vtt", vtt)) == {
        "00:00:01": "Bình: Chào cả nhà. Ta bắt đầu.\nChi: Vâng.",
        "01:02:03": "First half of it",
    }
    srt = "1\r\n00:00:01,000 --> 00:00:02,000\r\nAn: Xong.\r\n"
    assert read("hop.srt", srt).text == "An: Xong."
    assert "no times" in refusal("hop.srt", "no subtitles").reason


def test_office_documents_saved_as_xml() -> None:
    sheet = (
        '<?mso-application progid="Excel.Sheet"?><Workbook xmlns="urn:x" xmlns:ss="urn:x">'
        '<Worksheet ss:Name="Giá"><Table><Row><Cell><Data>Item</Data></Cell>'
        "<Cell><Data>Note</Data></Cell><Cell><Data>Price</Data></Cell></Row>"
        '<Row><Cell><Data>Box</Data></Cell><Cell ss:Index="3"><Data>5</Data></Cell></Row>'
        "</Table></Worksheet></Workbook>"
    )
    assert places(read("a.xml", sheet)) == {"sheet Giá": "Item: Box; Price: 5"}
    word = (
        '<w:wordDocument xmlns:w="urn:w"><w:body><w:p><w:r><w:t>Hợp </w:t></w:r><w:r><w:t>đồng'
        "</w:t></w:r></w:p><w:p><w:r><w:t>Điều 1</w:t></w:r></w:p></w:body></w:wordDocument>"
    )
    assert read("a.xml", word).text == "Hợp đồng\n\nĐiều 1"
    assert read("a.xml", "<html><body><p>Not closed<br>at all</body></html>").text == (
        "Not closed\nat all"
    )
