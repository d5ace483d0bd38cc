-- Who sells and who buys, as the law wants them named on an invoice (2006/112/EC art. 226), and how a rate of VAT is categorised.

create table duly.sellers (
    id text collate "C" primary key check (id ~ '^[a-z][a-z0-9_-]{0,31}$'),
    -- Whose payments on an account of their own at the gateway it sells for; nobody's is the house's own.
    merchant_id text collate "C" unique references duly.merchants,
    name text not null check (length(name) between 1 and 200),
    street text not null check (length(street) between 1 and 200),
    postal_code text not null check (length(postal_code) <= 20),
    city text not null check (length(city) between 1 and 100),
    country text not null check (country ~ '^[A-Z]{2}$'),
    vat_id text not null default '',
    tax_number text not null default '',
    registration text not null default '',
    email text not null default '',
    phone text not null default '',
    iban text not null default '',
    bic text not null default '',
    color text not null default '#1f3a5f' check (color ~ '^#[0-9a-f]{6}$'),
    logo text not null default '' check (length(logo) <= 65536),
    attaches_documents boolean not null default true
);

create unique index one_seller_of_the_house on duly.sellers ((merchant_id is null)) where merchant_id is null;

comment on table duly.sellers is 'Who is named as the seller of a document, with the brand: one of the house, and one of each merchant that has its own.';

create table duly.postal_addresses (
    account_id text collate "C" primary key references duly.accounts,
    -- Empty: the account's owner.
    name text not null default '' check (length(name) <= 200),
    street text not null check (length(street) between 1 and 200),
    addition text not null default '' check (length(addition) <= 200),
    postal_code text not null check (length(postal_code) <= 20),
    city text not null check (length(city) between 1 and 100),
    country text not null check (country ~ '^[A-Z]{2}$'),
    vat_id text not null default '' check (length(vat_id) <= 20),
    -- What the buyer wants to find on an invoice: of German authorities the Leitweg-ID (BT-10).
    reference text not null default '' check (length(reference) <= 100)
);

comment on table duly.postal_addresses is 'To whom an account''s documents are made out.';

alter table duly.tax_rates
    add column category text check (category in ('S', 'Z', 'E', 'AE', 'K', 'G', 'O')),
    add column exemption text not null default '' check (length(exemption) <= 200);

comment on column duly.tax_rates.category is
    'UNTDID 5305 as EN 16931 uses it: standard, zero, exempt, reverse charge, intra-community, export, outside. Empty: standard if it is above 0.';

create trigger definition_changes after insert or update on duly.sellers
    for each row execute function duly.keep_configuration_change('sellers', 'id');
