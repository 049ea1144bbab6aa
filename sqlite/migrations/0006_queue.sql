-- The queue in the order in which it goes out, and what of it is judged: a step looks at its own commands, not at all.
ALTER TABLE outbox ADD COLUMN is_person INTEGER GENERATED ALWAYS AS (substr(actor, 1, 5) = 'user/') VIRTUAL; -- 1 = somebody waits for it
CREATE INDEX outbox_due ON outbox (is_resent DESC, is_person DESC, seq) WHERE verdict IS NULL OR is_resent = 1;
CREATE INDEX outbox_judged ON outbox (seq) WHERE verdict IS NOT NULL;
