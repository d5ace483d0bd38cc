-- The supervisor looks every quarter of an hour for disputes that an event told of and nobody has read.
create index events_of_disputes on duly.gateway_events (delivered_at) where subject = 'dispute';
