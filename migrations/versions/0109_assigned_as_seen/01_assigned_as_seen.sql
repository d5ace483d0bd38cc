drop function if exists duly.assign_collection(text, text, text, text);
