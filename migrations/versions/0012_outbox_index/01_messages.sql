-- What is in the outbox and not sent is counted again and again; what was sent is most of the table.
create index messages_unsent on duly.messages (state) where state in ('sending', 'failed', 'withheld');
