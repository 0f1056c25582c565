"""Secrets and personal data: what is found, what is left alone, what is shown."""

from __future__ import annotations

import pytest

from tailor.documents.sensitive import masked, sensitive

FOUND = [
    ("Wi-Fi password: BlueHeron2024", "password"),
    ("Mật khẩu: Kho@2024x", "password"),
    ("Mật khẩu: Tr$ung2025", "password"),
    ("password: hunter2secret!", "password"),
    ("| Wi-Fi password | Kho-Lanh#88 |", "password"),
    ("**Password:** `s3cretPw9`", "password"),
    ("postgres://app:hunter2x@db.acme.vn/x", "password"),
    ("api_key=9fJ2kLm3Np4Qr5St6Uv7", "token"),
    ("OPENAI_API_KEY=sk-proj-a8f7sd6f87a6sdf876asdf", "api_key"),
    ("key AKIAIOSFODNN7ABCDEFG here", "api_key"),
    ("SĐT: 0912 345 678", "phone"),
    ("Gọi 0912.345.678", "phone"),
    ("Gọi +84 912 345 679", "phone"),
    ("Anh Bình 0987654321", "phone"),
    ("ĐT: (028) 3822 1234", "phone"),
    ("+49 30 901820", "phone"),
    ("Call (650) 273-5591", "phone"),
    ("Số CCCD: 079185001234", "identity"),
    ("079185001234", "identity"),
    ("CMND 271828459", "identity"),
    ("SSN 219-09-9999", "identity"),
    ("Passport C1827364", "identity"),
    ("STK 0071001234567 Vietcombank", "bank_account"),
    ("IBAN DE89 3704 0044 0532 0130 00", "iban"),
    ("GB29NWBK60161331926819", "iban"),
    ("Visa 4539 1488 0343 6467", "card"),
    ("nguyen.van.a@acme.vn", "email"),
]

LEFT_ALONE = [
    "password: <your-password>",
    'password = os.environ["X"]',
    "password: required",
    "The password is changed every 90 days.",
    "Mật khẩu là chuỗi có ít nhất 8 ký tự",
    "api_key=OPENAI_API_KEY_2",
    "token: string",
    "sk-your-key-goes-here-1234567890",
    "AKIAIOSFODNN7EXAMPLE",
    "tel 555-1234",
    "Hotline 1900 1234",
    "MST: 0312345678",
    "Call Bob at 212-555-9876",
    "1-844-891-3044",
    "4111 1111 1111 1111",
    "4539 1488 0343 6468",
    "DE88 3704 0044 0532 0130 00",
    "https://support.zoom.us/hc/articles/4414472693133-Getting-Started",
    "info@acme.vn, people-ops@acme.vn, no-reply@acme.vn",
    "you@example.com",
    "icon@2x.png",
    "git@github.com:acme/x.git",
    "Invoice 2024-03-15-00123, total 12.345.678 VND",
    "0.912345678",
    "2026-11-20 08:30",
    "Quyết định số 0123/2024/QĐ-BLĐ",
    "192.168.100.200",
    "ISBN 978-3-16-148410-0",
]


@pytest.mark.parametrize(("text", "kind"), FOUND)
def test_what_is_found(text: str, kind: str) -> None:
    assert [item.kind for item in sensitive(f"Before.\n{text}\n")] == [kind]
    (item,) = sensitive(f"Before.\n{text}\n")
    assert item.line == 2


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_is_left_alone(text: str) -> None:
    assert sensitive(text) == ()


@pytest.mark.parametrize(("text", "kind"), FOUND)
def test_nothing_is_shown_whole(text: str, kind: str) -> None:
    (item,) = sensitive(text)
    value = text[item.start : item.end]
    assert value not in item.shown
    assert len(set(item.shown) & set("0123456789")) <= 4 or kind in ("token", "api_key")
    shown = masked(f"x {text} y")
    assert value not in shown
    assert sensitive(shown) == ()


def test_a_private_key_over_several_lines() -> None:
    body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n" * 3
    text = f"# Key\n\n-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----\n"
    (item,) = sensitive(text)
    assert (item.kind, item.line) == ("private_key", 3)
    assert "MIIE" not in masked(text)


def test_places_and_order() -> None:
    text = "a@b.vn and 0912 345 678\nthen c.d@b.vn\n"
    found = sensitive(text)
    assert [(item.kind, item.line) for item in found] == [("email", 1), ("phone", 1), ("email", 2)]
    assert [text[item.start : item.end] for item in found] == ["a@b.vn", "0912 345 678", "c.d@b.vn"]
