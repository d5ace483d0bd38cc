-- Invoices that somebody is collecting, or that a run is about to: nobody else asks for them. The collation is that of the
-- view of 0.1.0, which a replacement must keep. `amount_minor`: so much of it; null: all the rest.
create or replace view duly.owned_invoices as
    select w.account_id, w.invoice_id collate "default" as invoice_id, w.amount_minor from duly.claims w
    union all
    select i.account_id, unnest(i.invoices), null from duly.run_items i where i.outcome is null;
