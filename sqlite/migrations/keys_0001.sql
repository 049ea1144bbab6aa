-- The key store: beside the replica, so that it can be kept out of copies and cleaned on its own.

-- One data key per person.
CREATE TABLE person_keys (
    person TEXT PRIMARY KEY, -- whose
    key BLOB, -- 32 bytes; NULL once destroyed, so that it is not made again in silence
    CHECK (key IS NULL OR length(key) = 32)
) STRICT, WITHOUT ROWID;
