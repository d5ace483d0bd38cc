-- What the page of an attempt shows and offers: title, methods, brand. Null: no page, or one of a release before this.
alter table duly.gateway_attempts add column page jsonb;
