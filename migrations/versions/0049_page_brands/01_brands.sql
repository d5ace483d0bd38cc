-- What a seller's pages at the gateway show beside its name and colour (P16): a background, and a logo behind an address. Empty is what
-- the gateway's account has.
alter table duly.sellers
    add column background_color text not null default '' check (background_color ~ '^(#[0-9a-f]{6})?$'),
    add column logo_url text not null default '' check (logo_url ~ '^(https://[^[:space:]]+)?$' and length(logo_url) <= 500);
