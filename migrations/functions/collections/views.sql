-- Invoices that somebody is collecting: nobody else may.
create or replace view duly.owned_invoices as
    select c.account_id, unnest(c.invoices) as invoice_id from duly.collections c where c.closed_at is null
    union all
    select r.account_id, unnest(r.invoices) from duly.gateway_requests r
    where r.kind = 'payment' and r.state in ('pending', 'under_processing', 'unknown')
    union all
    select i.account_id, unnest(i.invoices) from duly.run_items i where i.outcome is null;
