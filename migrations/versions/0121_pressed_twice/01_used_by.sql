-- The hash of the key of the page whose button has used a link up.
alter table duly.portal_links add column used_by text collate "C";

-- The function has one argument more, with a default: who calls it as before means the new one, and not one of two.
drop function if exists duly.start_portal_session(text, text);
