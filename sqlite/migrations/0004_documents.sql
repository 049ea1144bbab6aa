-- What a search document was made of, so that one that says the same is not made again.
ALTER TABLE driver_docs ADD COLUMN names TEXT NOT NULL DEFAULT ''; -- folded names, joined
ALTER TABLE driver_docs ADD COLUMN keys TEXT NOT NULL DEFAULT ''; -- its keys with their spaces, one a line
