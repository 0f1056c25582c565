"""Rows to import: from CSV, JSON, JSONL and XLSX files, and from Hugging Face datasets."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tailor.errors import TailorError, UsageError

Row = dict[str, Any]
Numbered = tuple[int, Row]
"""The number of a line or an entry, from 1, with its values by column."""

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".xlsx")
_HUB = re.compile(r"[\w.-]+(/[\w.-]+)?")


def rows(
    source: str,
    revision: str | None = None,
    config: str | None = None,
    hub_split: str | None = None,
    named: bool = False,
) -> Iterator[Numbered]:
    """The rows of a file, of a folder with a dataset, or of a dataset on the Hugging Face Hub.

    With ``named`` the classes of a dataset are given by their names, not their numbers.

    Raises:
        TailorError: it is not there or cannot be read; the sentence names the line where one is
            broken.
        UsageError: it is none of these.
    """
    path = Path(os.path.expanduser(source))
    if path.is_dir():
        return _dataset(str(path), None, config, hub_split, named)
    if path.is_file():
        return _file(path)
    if path.suffix.lower() in SUFFIXES or ("/" not in source and path.suffix):
        raise TailorError(f"There is no file {path}; see to its path.")
    if _HUB.fullmatch(source):
        return _dataset(source, revision, config, hub_split, named)
    raise UsageError(
        f"{source} is no file, no folder and no dataset's name: name one of "
        f"{', '.join(SUFFIXES)}, a folder, or owner/name on the Hugging Face Hub."
    )


def _file(path: Path) -> Iterator[Numbered]:
    suffix = path.suffix.lower()
    if suffix == ".xlsx":
        return _xlsx(path)
    if suffix not in SUFFIXES:
        raise UsageError(f"{path} is not one of {', '.join(SUFFIXES)}.")
    from tailor.documents.readers.decoding import decode
    from tailor.documents.refusal import Refused

    try:
        text, _ = decode(path.read_bytes())
    except OSError as error:
        raise TailorError(f"{path} cannot be read ({error.strerror}).") from None
    except Refused as error:
        raise TailorError(f"{path} cannot be read: {error}.") from None
    if suffix in (".csv", ".tsv"):
        return _csv(path, text)
    return _jsonl(path, text) if suffix != ".json" else _json(path, text)


def _csv(path: Path, text: str) -> Iterator[Numbered]:
    from tailor.documents.readers.csv import delimiter_of

    csv.field_size_limit(1 << 30)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else delimiter_of(text) or ","
    lines = io.StringIO(text.lstrip("\ufeff"), newline="")
    reader = csv.DictReader(lines, delimiter=delimiter, strict=True)
    number = 0  # of the last line that was understood
    try:
        for row in reader:
            extra = row.pop(None, None)
            if extra:
                raise TailorError(
                    f"{path}:{reader.line_num}: more cells than columns; quote texts that hold a "
                    f"{delimiter!r}."
                )
            number = reader.line_num
            yield number, {str(k).strip(): v or "" for k, v in row.items()}
    except csv.Error as error:
        raise TailorError(
            f"{path}:{number + 1}: not CSV from here on ({error}); see to the quotation marks."
        ) from None


def _jsonl(path: Path, text: str) -> Iterator[Numbered]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise TailorError(f"{path}:{number}: not JSON ({error}); mend that line.") from None
        if not isinstance(value, dict):
            raise TailorError(f"{path}:{number}: not a JSON object; write one entry a line.")
        yield number, value


def _json(path: Path, text: str) -> Iterator[Numbered]:
    """A list of entries, wherever it stands: alone, or under ``data`` as in SQuAD's files."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        if "\n" in text.strip() and text.lstrip().startswith("{") and error.msg == "Extra data":
            return _jsonl(path, text)
        raise TailorError(f"{path}:{error.lineno}: not JSON ({error.msg}).") from None
    except RecursionError:
        raise TailorError(f"{path} is nested too deeply to be read.") from None
    except ValueError as error:  # a number of thousands of digits
        raise TailorError(f"{path} cannot be read ({error}).") from None
    if isinstance(value, dict):
        lists = [inner for inner in value.values() if isinstance(inner, list)]
        value = value.get("data", lists[0] if len(lists) == 1 else [value])
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise TailorError(f"{path} holds no list of entries; see the forms that import reads.")
    return iter(enumerate(value, 1))


def _xlsx(path: Path) -> Iterator[Numbered]:
    from openpyxl import load_workbook

    from tailor.documents.readers.archive import opened

    try:
        book = load_workbook(opened(path.read_bytes()), read_only=True, data_only=True)
    except Exception as error:  # over a damaged one the library raises about anything
        raise TailorError(f"{path} is not an XLSX file ({error}).") from None
    try:
        names: list[str] = []
        lines = book.worksheets[0].iter_rows(values_only=True) if book.worksheets else ()
        for number, cells in enumerate(lines, 1):
            if not any(cell is not None for cell in cells):
                continue
            if not names:
                names = [str(cell).strip() if cell is not None else "" for cell in cells]
                continue
            values = ("" if cell is None else cell for cell in cells)
            yield number, {n: c for n, c in zip(names, values, strict=False) if n}
    except Exception as error:  # its sheets are read only now, with the same range of errors
        raise TailorError(f"{path} is damaged: its first sheet cannot be read ({error}).") from None
    finally:
        book.close()


def _dataset(
    name: str, revision: str | None, config: str | None, split: str | None, named: bool
) -> Iterator[Numbered]:
    import datasets

    datasets.disable_progress_bars()
    if Path(name).is_dir():
        _stays(Path(name))
    try:
        if (Path(name) / "state.json").exists() or (Path(name) / "dataset_dict.json").exists():
            loaded = datasets.load_from_disk(name)
        else:
            loaded = datasets.load_dataset(name, config, revision=revision)
    except Exception as error:  # the library's own errors are of a dozen kinds
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise TailorError(
            f"The dataset {name} cannot be loaded ({reason}); see to its name, --revision and "
            "--config, and to the network."
        ) from None
    parts = loaded if isinstance(loaded, dict) else {split or "": loaded}
    if split and split not in parts:
        raise UsageError(f"{name} has no split {split!r}; it has {', '.join(parts)}.")
    number = 0
    for part, table in parts.items():
        if split in (None, part):
            kinds = (table.features or {}) if named else {}
            names = {c: k for c, k in kinds.items() if isinstance(k, datasets.ClassLabel)}
            for entry in table:
                number += 1
                # -1 is a class that is not told.
                told = {c: k.int2str(entry[c]) for c, k in names.items() if (entry[c] or 0) >= 0}
                yield number, {**({"split": part} if part else {}), **entry, **told}


def _stays(folder: Path) -> None:
    """Refuse a folder whose card sends the reader elsewhere: to an address, or out of the folder.

    Raises:
        TailorError: it does.
    """
    from huggingface_hub import metadata_load

    card, other = folder / "README.md", folder / ".huggingface.yaml"
    told: Any = None
    try:
        told = (metadata_load(card) or {}).get("configs") if card.is_file() else None
    except Exception:  # whatever is wrong with it, the library tells
        return
    text = json.dumps(told, default=str) + (other.read_text("utf-8") if other.is_file() else "")
    if re.search(r'://|::|\.\./|"[/~]|: */', text):
        raise TailorError(
            f"{folder} names data files elsewhere in its {card.name if told else other.name}, "
            "which are not fetched: put the files into the folder, and their names there."
        )
