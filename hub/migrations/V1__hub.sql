-- The hub's facts on one file. Replicated facts are in sync_rows; whatever is looked up or constrained has a narrow
-- table filled from it in the same transaction (index.rs) and rebuildable at any time.

-- Who this hub is; one row.
CREATE TABLE hub (
    only_row      INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    -- The id that replicas remember: they talk to no other hub.
    hub_id        TEXT    NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;

-- The newest version of each scope. The row is bumped last in the writing transaction, so versions have commit order
-- and no gaps.
CREATE TABLE scope_heads (
    -- park/{id}, city/{id}, device/{id}, org, tags: what the tables are distributed by.
    home     TEXT    NOT NULL,
    -- The scope's number within its home (store/rows.rs).
    scope_no INTEGER NOT NULL,
    -- The scope's text, for people and listings.
    scope    TEXT    NOT NULL UNIQUE,
    -- Counted up after a restore.
    epoch    INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    PRIMARY KEY (home, scope_no)
) STRICT, WITHOUT ROWID;

-- When each epoch of a scope began: a replica of the epoch before goes on if its cursor is not above began_at.
CREATE TABLE scope_epochs (
    home     TEXT    NOT NULL,
    scope_no INTEGER NOT NULL,
    epoch    INTEGER NOT NULL,
    -- The version at which the epoch began.
    began_at INTEGER NOT NULL,
    PRIMARY KEY (home, scope_no, epoch)
) STRICT, WITHOUT ROWID;

-- Replicated rows. No constraint besides the key (architecture, invariant 6).
CREATE TABLE sync_rows (
    home     TEXT    NOT NULL,
    scope_no INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    -- The scope's version that wrote it.
    version  INTEGER NOT NULL,
    -- +1 per write in any scope.
    rev      INTEGER NOT NULL,
    deleted  INTEGER NOT NULL,
    -- Schema version of the body.
    schema   INTEGER NOT NULL,
    -- SHA-256 of the body, hex.
    hash     TEXT    NOT NULL,
    -- Exact canonical text; empty when deleted.
    body     TEXT    NOT NULL,
    PRIMARY KEY (home, scope_no, kind, id)
) STRICT;
CREATE INDEX sync_rows_by_version ON sync_rows (home, scope_no, version);
CREATE INDEX sync_rows_by_id ON sync_rows (kind, id);

-- Claims: within a scope a key belongs to at most one live row.
CREATE TABLE keys (
    -- licence, plate.
    ns       TEXT    NOT NULL,
    home     TEXT    NOT NULL,
    scope_no INTEGER NOT NULL,
    -- The folded key (domain, fold).
    key      TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    PRIMARY KEY (ns, home, scope_no, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_by_row ON keys (home, scope_no, kind, id);

-- Which rows refer to which blobs: the right to read or send a blob rests on it.
CREATE TABLE blob_refs (
    home       TEXT    NOT NULL,
    scope_no   INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    -- SHA-256 of the plain bytes, hex.
    blob       TEXT    NOT NULL,
    -- By the row; absent if the row does not say.
    size_bytes INTEGER,
    -- The driver shown: owner of the key that seals the bytes.
    person     TEXT    NOT NULL,
    -- The device that took it: it may send the bytes whatever it reads.
    device     TEXT,
    PRIMARY KEY (blob, home, scope_no, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_refs_by_row ON blob_refs (home, scope_no, kind, id);

-- Rights to write.
CREATE TABLE grants (
    home     TEXT    NOT NULL,
    scope_no INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    -- device/{id} or user/{id}.
    holder   TEXT    NOT NULL,
    role     TEXT    NOT NULL,
    park     TEXT    NOT NULL,
    PRIMARY KEY (home, scope_no, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX grants_by_holder ON grants (holder);

-- What each device may read.
CREATE TABLE subscriptions (
    -- device/{id}.
    home     TEXT    NOT NULL,
    scope_no INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    scope    TEXT    NOT NULL,
    PRIMARY KEY (home, scope_no, kind, id)
) STRICT, WITHOUT ROWID;

-- Enrolled appliances.
CREATE TABLE devices (
    home           TEXT    NOT NULL,
    scope_no       INTEGER NOT NULL,
    kind           TEXT    NOT NULL,
    -- The device.
    id             TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    enrolled_at_ms INTEGER NOT NULL,
    revoked_at_ms  INTEGER,
    PRIMARY KEY (home, scope_no, kind, id)
) STRICT, WITHOUT ROWID;

-- Tokens of devices, hashed: the file's reader cannot speak as a device.
CREATE TABLE tokens (
    -- SHA-256 of the token.
    hash       BLOB    NOT NULL PRIMARY KEY,
    device     TEXT    NOT NULL,
    made_at_ms INTEGER NOT NULL,
    -- First use: the device's other unused tokens (of repeated enrolment answers) end then.
    used_at_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_device ON tokens (device);

-- One-time enrolment codes.
CREATE TABLE enrolment_codes (
    -- The first group of the code, which names it.
    handle        TEXT    NOT NULL PRIMARY KEY,
    -- SHA-256 of the whole code.
    hash          BLOB    NOT NULL,
    role          TEXT    NOT NULL,
    -- JSON list of park ids.
    parks         TEXT    NOT NULL,
    -- JSON list of scopes.
    scopes        TEXT    NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    wrong_tries   INTEGER NOT NULL DEFAULT 0,
    -- Of the enrolment that used it: the same request gets the same device again.
    request       TEXT,
    device        TEXT
) STRICT, WITHOUT ROWID;

-- Judged commands, for 400 days: the same id gets its first verdict again.
CREATE TABLE commands (
    id     TEXT    NOT NULL PRIMARY KEY,
    -- The device that pushed it; absent for the hub's own.
    device TEXT,
    -- SHA-256 of its bytes.
    sha256 BLOB    NOT NULL,
    -- JSON.
    verdict TEXT   NOT NULL,
    at_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX commands_by_time ON commands (at_ms);

-- Which command took which place in a device epoch.
CREATE TABLE seqs (
    device  TEXT    NOT NULL,
    epoch   INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    command TEXT    NOT NULL,
    PRIMARY KEY (device, epoch, seq)
) STRICT, WITHOUT ROWID;

-- Kept for ever: up to floor the device has its verdicts safe.
CREATE TABLE device_heads (
    device TEXT    NOT NULL,
    epoch  INTEGER NOT NULL,
    floor  INTEGER NOT NULL,
    PRIMARY KEY (device, epoch)
) STRICT, WITHOUT ROWID;

-- Blobs that are here whole. One per home: knowing a hash opens nothing of another park.
CREATE TABLE blobs (
    home         TEXT    NOT NULL,
    -- SHA-256 of the plain bytes, hex.
    id           TEXT    NOT NULL,
    size_bytes   INTEGER NOT NULL,
    -- Random name in the object folder.
    object       TEXT    NOT NULL UNIQUE,
    -- Owner of the key that seals it.
    person       TEXT    NOT NULL,
    stored_at_ms INTEGER NOT NULL,
    PRIMARY KEY (home, id)
) STRICT, WITHOUT ROWID;

-- Parts on the way, per device: nobody can spoil another's upload.
CREATE TABLE blob_parts (
    device     TEXT    NOT NULL,
    blob       TEXT    NOT NULL,
    n          INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    -- SHA-256 of the part's plain bytes, hex.
    hash       TEXT    NOT NULL,
    -- Owner of the key that seals it.
    person     TEXT    NOT NULL,
    -- Random name in the staging folder.
    object     TEXT    NOT NULL UNIQUE,
    at_ms      INTEGER NOT NULL,
    PRIMARY KEY (device, blob, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_parts_by_time ON blob_parts (at_ms);
