-- Each person's data key, in a file of its own that no backup of hub.db holds: destroying a key destroys all that was
-- sealed with it.
CREATE TABLE person_keys (
    -- The home and the driver in it.
    person     TEXT    NOT NULL PRIMARY KEY,
    -- 32 random bytes.
    key        BLOB    NOT NULL,
    made_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
