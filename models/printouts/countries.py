"""The countries of addresses and of VAT ids, as electronic invoices name them (EN 16931, BR-CL-14 and BR-CO-09)."""

from collections.abc import Mapping
from types import MappingProxyType

# ISO 3166-1 alpha-2.
_ISO = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA
CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA
GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS
MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS
RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW
TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_ISO.split())
# Kosovo has no code of ISO's, and this one of most who write to it: documents have it, electronic invoices do not.
ADDRESSED = COUNTRIES | {"XK"}
# Greece and Northern Ireland have letters of their own.
VAT_PREFIXES = COUNTRIES | {"EL", "XI"}

# The currency of each member state of the Union, in which its VAT is owed (2006/112/EC art. 230).
_EURO_STATES = "AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK"
VAT_CURRENCIES: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(_EURO_STATES.split(), "EUR")
    | {"CZ": "CZK", "DK": "DKK", "HU": "HUF", "PL": "PLN", "RO": "RON", "SE": "SEK"}
)


def is_country(code: str) -> bool:
    """Say whether an address may name it; "" is none."""
    return code in ADDRESSED


def begins_with_country(vat_id: str) -> bool:
    """Say whether a VAT id begins with a country's letters."""
    return vat_id[:2] in VAT_PREFIXES
