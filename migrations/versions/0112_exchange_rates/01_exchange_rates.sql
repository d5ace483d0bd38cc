-- What one euro was in a currency on a day, as the European Central Bank published it.
create table duly.exchange_rates (
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$' and currency <> 'EUR'),
    rate_on date not null,
    per_euro numeric not null check (per_euro > 0),
    imported_by text not null,
    imported_at timestamptz not null default clock_timestamp(),
    primary key (currency, rate_on)
);

comment on table duly.exchange_rates is 'Reference rates, units of a currency for one euro; none on days on which none is published.';

-- The currency in which the seller's VAT is also said (2006/112/EC art. 230); empty where documents say it in their own alone.
alter table duly.sellers add column tax_currency text not null default '' check (tax_currency ~ '^([A-Z]{3})?$');

-- The VAT of a posted document in another currency, with the rates by which it was worked out. Frozen with the posting.
create table duly.tax_conversions (
    transaction_id text collate "C" not null references duly.financial_transactions,
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    rate_on date not null,
    document_per_euro numeric not null check (document_per_euro > 0),
    tax_per_euro numeric not null check (tax_per_euro > 0),
    tax_minor bigint not null check (tax_minor >= 0),
    primary key (transaction_id, currency)
);

create trigger append_only before update or delete on duly.tax_conversions
    for each row execute function duly.refuse_change();
create trigger no_truncate before truncate on duly.tax_conversions
    for each statement execute function duly.refuse_change();

comment on table duly.tax_conversions is 'VAT of documents in the national currency of a seller (2006/112/EC art. 91 (2), art. 230).';
