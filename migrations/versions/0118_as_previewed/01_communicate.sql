-- The function has one argument more, with a default: who calls it as before means the new one, and not one of two.
drop function if exists duly.communicate(text, text, text, text[], date, date, jsonb, text, text, bigint);
