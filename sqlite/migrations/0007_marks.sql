-- The derived tables are made anew in a transaction of their own: whoever opens the file does it as long as this mark is there.
-- A later step after which bodies are read in another way sets it again.
INSERT OR REPLACE INTO settings (key, value) VALUES ('rebuild', '1');
-- What was told of a command before the hub was restored: only a verdict that changes is news.
ALTER TABLE outbox ADD COLUMN was_verdict TEXT; -- the first final verdict, JSON
