"""Running text around the facts: fillers, mail and minutes frames, paths and places in files."""

from __future__ import annotations

FILLERS: dict[str, tuple[str, ...]] = {
    "en": (
        "Please read this page carefully before you start.",
        "Questions are welcome at any time.",
        "This page was last edited by the office team.",
        "The text below replaces earlier versions.",
        "{c} wants its documents to be easy to understand.",
        "If something is unclear, ask your manager first.",
        "We thank everyone who helped to collect these details.",
        "More information can be found on the intranet.",
        "The rules were discussed with all departments.",
        "Customers value quick and friendly help.",
        "Changes will be announced in good time.",
        "A printed copy hangs next to the notice board.",
        "At {c} we learn from our mistakes.",
        "The following points have been agreed.",
        "Everyone is asked to follow these notes.",
        "Some details may still change during the year.",
        "Please keep this document confidential.",
        "The weather did not help during the first weeks.",
        "Our customers come from many different places.",
        "Since the move, work has become much calmer.",
        "Nothing else was decided on that day.",
        "Forms are kept in the usual folder.",
        "It is important that nobody is left out.",
        "The old arrangement no longer applies.",
        "A short summary follows.",
        "Further training is offered to all who are interested.",
        "As always, safety comes first at {c}.",
        "Photos of the day can be found in the shared folder.",
        "The list is updated whenever something changes.",
        "Please do not forward this message outside {c}.",
        "Staff were told about this in the last meeting.",
        "Exceptions have to be explained in writing.",
        "We look forward to working together.",
        "Older files have been moved to the archive.",
        "Suppliers have been informed as well.",
    ),
    "vi": (
        "Vui lòng đọc kỹ trang này trước khi bắt đầu.",
        "Mọi câu hỏi đều được hoan nghênh.",
        "Trang này do bộ phận hành chính cập nhật lần cuối.",
        "Nội dung dưới đây thay thế các bản trước.",
        "{c} mong muốn tài liệu của mình dễ hiểu.",
        "Nếu có điều gì chưa rõ, hãy hỏi quản lý của bạn trước.",
        "Xin cảm ơn tất cả những người đã góp thông tin.",
        "Thông tin thêm có trên mạng nội bộ.",
        "Các quy định đã được bàn với mọi phòng ban.",
        "Khách hàng đánh giá cao sự giúp đỡ nhanh chóng và thân thiện.",
        "Mọi thay đổi sẽ được thông báo kịp thời.",
        "Bản in được treo cạnh bảng tin.",
        "Tại {c}, chúng tôi học từ sai sót của mình.",
        "Các điểm sau đây đã được thống nhất.",
        "Mọi người cần thực hiện theo các ghi chú này.",
        "Một số chi tiết có thể còn thay đổi trong năm.",
        "Xin giữ kín tài liệu này.",
        "Thời tiết không thuận lợi trong những tuần đầu.",
        "Khách hàng của chúng tôi đến từ nhiều nơi khác nhau.",
        "Từ khi chuyển chỗ, công việc yên ổn hơn nhiều.",
        "Hôm đó không quyết định thêm điều gì.",
        "Biểu mẫu được để trong thư mục quen thuộc.",
        "Điều quan trọng là không ai bị bỏ sót.",
        "Cách làm cũ không còn được áp dụng.",
        "Sau đây là tóm tắt ngắn.",
        "Những ai quan tâm đều được học thêm.",
        "Như mọi khi, an toàn là trên hết tại {c}.",
        "Ảnh của ngày hôm đó có trong thư mục chung.",
        "Danh sách được cập nhật mỗi khi có thay đổi.",
        "Xin không chuyển tiếp thư này ra ngoài {c}.",
        "Nhân viên đã được thông báo trong cuộc họp trước.",
        "Trường hợp ngoại lệ phải được giải thích bằng văn bản.",
        "Chúng tôi mong được hợp tác cùng các bạn.",
        "Hồ sơ cũ đã được chuyển vào kho lưu trữ.",
        "Các nhà cung cấp cũng đã được báo tin.",
    ),
}

BOILERPLATE: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "mail": (
            "From: {a}\nTo: {b}\nSubject: {subject}\n\nHi {b},\n{body}\nBest, {a}",
            "From: {a}\nSubject: {subject}\n\nDear all,\n\n{body}\n\nKind regards\n{a}",
            "Subject: Re: {subject}\n\nHello {b}, here is what you asked for. {body} – {a}",
        ),
        "minutes": (
            "Minutes of {date}\nPresent: {who}\n{body}",
            "# Meeting, {date}\n\nAttendees: {who}\n\n{body}",
            "Notes from the meeting with {who}:\n{body}",
        ),
    },
    "vi": {
        "mail": (
            "Từ: {a}\nĐến: {b}\nTiêu đề: {subject}\n\nChào {b},\n{body}\nThân mến, {a}",
            "Người gửi: {a}\nChủ đề: {subject}\n\nKính gửi anh chị,\n\n{body}\n\nTrân trọng\n{a}",
            "Tiêu đề: Trả lời: {subject}\n\nChào {b}, đây là thông tin bạn hỏi. {body} – {a}",
        ),
        "minutes": (
            "Biên bản họp {date}\nThành phần: {who}\n{body}",
            "# Cuộc họp, {date}\n\nNgười tham dự: {who}\n\n{body}",
            "Ghi chép buổi họp với {who}:\n{body}",
        ),
    },
}

FOLDERS: dict[str, tuple[str, ...]] = {
    "en": tuple(
        "hr prices products it finance legal sales policies handbook mail minutes projects "
        "facilities support contracts training events notes warehouse marketing hr/2026 "
        "docs/general it/security".split()
    ),
    "vi": tuple(
        "nhan-su bang-gia san-pham cntt tai-chinh phap-che kinh-doanh quy-dinh so-tay thu bien-ban "
        "du-an hanh-chinh ho-tro hop-dong dao-tao su-kien ghi-chu kho tiep-thi tai-lieu/chung "
        "hr vi/policies".split()
    ),
}
STEMS: dict[str, tuple[str, ...]] = {
    "en": tuple(
        "overview faq 2026 list guide rules summary notes contacts price-list staff welcome "
        "handbook details report-q3 onboarding leave-policy returns locations terms catalogue "
        "2025-11-04 announcement update inventory plan manual".split()
    ),
    "vi": tuple(
        "tong-quan hoi-dap 2026 danh-sach huong-dan noi-quy tom-tat ghi-chu lien-he bang-gia "
        "nhan-vien chao-mung so-tay chi-tiet bao-cao-quy-3 nghi-phep doi-tra dia-diem dieu-khoan "
        "danh-muc 2025-11-04 thong-bao cap-nhat kiem-ke ke-hoach".split()
    ),
}
PLACES_IN: dict[str, tuple[str, ...]] = {
    "en": (
        "page {n}", "sheet {n}", "{name}", "Overview > {name}", "slide {n}", "Details",
        "{name} > Details", "sheet EUR", "page {n}, {name}", "General > {name}", "rows {n}-40",
    ),
    "vi": (
        "trang {n}", "bảng {n}", "{name}", "Tổng quan > {name}", "page {n}", "Chi tiết",
        "{name} > Chi tiết", "sheet VND", "mục {n}", "Chung > {name}", "sheet {n}",
    ),
}  # fmt: skip
