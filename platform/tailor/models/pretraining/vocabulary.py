"""Word lists of the synthetic companies; ``english|vietnamese`` pairs where both exist."""

from __future__ import annotations

from typing import NamedTuple


class Said(NamedTuple):
    """The same thing in English and in Vietnamese."""

    en: str
    vi: str

    def into(self, language: str) -> str:
        """The wording in ``"en"`` or ``"vi"``."""
        return self.vi if language == "vi" else self.en


def _pairs(text: str) -> tuple[Said, ...]:
    return tuple(
        Said(*(side.strip() for side in pair.split("|")))
        for pair in text.replace("\n", " ").split(";")
        if pair.strip()
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.replace("\n", " ").split(";") if word.strip())


ONSETS = tuple(
    "b br c ch cl cr d dr f fl fr g gl gr h j k kl l m n p pl pr qu r s sh sk sl sp st t th tr "
    "v w y z".split()
)
NUCLEI = tuple("a e i o u ae ai ea ee ia io oa ou y".split())
CODAS = ("", "", "", "n", "r", "l", "s", "m", "x", "nd", "rt", "st", "ck", "th", "ng", "sh", "v")

FIRST_NAMES = tuple(
    "Anna Ben Carla David Elena Farid Grace Hugo Ines Jonas Kira Liam Maya Noah Olga Peter Quinn "
    "Rosa Sam Tara Uma Victor Wendy Xavier Yara Zoe Priya Arjun Mei Chen Kenji Yuki Omar Layla "
    "Ivan Nadia Marco Lucia Pierre Claire Ahmed Sofia Lars Emma Oscar Ruth Paul Helen Ravi Greta "
    "Tom Alice Henry Julia Daniel Sarah Martin Laura James Kate Robert Eva Felix Nora".split()
)
LAST_NAMES = tuple(
    "Smith Brown Weber Fischer Rossi Silva Costa Novak Kowalski Larsen Hansen Dubois Moreau "
    "Garcia Lopez Kim Park Tanaka Sato Wang Singh Patel Khan Ali Haddad Okafor Mensah Murphy "
    "Walsh Clark Evans Turner Baker Fox Stone Bennett Reed Cole Marsh Doyle".split()
)
VI_FAMILY = tuple(
    "Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đinh Mai Trịnh "
    "Tạ".split()
)
VI_MIDDLE = tuple("Văn Thị Minh Thanh Quốc Ngọc Hữu Đức Thu Hoài Xuân Kim Anh Bảo Gia".split())
VI_GIVEN = tuple(
    "An Anh Bình Châu Chi Cường Dũng Dung Duy Đạt Giang Hà Hải Hạnh Hiếu Hoa Hùng Hương Huy Khánh "
    "Khoa Lan Linh Long Mai Mạnh Nam Nga Ngân Nhung Phong Phúc Phương Quân Quang Quỳnh Sơn Tâm "
    "Thảo Thắng Thủy Tiến Toàn Trang Trung Tú Tuấn Tùng Vân Việt Yến Loan Lộc Nghĩa Thúy "
    "Đông".split()
)
VI_COMPANY_WORDS = tuple(
    "An Bảo Bình Đại Đông Hòa Hải Hồng Hưng Khang Kim Lộc Minh Nam Phát Phú Phúc Quang Sơn Tâm "
    "Tân Thành Thái Thịnh Thuận Tín Trường Vạn Việt Vĩnh Xuân".split()
)

CITIES = _pairs(
    "Hanoi|Hà Nội; Da Nang|Đà Nẵng; Ho Chi Minh City|Thành phố Hồ Chí Minh; Hai Phong|Hải Phòng; "
    "Can Tho|Cần Thơ; Hue|Huế; Nha Trang|Nha Trang; Da Lat|Đà Lạt; Vinh|Vinh; Bien Hoa|Biên Hòa; "
    "Vung Tau|Vũng Tàu; Quy Nhon|Quy Nhơn; Bac Ninh|Bắc Ninh; Ha Long|Hạ Long; Lisbon|Lisbon; "
    "Porto|Porto; Madrid|Madrid; Lyon|Lyon; Berlin|Berlin; Munich|Munich; Vienna|Vienna; "
    "Zurich|Zurich; Oslo|Oslo; Dublin|Dublin; London|London; Leeds|Leeds; Boston|Boston; "
    "Denver|Denver; Austin|Austin; Seattle|Seattle; Toronto|Toronto; Tokyo|Tokyo; Osaka|Osaka; "
    "Seoul|Seoul; Taipei|Đài Bắc; Singapore|Singapore; Jakarta|Jakarta; Manila|Manila; "
    "Bangkok|Bangkok; Mumbai|Mumbai; Dubai|Dubai; Cairo|Cairo; Sydney|Sydney; Prague|Praha; "
    "Warsaw|Warszawa; Athens|Athens; Rome|Rome; Paris|Paris; Geneva|Geneva; Bristol|Bristol"
)
REGIONS = _pairs(
    "Germany|Đức; France|Pháp; Japan|Nhật Bản; Vietnam|Việt Nam; Thailand|Thái Lan; Laos|Lào; "
    "Cambodia|Campuchia; Korea|Hàn Quốc; China|Trung Quốc; Australia|Úc; Canada|Canada; Spain|Tây "
    "Ban Nha; Italy|Ý; Poland|Ba Lan; India|Ấn Độ; the Netherlands|Hà Lan; Sweden|Thụy Điển; "
    "Brazil|Brazil; Mexico|Mexico; the North|miền Bắc; the South|miền Nam; the Central "
    "Highlands|Tây Nguyên; the Mekong Delta|đồng bằng sông Cửu Long; Europe|châu Âu; Asia|châu Á; "
    "the islands|các đảo; Norway|Na Uy; Switzerland|Thụy Sĩ"
)
MONTHS = tuple(
    "January February March April May June July August September October November December".split()
)
WEEKDAYS = _pairs(
    "Monday|thứ Hai; Tuesday|thứ Ba; Wednesday|thứ Tư; Thursday|thứ Năm; Friday|thứ Sáu; "
    "Saturday|thứ Bảy; Sunday|Chủ nhật"
)
COLOURS = _pairs(
    "red|đỏ; blue|xanh dương; green|xanh lá; black|đen; white|trắng; silver|bạc; grey|xám; "
    "orange|cam; yellow|vàng; purple|tím; brown|nâu; pink|hồng; dark blue|xanh đậm; light "
    "grey|xám nhạt; beige|be; turquoise|ngọc lam"
)
MATERIALS = _pairs(
    "aluminium|nhôm; steel|thép; bamboo|tre; recycled plastic|nhựa tái chế; carbon fibre|sợi "
    "carbon; glass|thủy tinh; oak|gỗ sồi; titanium|titan; ceramic|gốm; rubber|cao su; cotton|vải "
    "bông; copper|đồng đỏ; stainless steel|thép không gỉ; leather|da; pine wood|gỗ thông; "
    "rattan|mây; wool|len; brass|đồng thau"
)
TEAMS = _pairs(
    "Finance|Tài chính; Human Resources|Nhân sự; Legal|Pháp chế; Customer Support|Chăm sóc khách "
    "hàng; Engineering|Kỹ thuật; Marketing|Tiếp thị; Sales|Kinh doanh; Facilities|Hành chính; "
    "Information Security|An ninh thông tin; Procurement|Mua hàng; Data|Dữ liệu; Quality|Chất "
    "lượng; Payroll|Tiền lương; Compliance|Tuân thủ; Field Service|Dịch vụ hiện trường; "
    "Warehouse|Kho; Research|Nghiên cứu; Production|Sản xuất; Logistics|Vận tải; Export|Xuất "
    "khẩu; Design|Thiết kế; Training|Đào tạo; Audit|Kiểm toán; Accounting|Kế toán; Planning|Kế "
    "hoạch"
)
PRODUCT_TYPES = _pairs(
    "router|bộ định tuyến; drone|máy bay không người lái; kettle|ấm đun; laptop|máy tính xách "
    "tay; camera|máy ảnh; scooter|xe điện; printer|máy in; sensor|cảm biến; heater|máy sưởi; "
    "tablet|máy tính bảng; speaker|loa; battery|pin; scanner|máy quét; air purifier|máy lọc không "
    "khí; water pump|máy bơm; thermostat|bộ điều nhiệt; headset|tai nghe; toaster|lò nướng; solar "
    "panel|tấm pin mặt trời; lock|khóa; projector|máy chiếu; rice cooker|nồi cơm; fan|quạt; "
    "lamp|đèn; helmet|mũ bảo hiểm; backpack|ba lô; chair|ghế; desk|bàn; tea|trà; coffee|cà phê; "
    "juice|nước ép; yoghurt|sữa chua; cheese|phô mai; soap|xà phòng; paint|sơn; bicycle|xe đạp; "
    "watch|đồng hồ; phone|điện thoại; washing machine|máy giặt; refrigerator|tủ lạnh; noodles|mì"
)
PLANS = _pairs(
    "plan|gói; subscription|gói thuê bao; service|dịch vụ; package|gói dịch vụ; membership|thẻ "
    "hội viên; licence|giấy phép"
)
MACHINES = _pairs(
    "press|máy ép; lathe|máy tiện; conveyor|băng chuyền; forklift|xe nâng; boiler|nồi hơi; "
    "generator|máy phát điện; truck|xe tải; crane|cần cẩu; oven|lò; mixer|máy trộn; robot|rô bốt; "
    "compressor|máy nén khí; cutter|máy cắt; packing line|dây chuyền đóng gói; cold store|kho "
    "lạnh; elevator|thang máy; van|xe van; welding station|trạm hàn; filling line|dây chuyền "
    "chiết rót"
)
SYSTEMS = _pairs(
    "intranet|mạng nội bộ; HR portal|cổng nhân sự; service desk|cổng hỗ trợ; finance portal|cổng "
    "tài chính; mobile app|ứng dụng di động; vendor portal|cổng nhà cung cấp; wiki|trang wiki; "
    "web shop|cửa hàng trực tuyến; payroll system|hệ thống tiền lương; mail server|máy chủ thư; "
    "customer database|cơ sở dữ liệu khách hàng; booking system|hệ thống đặt chỗ; warehouse "
    "software|phần mềm kho; ticket system|hệ thống yêu cầu; archive|kho lưu trữ; VPN|VPN; cash "
    "register|máy tính tiền; data warehouse|kho dữ liệu; test environment|môi trường thử nghiệm"
)
POLICIES = _pairs(
    "Travel Policy|Quy định công tác; Leave Policy|Quy định nghỉ phép; Expense Policy|Quy định "
    "chi phí; Security Policy|Quy định an ninh; Privacy Policy|Chính sách bảo mật; Remote Work "
    "Policy|Quy định làm việc từ xa; Purchasing Policy|Quy định mua sắm; Data Policy|Quy định dữ "
    "liệu; Gift Policy|Quy định quà tặng; Safety Rules|Nội quy an toàn; Visitor Policy|Quy định "
    "khách thăm; Training Policy|Quy định đào tạo; Vehicle Policy|Quy định dùng xe; Code of "
    "Conduct|Quy tắc ứng xử; Overtime Policy|Quy định làm thêm giờ; Return Policy|Chính sách đổi "
    "trả; Pricing Policy|Chính sách giá; Archive Policy|Quy định lưu trữ; Recruitment Policy|Quy "
    "định tuyển dụng; Payment Policy|Quy định thanh toán; Backup Policy|Quy định sao lưu; "
    "Complaint Procedure|Quy trình khiếu nại; Fire Regulations|Quy định phòng cháy"
)
GROUPS = _pairs(
    "new employees|nhân viên mới; managers|quản lý; part-time staff|nhân viên bán thời gian; "
    "interns|thực tập sinh; drivers|tài xế; engineers|kỹ sư; sales staff|nhân viên kinh doanh; "
    "apprentices|người học việc; senior staff|nhân viên lâu năm; contractors|cộng tác viên; night "
    "workers|nhân viên ca đêm; full-time employees|nhân viên toàn thời gian; directors|giám đốc; "
    "cleaners|nhân viên vệ sinh; security guards|bảo vệ; shop assistants|nhân viên bán hàng; "
    "warehouse workers|công nhân kho; employees|nhân viên; team leads|trưởng nhóm; temporary "
    "staff|nhân viên thời vụ; consultants|chuyên gia tư vấn; technicians|kỹ thuật viên; nurses|y "
    "tá; volunteers|tình nguyện viên; accountants|kế toán viên; field workers|nhân viên hiện "
    "trường; office staff|nhân viên văn phòng; visitors|khách thăm"
)
COURSES = _pairs(
    "first aid course|khóa sơ cứu; Excel course|khóa học Excel; safety training|buổi huấn luyện "
    "an toàn; English course|khóa tiếng Anh; leadership workshop|hội thảo lãnh đạo; onboarding "
    "week|tuần hội nhập; forklift training|khóa lái xe nâng; negotiation seminar|buổi học đàm "
    "phán; Python course|khóa lập trình Python; fire drill|buổi diễn tập chữa cháy; privacy "
    "training|khóa bảo mật dữ liệu; sales training|khóa kỹ năng bán hàng; presentation "
    "workshop|hội thảo thuyết trình; welding course|khóa học hàn; writing course|khóa viết báo "
    "cáo"
)
EVENTS = _pairs(
    "summer party|tiệc hè; annual meeting|đại hội thường niên; trade fair|hội chợ; open day|ngày "
    "mở cửa; charity run|giải chạy từ thiện; product launch|lễ ra mắt sản phẩm; board "
    "meeting|cuộc họp hội đồng; year-end dinner|tiệc tất niên; hackathon|cuộc thi lập trình; "
    "customer day|ngày hội khách hàng; press conference|họp báo; football cup|giải bóng đá; town "
    "hall|buổi gặp toàn công ty; job fair|ngày hội việc làm; family day|ngày hội gia đình; audit "
    "visit|đợt kiểm toán"
)
CONTRACTS = _pairs(
    "cleaning contract|hợp đồng vệ sinh; lease|hợp đồng thuê nhà; supply contract|hợp đồng cung "
    "ứng; maintenance contract|hợp đồng bảo trì; insurance contract|hợp đồng bảo hiểm; transport "
    "contract|hợp đồng vận chuyển; software contract|hợp đồng phần mềm; catering contract|hợp "
    "đồng suất ăn; security contract|hợp đồng bảo vệ; energy contract|hợp đồng điện; loan "
    "agreement|hợp đồng vay; consulting agreement|hợp đồng tư vấn; framework agreement|thỏa thuận "
    "khung; confidentiality agreement|thỏa thuận bảo mật"
)
OFFICES = _pairs(
    "office|văn phòng; warehouse|kho; shop|cửa hàng; plant|nhà máy; branch|chi nhánh; "
    "laboratory|phòng thí nghiệm; training centre|trung tâm đào tạo; showroom|phòng trưng bày"
)
TITLES = _pairs(
    "accountant|kế toán; lawyer|luật sư; head of sales|trưởng phòng kinh doanh; data engineer|kỹ "
    "sư dữ liệu; office manager|quản lý văn phòng; chief financial officer|giám đốc tài chính; "
    "recruiter|chuyên viên tuyển dụng; nurse|y tá; warehouse lead|tổ trưởng kho; product "
    "manager|quản lý sản phẩm; security analyst|chuyên viên an ninh; architect|kiến trúc sư; "
    "driver|tài xế; auditor|kiểm toán viên; translator|phiên dịch; receptionist|lễ tân; "
    "electrician|thợ điện; marketing assistant|trợ lý tiếp thị; plant manager|giám đốc nhà máy; "
    "secretary|thư ký; store manager|cửa hàng trưởng; technician|kỹ thuật viên; designer|nhà "
    "thiết kế; purchasing officer|nhân viên mua hàng; trainer|giảng viên; cook|đầu bếp"
)
PLACES = _pairs(
    "the canteen|nhà ăn; the car park|bãi đỗ xe; the main entrance|cổng chính; the reception "
    "desk|quầy lễ tân; the courtyard|sân trong; the meeting room|phòng họp; the basement|tầng "
    "hầm; the library|thư viện; the large hall|hội trường lớn; the garden|khu vườn; the roof|sân "
    "thượng; the mail room|phòng văn thư; the training room|phòng đào tạo; the loading bay|khu "
    "bốc dỡ; the back gate|cổng sau; the old building|tòa nhà cũ; the bus stop|trạm xe buýt"
)
GOALS = _pairs(
    "reducing waste|giảm rác thải; moving data to the cloud|chuyển dữ liệu lên đám mây; opening a "
    "new warehouse|mở kho mới; training new staff|đào tạo nhân viên mới; replacing old "
    "computers|thay máy tính cũ; improving safety|nâng cao an toàn; cutting energy use|giảm tiêu "
    "thụ điện; automating invoices|tự động hóa hóa đơn; entering the Asian market|thâm nhập thị "
    "trường châu Á; rebuilding the website|làm lại trang web; faster delivery|giao hàng nhanh "
    "hơn; better search|tìm kiếm tốt hơn; saving water|tiết kiệm nước; fewer complaints|giảm "
    "khiếu nại; paperless offices|văn phòng không giấy; measuring customer satisfaction|đo mức "
    "hài lòng của khách hàng; protecting personal data|bảo vệ dữ liệu cá nhân; selling spare "
    "parts online|bán phụ tùng trực tuyến; shorter waiting times|rút ngắn thời gian chờ; "
    "preparing the audit|chuẩn bị kiểm toán"
)
REASONS = _pairs(
    "heavy rain|mưa lớn; missing parts|thiếu linh kiện; a strike at the port|đình công ở cảng; a "
    "software error|lỗi phần mềm; staff shortage|thiếu nhân lực; late payments|thanh toán chậm; a "
    "power cut|mất điện; new regulations|quy định mới; rising prices|giá tăng; a broken "
    "machine|máy hỏng; bad weather|thời tiết xấu; a failed test|thử nghiệm không đạt; holidays|kỳ "
    "nghỉ lễ; customs checks|kiểm tra hải quan; a water leak|rò rỉ nước; wrong addresses|sai địa "
    "chỉ; low demand|nhu cầu thấp; a cyber attack|tấn công mạng"
)
STEPS = _pairs(
    "read the manual|đọc hướng dẫn; charge the battery|sạc pin; put on gloves|đeo găng tay; "
    "create an account|tạo tài khoản; ask the supervisor|hỏi cấp trên; remove the cover|tháo nắp; "
    "check the oil|kiểm tra dầu; sign the list|ký vào danh sách; turn off the power|tắt nguồn; "
    "wash your hands|rửa tay; scan the code|quét mã; fill in the form|điền biểu mẫu; book a "
    "time|đặt lịch; install the app|cài ứng dụng; show your badge|xuất trình thẻ; save your "
    "work|lưu công việc"
)
LOGINS = _pairs(
    "a fingerprint|vân tay; a one-time code|mã dùng một lần; the staff badge|thẻ nhân viên; a "
    "password|mật khẩu; a security key|khóa bảo mật; the company account|tài khoản công ty; an "
    "SMS code|mã SMS; face recognition|nhận diện khuôn mặt; a PIN|mã PIN; a QR code|mã QR"
)
EQUIPMENT = _pairs(
    "a laptop|máy tính xách tay; a desktop computer|máy tính để bàn; a tablet|máy tính bảng; a "
    "company phone|điện thoại công ty; two screens|hai màn hình; safety shoes|giày bảo hộ; a "
    "helmet|mũ bảo hộ; a company car|xe công ty; a uniform|đồng phục; a headset|tai nghe; a key "
    "card|thẻ từ; a tool box|hộp dụng cụ; a docking station|đế cắm; gloves|găng tay"
)
FREQUENCIES = _pairs(
    "every week|mỗi tuần; every month|mỗi tháng; every quarter|mỗi quý; twice a year|hai lần một "
    "năm; once a year|mỗi năm một lần; every two weeks|hai tuần một lần; every day|mỗi ngày; "
    "every night|mỗi đêm; every hour|mỗi giờ; three times a year|ba lần một năm; every six "
    "months|sáu tháng một lần; every two years|hai năm một lần; at the end of each month|cuối mỗi "
    "tháng"
)
PAYDAYS = _pairs(
    "the last working day of the month|ngày làm việc cuối tháng; the 5th of each month|ngày 5 "
    "hằng tháng; the 10th of each month|ngày 10 hằng tháng; the 15th of each month|ngày 15 hằng "
    "tháng; the 25th of each month|ngày 25 hằng tháng; every second Friday|thứ Sáu cách tuần; the "
    "first Monday of the month|thứ Hai đầu tháng; the 28th of each month|ngày 28 hằng tháng; the "
    "1st of each month|ngày 1 hằng tháng; the 20th of each month|ngày 20 hằng tháng"
)
REMOTE = _pairs(
    "one day a week|một ngày một tuần; two days a week|hai ngày một tuần; three days a week|ba "
    "ngày một tuần; up to 5 days a month|tối đa 5 ngày một tháng; on Fridays|vào thứ Sáu; up to "
    "10 days a month|tối đa 10 ngày một tháng; every other week|cách tuần; on Mondays and "
    "Fridays|vào thứ Hai và thứ Sáu; four days a week|bốn ngày một tuần; 30 days a year|30 ngày "
    "một năm"
)
LANGUAGES = _pairs(
    "English|tiếng Anh; Vietnamese|tiếng Việt; French|tiếng Pháp; German|tiếng Đức; "
    "Japanese|tiếng Nhật; Korean|tiếng Hàn; Chinese|tiếng Trung; Spanish|tiếng Tây Ban Nha; "
    "Thai|tiếng Thái; Portuguese|tiếng Bồ Đào Nha; Italian|tiếng Ý; Polish|tiếng Ba Lan"
)
PHASES = _pairs(
    "the planning phase|giai đoạn lập kế hoạch; the test phase|giai đoạn thử nghiệm; the pilot "
    "phase|giai đoạn thí điểm; phase 2|giai đoạn 2; phase 3|giai đoạn 3; the design phase|giai "
    "đoạn thiết kế; the final phase|giai đoạn cuối; the roll-out|giai đoạn triển khai; the "
    "tender|giai đoạn đấu thầu; the review phase|giai đoạn rà soát"
)
PRIORITIES = _pairs(
    "high|cao; low|thấp; medium|trung bình; top|hàng đầu; normal|bình thường; urgent|khẩn cấp; "
    "critical|tối quan trọng"
)
TRAVEL_CLASSES = _pairs(
    "economy class|hạng phổ thông; business class|hạng thương gia; first class|hạng nhất; premium "
    "economy|hạng phổ thông đặc biệt"
)
BANKS = _words(
    "Northern Bank; Harbour Bank; Citizens Bank; Alpine Bank; Delta Bank; Union Bank; Sông Hồng "
    "Bank; Phương Nam Bank; Đông Hải Bank; Thăng Long Bank; Meridian Bank; Trust Bank; Lotus "
    "Bank; Sao Mai Bank"
)
COMPANY_SUFFIXES = _pairs(
    "Ltd|TNHH; Inc|Cổ phần; Group|Group; Labs|Labs; Systems|Hệ thống; Logistics|Vận tải; "
    "Foods|Thực phẩm; Energy|Năng lượng; Health|Dược; Retail|Bán lẻ; Software|Phần mềm; Motors|Ô "
    "tô; Travel|Du lịch; Insurance|Bảo hiểm; Textiles|Dệt may; Furniture|Nội thất"
)
DURATION_UNITS = _pairs(
    "days|ngày; working days|ngày làm việc; months|tháng; weeks|tuần; years|năm; hours|giờ; "
    "minutes|phút"
)
QUANTITY_UNITS = _pairs(
    "kg|kg; grams|gam; litres|lít; GB|GB; pieces|chiếc; km|km; seats|ghế; users|người dùng; "
    "tonnes|tấn; boxes|thùng; pallets|pallet; pages|trang; metres|mét; orders|đơn hàng; "
    "bottles|chai; cubic metres|mét khối"
)
NUMBER_WORDS = _pairs(
    "two|hai; three|ba; four|bốn; five|năm; six|sáu; seven|bảy; eight|tám; nine|chín; ten|mười; "
    "twelve|mười hai; fifteen|mười lăm; twenty|hai mươi; thirty|ba mươi; forty|bốn mươi"
)

# Compositional relations: a head with the kind of its value, and topics. "storage fee" | "phí kho".
HEADS = (
    ("fee", "phí", "money"),
    ("deposit", "tiền đặt cọc", "money"),
    ("surcharge", "phụ phí", "money"),
    ("allowance", "phụ cấp", "money"),
    ("budget", "ngân sách", "money"),
    ("cost", "chi phí", "money"),
    ("limit", "hạn mức", "quantity"),
    ("quota", "chỉ tiêu", "quantity"),
    ("volume", "khối lượng", "quantity"),
    ("rate", "tỷ lệ", "percent"),
    ("share", "phần", "percent"),
    ("target", "mục tiêu", "percent"),
    ("period", "thời hạn", "duration"),
    ("interval", "chu kỳ", "duration"),
    ("time", "thời gian", "duration"),
    ("deadline", "hạn chót", "date"),
    ("date", "ngày", "date"),
    ("coordinator", "điều phối viên", "person"),
    ("contact", "người liên hệ", "person"),
    ("officer", "cán bộ", "person"),
    ("partner", "đối tác", "company"),
    ("room", "phòng", "place"),
    ("site", "địa điểm", "city"),
    ("code", "mã", "code"),
    ("number", "số", "code"),
    ("hotline", "đường dây nóng", "phone"),
    ("mailbox", "hộp thư", "email"),
    ("day", "ngày", "weekday"),
    ("count", "số lượng", "count"),
    ("schedule", "lịch", "frequency"),
)
TOPICS = _pairs(
    "storage|lưu kho; parking|gửi xe; travel|đi lại; training|đào tạo; delivery|giao hàng; "
    "packaging|đóng gói; cleaning|vệ sinh; audit|kiểm toán; insurance|bảo hiểm; security|an ninh; "
    "support|hỗ trợ; backup|sao lưu; repair|sửa chữa; inspection|kiểm tra; registration|đăng ký; "
    "cancellation|hủy; installation|lắp đặt; payment|thanh toán; access|truy cập; visitor|khách; "
    "energy|năng lượng; waste|rác thải; recruitment|tuyển dụng; marketing|tiếp thị; "
    "translation|dịch thuật; printing|in ấn; testing|thử nghiệm; maintenance|bảo trì; export|xuất "
    "khẩu; import|nhập khẩu; tax|thuế; quality|chất lượng; emergency|khẩn cấp; reporting|báo cáo; "
    "renewal|gia hạn; transfer|chuyển giao; overtime|tăng ca; meal|ăn uống; water|nước; "
    "recycling|tái chế; certificate|chứng chỉ; safety|an toàn; loan|cho mượn; booking|đặt chỗ; "
    "upgrade|nâng cấp; disposal|thanh lý; calibration|hiệu chuẩn; laundry|giặt là; fuel|nhiên "
    "liệu; holiday|nghỉ lễ; research|nghiên cứu; shipping|vận chuyển"
)
