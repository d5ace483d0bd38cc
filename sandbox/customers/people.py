"""Where generated customers live: names, languages and clocks of three markets, with 2, 0 and 3 decimals."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where people speak one language and read one clock."""

    locale: str
    time_zone: str
    given_names: tuple[str, ...]
    family_names: tuple[str, ...]


@dataclass(frozen=True)
class Market:
    """One currency: the places where it is paid in, and the cards (Stripe's test names) that people have there."""

    currency: str
    places: tuple[Place, ...]
    cards: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GERMANY = Place(
    "de-DE",
    "Europe/Berlin",
    _words("Anna Ben Clara Emil Finn Greta Hannah Jonas Jürgen Lea Leon Luisa Matthias Mia Paul Sabine Sören Theo"),
    _words("Becker Braun Fischer Hoffmann Keller Klein Koch Krüger Lange Meyer Müller Neumann Richter Schäfer Wolf"),
)
FRANCE = Place(
    "fr-FR",
    "Europe/Paris",
    _words("Adèle Antoine Camille Chloé Élodie Étienne Gabriel Hugo Inès Jules Léa Louis Manon Noémie Raphaël Zoé"),
    _words("Bernard Chevalier Dubois Durand Fontaine Garnier Lambert Laurent Lefèvre Mercier Moreau Petit Roux"),
)
ITALY = Place(
    "it-IT",
    "Europe/Rome",
    _words("Alessia Bianca Chiara Davide Elena Federico Giulia Lorenzo Luca Marco Martina Matteo Paola Sofia Tommaso"),
    _words("Barbieri Bianchi Colombo Conti Esposito Ferrari Galli Greco Marino Ricci Romano Rossi Russo Villa"),
)
CANARIES = Place(
    "es-ES",
    "Atlantic/Canary",
    _words("Alba Álvaro Carmen Diego Elena Hugo Inés Javier Lucía Marta Nerea Pablo Raúl Sara Sergio"),
    _words("Cabrera Delgado Díaz García Hernández León Medina Morales Navarro Pérez Ramos Santana Suárez"),
)
IRELAND = Place(
    "en-IE",
    "Europe/Dublin",
    _words("Aoife Brian Cian Ciara Conor Declan Eoin Fionn Gráinne Niamh Orla Róisín Seán Sinéad Tadhg"),
    _words("Brennan Byrne Doyle Gallagher Kavanagh Kelly Lynch McCarthy Murphy Nolan O'Brien O'Connor Quinn Walsh"),
)
JAPAN = Place(
    "ja-JP",
    "Asia/Tokyo",
    _words("Akari Daichi Haruto Hina Kaito Kenji Mei Miyu Naoko Ren Riku Sakura Sora Takumi Yui Yuto"),
    _words("Fujita Hayashi Ito Kato Kimura Kobayashi Matsumoto Nakamura Saito Sasaki Sato Suzuki Tanaka Yamada"),
)
KUWAIT = Place(
    "ar-KW",
    "Asia/Kuwait",
    _words("Abdullah Aisha Bader Dana Fahad Fatma Hamad Hessa Khaled Lulwa Maryam Mishari Noura Salem Shaikha Yousef"),
    _words("Al-Ajmi Al-Awadhi Al-Enezi Al-Fadhli Al-Hajri Al-Kandari Al-Mutairi Al-Otaibi Al-Rashidi Al-Shammari"),
)

EUROPE = Market(
    "EUR",
    (GERMANY, GERMANY, FRANCE, ITALY, CANARIES, IRELAND),
    ("pm_card_visa", "pm_card_visa_debit", "pm_card_mastercard", "pm_card_mastercard_debit", "pm_card_de"),
)
JAPAN_MARKET = Market("JPY", (JAPAN,), ("pm_card_jcb", "pm_card_jp", "pm_card_visa", "pm_card_amex"))
KUWAIT_MARKET = Market("KWD", (KUWAIT,), ("pm_card_visa", "pm_card_mastercard", "pm_card_visa_debit"))

# A place or market that is named more often has more of the customers.
MARKETS = (EUROPE, EUROPE, EUROPE, JAPAN_MARKET, JAPAN_MARKET, KUWAIT_MARKET)
