"""The customers of the demo's story: people of many countries and scripts, who do not exist.

Their addresses are in the form that each country's post wants, in its own order and script; the mailboxes reach
nobody. They have the same password as the accounts on the sign-in page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """``joined`` is how many days ago; ``orders`` how many from then to ``last_order`` days ago.

    ``address`` has the fields that the country's post wants.
    """

    key: str
    name: str
    country: str
    address: Mapping[str, str]
    joined: int
    orders: int
    locale: str = "en"
    improvement: bool = False
    last_order: int = 16

    @property
    def email(self) -> str:
        return f"{self.key}@example.com"


def _at(line1: str, locality: str = "", postcode: str = "", **more: str) -> dict[str, str]:
    fields = {"line1": line1, "locality": locality, "postcode": postcode, **more}
    return {name: value for name, value in fields.items() if value}


# Those whom a visitor may be; ada has the longest history.
ADA = Person("ada", "Ada Winter", "DE", _at("Kastanienallee 12", "Berlin", "10435"), 1090, 24, improvement=True)
BEN = Person("ben", "Ben Okafor", "IE", _at("4 Quay Street", "Galway", "H91 E1F3"), 700, 5)
LAYLA = Person("layla", "ليلى حدّاد", "EG", _at("١٢ شارع طلعت حرب", "القاهرة", "11511", region="القاهرة"), 400, 5, "ar", True)
JONAS = Person("jonas", "Jonas Grünwald", "DE", _at("Sögestraße 7", "Bremen", "28195"), 500, 6, "de", True)
VISITED = (ADA, BEN, LAYLA, JONAS)

OTHERS = (
    Person("mei", "王美玲", "CN", _at("南京东路100号", "黄浦区", "200001", region="上海市"), 820, 3, improvement=True),
    Person("haruto", "佐藤 陽翔", "JP", _at("渋谷区神南1-19-11", "", "150-0041", region="東京都"), 760, 3),
    Person("eleni", "Ελένη Παπαδοπούλου", "GR", _at("Ερμού 25", "Αθήνα", "105 63"), 640, 3, improvement=True),
    Person("dmytro", "Дмитро Ковальчук", "PL", _at("ul. Długa 14/3", "Kraków", "31-147"), 610, 2),
    Person("zofia", "Zofia Wójcik-Żółkiewska", "PL", _at("ul. Święty Marcin 40", "Poznań", "61-807"), 980, 3, improvement=True),
    Person("thiago", "Thiago Gonçalves", "BR", _at("Rua Augusta 1500", "São Paulo", "01304-001", region="SP"), 530, 2),
    Person("ananya", "अनन्या शर्मा", "IN", _at("14 MG Road", "Bengaluru", "560001", region="Karnataka"), 480, 3, improvement=True),
    Person("suharto", "Suharto", "NL", _at("Prinsengracht 263", "Amsterdam", "1016 GV"), 900, 3),
    Person(
        "maximiliana",
        "Maximiliana Theresia Anna Friederike von und zu Hohenstaufen-Wittelsbach-Oettingen",
        "AT",
        _at("Josefstädter Straße 112, Stiege 3, Top 27", "Wien", "1080", line2="c/o Hausverwaltung am Gürtel"),
        690,
        2,
        "de",
    ),
    Person("camille", "Camille Lefèvre", "FR", _at("18 rue des Écoles", "Paris", "75005"), 1010, 3, improvement=True),
    Person("soren", "Sören Ångström", "SE", _at("Storgatan 5", "Umeå", "903 26"), 870, 2),
    Person("nuria", "Núria Puigdemont i Casals", "ES", _at("Carrer de Mallorca 401", "Barcelona", "08013", region="Barcelona"), 560, 3),
    Person("giulia", "Giulia D’Angelo", "IT", _at("Via Garibaldi 9", "Torino", "10122", region="TO"), 720, 3, improvement=True),
    Person("oliver", "Oliver Hughes", "GB", _at("22 Bold Street", "LIVERPOOL", "L1 4DS"), 950, 3),
    Person("grace", "Grace O’Connell", "IE", _at("17 Patrick Street", "Cork", "T12 W8K7"), 300, 2),
    Person("jamal", "Jamal Washington", "US", _at("742 Evergreen Terrace", "Springfield", "97477", region="OR"), 840, 3, improvement=True),
    Person("priya", "Priya Raghunathan", "US", _at("55 Beacon Street, Apt 4B", "Boston", "02108", region="MA"), 410, 2),
    Person("yusuf", "يوسف المنصوري", "AE", _at("شارع الشيخ زايد ٢٧", region="دبي"), 330, 2, "ar"),
    Person("lena", "Lena Schröder", "DE", _at("Marktplatz 1", "Würzburg", "97070"), 1060, 3, "de", True),
    Person("emre", "Emre Yıldız", "DE", _at("Keupstraße 88", "Köln", "51063"), 260, 2, "de"),
    Person("aoife", "Aoife Ní Bhriain", "IE", _at("3 Main Street", "Dingle", "V92 X3Y4"), 150, 1),
    Person("bram", "Bram van den Berg", "BE", _at("Korenmarkt 12", "Gent", "9000"), 780, 2),
    Person("chloe", "Chloé Dubois", "BE", _at("Rue de la Loi 16", "Bruxelles", "1000"), 220, 2, improvement=True),
    Person("tomas", "Tomás Fernández Ibáñez", "ES", _at("Calle de Alcalá 50", "Madrid", "28014", region="Madrid"), 370, 2),
    Person("ingrid", "Ingrid Løvås", "SE", _at("Drottninggatan 71", "Stockholm", "111 36"), 120, 2, improvement=True),
    Person("wei", "李伟", "CN", _at("中山路88号", "南京市", "210008", region="江苏省", district="玄武区"), 180, 1),
    Person("hannah", "Hannah Goldberg", "GB", _at("9 Royal Mile", "EDINBURGH", "EH1 1TH"), 90, 1, improvement=True),
    Person("kenji", "山本 健二", "JP", _at("中央区銀座4-5-6", "", "104-0061", region="東京都"), 60, 1),
    Person("salma", "سلمى إبراهيم", "EG", _at("٨ شارع فؤاد", "الإسكندرية", "21511", region="الإسكندرية"), 45, 1, "ar"),
    Person("noah", "Noah Meier", "DE", _at("Gartenweg 3", "Freiburg", "79098"), 20, 1, "de", True),
)
"""Nobody signs in as one of these, but their histories fill the lists and charts."""

# People whose story ends with an erasure, long ago and lately.
LEAVING = (
    Person("rosa", "Rosa Marquardt", "DE", _at("Lindenstraße 4", "Potsdam", "14467"), 900, 2, "de", last_order=260),
    Person(
        "victor", "Victor Almeida", "BR", _at("Avenida Atlântica 12", "Rio de Janeiro", "22010-000", region="RJ"), 500, 1, last_order=60
    ),
)

PEOPLE = (*VISITED, *OTHERS, *LEAVING)

# People who bought without an account.
GUESTS = (
    Person("guest.marta", "Marta Kowalska", "PL", _at("ul. Piotrkowska 104", "Łódź", "90-926"), 240, 1),
    Person("guest.pierre", "Pierre Moreau", "FR", _at("3 place Bellecour", "Lyon", "69002"), 130, 1),
    Person("guest.nikos", "Νίκος Αντωνίου", "GR", _at("Τσιμισκή 44", "Θεσσαλονίκη", "546 23"), 80, 1),
    Person("guest.fatima", "فاطمة الزهراء", "EG", _at("٣ شارع الهرم", "الجيزة", "12556", region="الجيزة"), 50, 1, "ar"),
    Person("guest.sam", "Sam Young", "US", _at("1600 Elm Street", "Austin", "78701", region="TX"), 30, 1),
)
