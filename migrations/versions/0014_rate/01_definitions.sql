-- Shards and window of a run follow from the gateway's rate where its definition does not set them. What release 0.1.0
-- has stored where nobody had set anything goes: two shards with a window of fifty.
alter table duly.run_definitions
    alter column shards drop not null, alter column shards drop default,
    alter column window_size drop not null, alter column window_size drop default;

update duly.run_definitions set shards = null, window_size = null where shards = 2 and window_size = 50;
