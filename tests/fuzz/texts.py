"""Texts in the formats that are text, which use what their formats have."""

TEXT = (
    "Nhân viên mới được nghỉ phép mười hai ngày mỗi năm. New employees get 12 days of leave; "
    "requests go to Ms Alvarez. Giá thuê: 1.480.000 đồng."
)
HTML = (
    "<!doctype html><!-- hidden --><meta charset='utf-8'><title>FAQ</title><style>p{}</style>"
    "<nav><ul><li><a href=/>Home</a></li></ul></nav><main><h1>FAQ</h1><div><h2>Returns</h2>"
    "Within <b>14</b> days.<br>Unused.</div><ul><li>One<ol start=3><li>Two</ol></li></ul>"
    "<dl><dt>Box</dt><dd>A thing</dd></dl><script>alert(1)</script><pre>x  y</pre>"
    "<table><caption>Rates</caption><tr><th rowspan=2>Box</th><th colspan=2>Rent</th></tr>"
    f"<tr><td>A|B</td><td>5 €</td></tr></table><p>{TEXT}</p></main>"
)
VALUE = {
    "title": "Devices",
    "address": {"city": "Đà Nẵng", "open": True},
    "tags": ["cold", "box", TEXT],
    "devices": [{"name": "A", "price": 12.0, "parts": [{"id": 1}]}, {"name": "B", "x": None}],
}
NOTEBOOK = {
    "metadata": {"kernelspec": {"language": "r"}},
    "cells": [
        {"cell_type": "markdown", "source": ["# Giá thuê\n", "Theo tháng."]},
        {
            "cell_type": "code",
            "source": "print(5)",
            "outputs": [
                {"output_type": "stream", "text": ["5\n"]},
                {"output_type": "execute_result", "data": {"text/plain": "<Figure size 1>"}},
                {"output_type": "error", "ename": "KeyError", "evalue": "'x'"},
            ],
        },
        {"cell_type": "heading", "level": 2, "source": "Next"},
    ],
    "nbformat": 4,
}
RTF = (
    rb"{\rtf1\ansi\ansicpg1252\uc1{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset163 Arial;}"
    rb"{\f2\fcharset2 Symbol;}}{\stylesheet{\s1 heading 1;}{\s0 Normal;}}"
    rb"{\info{\author Nobody}}{\header M\u227? s\u7889? QT-05\par}"
    rb"\pard\s1 Ngh\u7881? ph\'e9p\par\pard\plain\f1 M\'fd\'f5\'cci hai ng\'e0y\f0 , \u-10179?"
    rb"\u-8704?.\par{\*\generator Secret;}{\v hidden}{\pard{\listtext\f2\'b7\tab}First\par}"
    rb"{\upr{ansi}{\*\ud{Second}}}\line half{\footnote A note.}\par}",
    rb"{\rtf1\ansi\trowd\intbl Site\cell\intbl Staff\cell\row\trowd\intbl Hu\u7871 ?\cell"
    rb"\intbl 9\par two\cell\row\pard After {\pict\bin4 }{\\}it.\par}",
)
MARKDOWN = (
    "---\ntitle: Leave\ntags: [a, b]\nlist:\n  - x\n---\n# Leave\n\n## Carry-over {#top}\n\n"
    "Up to **5 days**, see [it](http://x.example 'y').\n\n```python\n# no heading\n```\n\n"
    "Paid\n====\n\n<!-- no -->12 days `<b>` <b>bold</b>.\n\n| Box | Rent |\n|---|---:|\n| A | 5 |\n"
    "\n<table><tr><td>x</td><td>y</td></tr></table>\n\n![](data:image/png;base64,AAAA)\n"
)
MDX = (
    "---\nid: start\n---\nimport Tabs from '@theme/Tabs';\nimport {A,\n  B} from 'x';\n\n"
    "export const meta = {\n  hidden: true\n};\n\n# Start\n\n{/* hidden */}\n:::tip[Good to know]\n"
    'Use it.\n:::\n\n<Tabs>\n<TabItem value="mac" label="macOS" style={{color: "red"}}>\n\n'
    '</TabItem>\n</Tabs>\n<Code title="Example">{`# no heading\nprint(1)`}</Code>\n'
    "<Picture src={plan} alt='The floor plan' />\n"
)
RST = """\
=============
Leave policy
=============

:Author: Marlen HR

.. |company| replace:: Marlen Cold Chain
.. _top:

Welcome to |company|, see `the intranet <https://in.example>`_ and :ref:`the rules <rules>`.

.. note:: Up to **5 days**.
   More on request.

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

.. [1] A footnote

Mail::

    as it is
"""
VTT = (
    "WEBVTT\n\nNOTE made by a program\n\n1\n00:00:01.000 --> 00:00:04.000 align:start\n"
    "<v Bình>Chào cả nhà.</v>\n\n00:00:07.500 --> 00:00:09.000\n<v Chi><i>Vâng.</i></v>\n\n"
    "01:02:03.000 --> 01:02:05.000\nFirst half\nof it\n"
)
XML = (
    "<?xml version='1.0'?><items><item id='1'><name>Box</name><price cur='EUR'>5</price></item>"
    "<item id='2'><name>Hộp</name><price cur='EUR'>7</price><!-- no --></item></items>",
    '<?mso-application progid="Excel.Sheet"?><Workbook xmlns="urn:x" xmlns:ss="urn:x">'
    '<Worksheet ss:Name="Giá"><Table><Row><Cell><Data>Item</Data></Cell><Cell><Data>Price</Data>'
    '</Cell></Row><Row><Cell><Data>Box</Data></Cell><Cell ss:Index="3"><Data>5</Data></Cell></Row>'
    "</Table></Worksheet></Workbook>",
    '<w:wordDocument xmlns:w="urn:w"><w:body><w:p><w:r><w:t>Hợp </w:t></w:r><w:r><w:t>đồng</w:t>'
    "</w:r></w:p><w:p><w:r><w:t>Điều 1</w:t></w:r></w:p></w:body></w:wordDocument>",
    "<article><title>Leave</title><section><title>Paid</title><para>12 <b>days</b>.</para>"
    "<![CDATA[raw & text]]></section></article>",
)
