-- By what a seller's documents are written where it is not ours, by format: pdf, html, rtf. What is printed keeps the version it was written by.
alter table duly.sellers add column templates jsonb not null default '{}' check (jsonb_typeof(templates) = 'object');
