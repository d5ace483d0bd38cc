"""Banks' own CSV exports as their banks write them: the lines above and below, the marks, the encoding."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Export:
    """A file of a bank, and what it says: signed minor units of each booked line, and the first credit's words."""

    text: str
    amounts: tuple[int, ...]
    words: str
    payer: str = ""
    account: str = ""
    encoding: str = "utf-8"
    pending: int = 0


SPARKASSE = Export(
    '"Auftragskonto";"Buchungstag";"Valutadatum";"Buchungstext";"Verwendungszweck";"Glaeubiger ID";"Mandatsreferenz";'
    '"Kundenreferenz (End-to-End)";"Sammlerreferenz";"Lastschrift Ursprungsbetrag";"Auslagenersatz Ruecklastschrift";'
    '"Beguenstigter/Zahlungspflichtiger";"Kontonummer/IBAN";"BIC (SWIFT-Code)";"Betrag";"Waehrung";"Info"\r\n'
    '"DE89370400440532013000";"20.05.26";"20.05.26";"GUTSCHR. ÜBERWEISUNG";"Rechnung INV-0000000001 ";"";"";'
    '"NOTPROVIDED";"";"";"";"Jörg Müller";"DE02120300000000202051";"BYLADEM1001";"1.020,00";"EUR";"Umsatz gebucht"\r\n'
    '"DE89370400440532013000";"19.05.26";"19.05.26";"ENTGELTABSCHLUSS";"Entgelte";"";"";"";"";"";"";"";"";"";"-7,50";'
    '"EUR";"Umsatz gebucht"\r\n'
    '"DE89370400440532013000";"20.05.26";"20.05.26";"GUTSCHR. ÜBERWEISUNG";"cust-1002";"";"";"";"";"";"";"Ann";"";"";'
    '"5,00";"EUR";"Umsatz vorgemerkt"\r\n',
    (102000, -750),
    "Rechnung INV-0000000001",
    "Jörg Müller",
    "DE89370400440532013000",
    "cp1252",
    pending=1,
)
VOLKSBANK = Export(
    "Bezeichnung Auftragskonto;IBAN Auftragskonto;BIC Auftragskonto;Bankname Auftragskonto;Buchungstag;Valutadatum;"
    "Name Zahlungsbeteiligter;IBAN Zahlungsbeteiligter;BIC (SWIFT-Code) Zahlungsbeteiligter;Buchungstext;"
    "Verwendungszweck;Betrag;Waehrung;Saldo nach Buchung;Bemerkung;Gekennzeichneter Umsatz;Glaeubiger ID;"
    "Mandatsreferenz\n"
    "Kontokorrent;DE89370400440532013000;GENODEF1S01;VB;20.05.2026;20.05.2026;Ann Smith;DE02120300000000202051;"
    "BYLADEM1001;Überweisungsgutschr.;cust-1001 Mai;12,50;EUR;1.005,00;;;;\n"
    "Kontokorrent;DE89370400440532013000;GENODEF1S01;VB;19.05.2026;19.05.2026;;;;Abschluss;Entgelt;-7,50;EUR;992,50;"
    ";;;\n",
    (1250, -750),
    "cust-1001 Mai",
    "Ann Smith",
    "DE89370400440532013000",
)
DKB = Export(
    '\ufeff"Girokonto";"DE89370400440532013000"\n"Zeitraum:";"01.05.2026 - 20.05.2026"\n'
    '"Kontostand vom 20.05.2026:";"1.234,56 €"\n""\n'
    '"Buchungsdatum";"Wertstellung";"Status";"Zahlungspflichtige*r";"Zahlungsempfänger*in";"Verwendungszweck";'
    '"Umsatztyp";"IBAN";"Betrag (€)";"Gläubiger-ID";"Mandatsreferenz";"Kundenreferenz"\n'
    '"20.05.26";"20.05.26";"Gebucht";"Ann Smith";"ZX GmbH";"cust-1001";"Eingang";"DE02120300000000202051";'
    '"1.012,50 €";"";"";""\n'
    '"19.05.26";"19.05.26";"Gebucht";"ZX GmbH";"Strom AG";"Abschlag";"Ausgang";"DE02100500000054540402";"-80 €";"";"";'
    '""\n'
    '"20.05.26";"";"Vorgemerkt";"Ben";"ZX GmbH";"cust-1002";"Eingang";"";"1,00 €";"";"";""\n',
    (101250, -8000),
    "cust-1001",
    "Ann Smith",
    "DE89370400440532013000",
    pending=1,
)
COMMERZBANK = Export(
    "\ufeffBuchungstag;Wertstellung;Umsatzart;Buchungstext;Betrag;Währung;IBAN Kontoinhaber;Kategorie\n"
    "20.05.2026;20.05.2026;Gutschrift;Ann Smith cust-1001 Mai End-to-End-Ref.: NOTPROVIDED;12,5;EUR;"
    "DE89370400440532013000;Einnahmen\n"
    "20.05.2026;20.05.2026;Zinsen/Entgelte;Kontoführung;-9,9;EUR;DE89370400440532013000;Sonstiges\n",
    (1250, -990),
    "Ann Smith cust-1001 Mai End-to-End-Ref.: NOTPROVIDED",
    "",
    "DE89370400440532013000",
)
DEUTSCHE_BANK = Export(
    "Umsätze Business Konto;;;Kundennummer: 100 1234567\n01.05.2026 - 20.05.2026\n"
    "Letzter Kontostand;;;;1.000,00;EUR\nVorgemerkte und noch nicht gebuchte Umsätze sind nicht Bestandteil.\n"
    "Buchungstag;Wert;Umsatzart;Begünstigter / Auftraggeber;Verwendungszweck;IBAN;BIC;Kundenreferenz;Mandatsreferenz;"
    "Gläubiger ID;Fremde Gebühren;Betrag;Abweichender Empfänger;Anzahl der Aufträge;Anzahl der Schecks;Soll;Haben;"
    "Währung\n"
    "4.5.2026;4.5.2026;SEPA-Gutschrift von;Ann Smith;cust-1001;DE02120300000000202051;BYLADEM1001;;;;;;;;;;1.012,50;"
    "EUR\n"
    "5.5.2026;5.5.2026;SEPA-Überweisung an;Strom AG;Abschlag;DE02100500000054540402;BELADEBE;;;;;;;;;-80,00;;EUR\n"
    "Kontostand;20.05.2026;;;1.932,50;EUR\n",
    (101250, -8000),
    "cust-1001",
    "Ann Smith",
    encoding="cp1252",
)
ING_DE = Export(
    "Umsatzanzeige;Datei erstellt am: 21.05.2026 10:10\n\nIBAN;DE89 3704 0044 0532 0130 00\nKontoname;Girokonto\n"
    "Bank;ING\nKunde;ZX GmbH\nZeitraum;01.05.2026 - 20.05.2026\nSaldo;1.005,00;EUR\n\nSortierung;Datum absteigend\n\n"
    "Die Datei hat nur gebuchte Buchungen.\n\n"
    "Buchung;Wertstellungsdatum;Auftraggeber/Empfänger;Buchungstext;Verwendungszweck;Saldo;Währung;Betrag;Währung\n"
    "20.05.2026;20.05.2026;Ann Smith;Gutschrift;cust-1001;1.005,00;EUR;12,50;EUR\n"
    "19.05.2026;19.05.2026;Strom AG;Lastschrift;Abschlag;992,50;EUR;-7,50;EUR\n",
    (1250, -750),
    "cust-1001",
    "Ann Smith",
    "DE89370400440532013000",
    "iso-8859-1",
)
ING_NL = Export(
    '"Datum";"Naam / Omschrijving";"Rekening";"Tegenrekening";"Code";"Af Bij";"Bedrag (EUR)";"Mutatiesoort";'
    '"Mededelingen";"Saldo na mutatie";"Tag"\n'
    '"20260520";"A Smith";"NL91ABNA0417164300";"NL20INGB0001234567";"OV";"Bij";"12,50";"Overschrijving";'
    '"Naam: A Smith Omschrijving: cust-1001 IBAN: NL20INGB0001234567";"1005,00";""\n'
    '"20260519";"Kosten";"NL91ABNA0417164300";"";"DV";"Af";"7,50";"Diversen";"Kosten";"992,50";""\n',
    (1250, -750),
    "Naam: A Smith Omschrijving: cust-1001 IBAN: NL20INGB0001234567",
    "A Smith",
    "NL91ABNA0417164300",
)
RABOBANK = Export(
    '"IBAN/BBAN","Munt","BIC","Volgnr","Datum","Rentedatum","Bedrag","Saldo na trn","Tegenrekening IBAN/BBAN",'
    '"Naam tegenpartij","Naam uiteindelijke partij","Naam initiërende partij","BIC tegenpartij","Code","Batch ID",'
    '"Transactiereferentie","Machtigingskenmerk","Incassant ID","Betalingskenmerk","Omschrijving-1","Omschrijving-2",'
    '"Omschrijving-3","Reden retour","Oorspr bedrag","Oorspr munt","Koers"\n'
    '"NL91RABO0315273637","EUR","RABONL2U","000000000000007213","2026-05-19","2026-05-19","-7,50","+992,50","","Kosten"'
    ',"","","","db","","","","","","Kosten betalingsverkeer"," ","","","","",""\n'
    '"NL91RABO0315273637","EUR","RABONL2U","000000000000007214","2026-05-20","2026-05-20","+12,50","+1005,00",'
    '"NL20INGB0001234567","A Smith","","","INGBNL2A","cb","","","","","","cust-1001 ","mei","","","","",""\n',
    (-750, 1250),
    "cust-1001",
    "A Smith",
    "NL91RABO0315273637",
    "cp1252",
)
N26 = Export(
    '"Booking Date","Value Date","Partner Name","Partner Iban",Type,"Payment Reference","Account Name","Amount (EUR)",'
    '"Original Amount","Original Currency","Exchange Rate"\n'
    '2026-05-20,2026-05-20,"Ann Smith",DE02120300000000202051,"Credit Transfer",cust-1001,"Main Account",1012.5,,,\n'
    '2026-05-20,2026-05-19,"Shop",,Presentment,,"Main Account",-3.99,3.99,EUR,1\n',
    (101250, -399),
    "cust-1001",
    "Ann Smith",
)
REVOLUT = Export(
    "Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balance\n"
    "TOPUP,Current,2026-05-19 10:11:12,2026-05-19 10:11:13,Payment from Ann Smith cust-1001,100.00,1.00,EUR,COMPLETED,"
    "199.00\n"
    "CARD_PAYMENT,Current,2026-05-20 09:00:00,2026-05-20 11:00:00,Shop,-9.00,0.00,EUR,COMPLETED,190.00\n"
    "CARD_PAYMENT,Current,2026-05-20 12:00:00,,Hotel,-50.00,0.00,EUR,REVERTED,\n",
    (10000, -900),
    "Payment from Ann Smith cust-1001",
    pending=1,
)
REVOLUT_BUSINESS = Export(
    "Date started (UTC),Date completed (UTC),ID,Type,State,Description,Reference,Payer,Card number,Card label,"
    "Card state,Orig currency,Orig amount,Payment currency,Amount,Total amount,Exchange rate,Fee,Fee currency,Balance,"
    "Account,Beneficiary account number,Beneficiary sort code or routing number,Beneficiary IBAN,Beneficiary BIC\n"
    "2026-05-20,2026-05-20,6650a1b2-1111-4222-8333-000000000002,TOPUP,COMPLETED,Money added from Ann Smith,cust-1001,"
    "Ann Smith,,,,EUR,12.50,EUR,12.50,12.30,,0.20,EUR,204.80,EUR Main,,,,\n"
    "2026-05-19,2026-05-19,6650a1b2-1111-4222-8333-000000000001,TRANSFER,COMPLETED,To Strom AG,Abschlag,,,,,EUR,-7.50,"
    "EUR,-7.50,-7.50,,0.00,EUR,192.50,EUR Main,,,,\n",
    (1250, -750),
    "cust-1001\n  \nMoney added from Ann Smith",
)
WISE = Export(
    '"TransferWise ID",Date,Amount,Currency,Description,"Payment Reference","Running Balance","Exchange From",'
    '"Exchange To","Exchange Rate","Payer Name","Payee Name","Payee Account Number",Merchant,"Card Last Four Digits",'
    '"Card Holder Full Name",Attachment,Note,"Total fees","Exchange To Amount"\n'
    'FEE-TRANSFER-900000001,20-05-2026,-0.50,EUR,"Wise Charges for: TRANSFER-900000001","",1004.50,,,,,,,,,,,,0,\n'
    'TRANSFER-900000001,20-05-2026,12.50,EUR,"Received money from Ann Smith with reference cust-1001",cust-1001,'
    '1005.00,,,,"Ann Smith",,,,,,,,0.50,\n',
    (-50, 1250),
    "cust-1001\n  \nReceived money from Ann Smith with reference cust-1001",
    "Ann Smith",
)
LLOYDS = Export(
    "Transaction Date,Transaction Type,Sort Code,Account Number,Transaction Description,Debit Amount,Credit Amount,"
    "Balance\n"
    '20/05/2026,FPI,\'30-00-00,12345678,A SMITH CUST-1001 RP4679,,"1,012.50",2005.00\n'
    "19/05/2026,DD,'30-00-00,12345678,POWER CO,7.50,,992.50\n",
    (101250, -750),
    "A SMITH CUST-1001 RP4679",
    "",
    "12345678",
)
EXPORTS = {
    "sparkasse": SPARKASSE, "volksbank": VOLKSBANK, "dkb": DKB, "commerzbank": COMMERZBANK, "ing_de": ING_DE,
    "deutsche_bank": DEUTSCHE_BANK, "ing_nl": ING_NL, "rabobank": RABOBANK, "n26": N26, "revolut": REVOLUT,
    "revolut_business": REVOLUT_BUSINESS, "wise": WISE, "lloyds": LLOYDS,
}  # fmt: skip
