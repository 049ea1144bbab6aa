-- The hub's facts on PostgreSQL: the tables of V1__hub.sql and V2__withdrawn.sql, with the same meaning. Keys begin with what
-- the tables are distributed by, so that the same schema spreads over cells or Citus; the large ones are partitioned by
-- its hash. Texts are compared as bytes, as on the other store.

-- Who this hub is; one row.
CREATE TABLE hub (
    only_row      smallint NOT NULL PRIMARY KEY CHECK (only_row = 1),
    -- The id that replicas remember: they talk to no other hub.
    hub_id        text COLLATE "C" NOT NULL,
    created_at_ms bigint NOT NULL,
    -- Sealed with a key made of the hub's own: a process with another one is not of this hub.
    key_check     bytea NOT NULL
);

-- The newest version of each scope. Its row is locked from the bump to the commit, so versions have commit order and no
-- gaps. Half-empty pages let a bump stay on its page.
CREATE TABLE scope_heads (
    -- park/{id}, city/{id}, device/{id}, org, tags: what the tables are distributed by.
    home     text COLLATE "C" NOT NULL,
    -- The scope's number within its home (store/place.rs).
    scope_no smallint NOT NULL,
    -- The scope's text, for people and listings.
    scope    text COLLATE "C" NOT NULL,
    -- Counted up after a restore.
    epoch    bigint NOT NULL,
    version  bigint NOT NULL,
    PRIMARY KEY (home, scope_no)
) WITH (fillfactor = 50);
-- The newest epoch is that of a scope that nothing was written to yet. A bump leaves it alone.
CREATE INDEX scope_heads_by_epoch ON scope_heads (epoch);

-- When each epoch of a scope began: a replica of the epoch before goes on if its cursor is not above began_at.
CREATE TABLE scope_epochs (
    home     text COLLATE "C" NOT NULL,
    scope_no smallint NOT NULL,
    epoch    bigint NOT NULL,
    -- The version at which the epoch began.
    began_at bigint NOT NULL,
    PRIMARY KEY (home, scope_no, epoch)
);

-- Replicated rows. No constraint besides the key (architecture, invariant 6).
CREATE TABLE sync_rows (
    home     text COLLATE "C" NOT NULL,
    scope_no smallint NOT NULL,
    kind     text COLLATE "C" NOT NULL,
    id       text COLLATE "C" NOT NULL,
    -- The scope's version that wrote it.
    version  bigint NOT NULL,
    -- +1 per write in any scope.
    rev      bigint NOT NULL,
    deleted  boolean NOT NULL,
    -- Schema version of the body.
    schema   integer NOT NULL,
    -- SHA-256 of the body, hex.
    hash     text COLLATE "C" NOT NULL,
    -- Exact canonical text, never jsonb; empty when deleted.
    body     text COLLATE "C" NOT NULL,
    PRIMARY KEY (home, scope_no, kind, id)
) PARTITION BY HASH (home);
CREATE INDEX sync_rows_by_version ON sync_rows (home, scope_no, version);
CREATE INDEX sync_rows_by_id ON sync_rows (kind, id);

-- Claims: within a scope a key belongs to at most one live row.
CREATE TABLE keys (
    home     text COLLATE "C" NOT NULL,
    scope_no smallint NOT NULL,
    -- licence, plate, login.
    ns       text COLLATE "C" NOT NULL,
    -- The folded key (domain, fold).
    key      text COLLATE "C" NOT NULL,
    kind     text COLLATE "C" NOT NULL,
    id       text COLLATE "C" NOT NULL,
    PRIMARY KEY (home, scope_no, ns, key)
) PARTITION BY HASH (home);
-- Not (home, ...): without statistics the planner would take it for the primary key and read a whole home per key.
CREATE INDEX keys_by_row ON keys (id, kind, home, scope_no);

-- Which rows refer to which blobs: the right to read or send a blob rests on it.
CREATE TABLE blob_refs (
    home         text COLLATE "C" NOT NULL,
    scope_no     smallint NOT NULL,
    kind         text COLLATE "C" NOT NULL,
    id           text COLLATE "C" NOT NULL,
    -- SHA-256 of the plain bytes, hex.
    blob         text COLLATE "C" NOT NULL,
    -- By the row; absent if the row does not say.
    size_bytes   bigint,
    -- The driver shown: owner of the key that seals the bytes.
    person       text COLLATE "C" NOT NULL,
    -- The device that took it: it may send the bytes whatever it reads.
    device       text COLLATE "C",
    -- The row let it go: nobody waits for the bytes any more.
    is_withdrawn boolean NOT NULL,
    PRIMARY KEY (home, scope_no, kind, id, blob)
) PARTITION BY HASH (home);
CREATE INDEX blob_refs_by_blob ON blob_refs (blob, home);
CREATE INDEX blob_refs_by_person ON blob_refs (person, home, scope_no);

-- Rights to write.
CREATE TABLE grants (
    home     text COLLATE "C" NOT NULL,
    scope_no smallint NOT NULL,
    kind     text COLLATE "C" NOT NULL,
    id       text COLLATE "C" NOT NULL,
    -- device/{id} or user/{id}.
    holder   text COLLATE "C" NOT NULL,
    role     text COLLATE "C" NOT NULL,
    park     text COLLATE "C" NOT NULL,
    PRIMARY KEY (home, scope_no, kind, id)
);
CREATE INDEX grants_by_holder ON grants (holder);

-- What each device may read.
CREATE TABLE subscriptions (
    -- device/{id}.
    home     text COLLATE "C" NOT NULL,
    scope_no smallint NOT NULL,
    kind     text COLLATE "C" NOT NULL,
    id       text COLLATE "C" NOT NULL,
    scope    text COLLATE "C" NOT NULL,
    PRIMARY KEY (home, scope_no, kind, id)
);

-- Enrolled appliances.
CREATE TABLE devices (
    home           text COLLATE "C" NOT NULL,
    scope_no       smallint NOT NULL,
    kind           text COLLATE "C" NOT NULL,
    -- The device.
    id             text COLLATE "C" NOT NULL,
    name           text COLLATE "C" NOT NULL,
    enrolled_at_ms bigint NOT NULL,
    revoked_at_ms  bigint,
    PRIMARY KEY (home, scope_no, kind, id)
);

-- Tokens of devices, hashed: the table's reader cannot speak as a device.
CREATE TABLE tokens (
    -- SHA-256 of the token.
    hash       bytea NOT NULL PRIMARY KEY,
    device     text COLLATE "C" NOT NULL,
    made_at_ms bigint NOT NULL,
    -- First use: the device's other unused tokens (of repeated enrolment answers) end then.
    used_at_ms bigint
);
CREATE INDEX tokens_by_device ON tokens (device);

-- One-time enrolment codes.
CREATE TABLE enrolment_codes (
    -- The first group of the code, which names it.
    handle        text COLLATE "C" NOT NULL PRIMARY KEY,
    -- SHA-256 of the whole code.
    hash          bytea NOT NULL,
    role          text COLLATE "C" NOT NULL,
    -- JSON list of park ids.
    parks         text COLLATE "C" NOT NULL,
    -- JSON list of scopes.
    scopes        text COLLATE "C" NOT NULL,
    expires_at_ms bigint NOT NULL,
    wrong_tries   bigint NOT NULL DEFAULT 0,
    -- Of the enrolment that used it: the same request gets the same device again.
    request       text COLLATE "C",
    device        text COLLATE "C"
);

-- Judged commands, for 400 days: the same id gets its first verdict again.
CREATE TABLE commands (
    id      text COLLATE "C" NOT NULL PRIMARY KEY,
    -- The device that pushed it; absent for the hub's own.
    device  text COLLATE "C",
    -- SHA-256 of its bytes.
    sha256  bytea NOT NULL,
    -- JSON.
    verdict text COLLATE "C" NOT NULL,
    at_ms   bigint NOT NULL
) PARTITION BY HASH (id);
CREATE INDEX commands_by_time ON commands (at_ms);

-- Which command took which place in a device epoch.
CREATE TABLE seqs (
    device  text COLLATE "C" NOT NULL,
    epoch   bigint NOT NULL,
    seq     bigint NOT NULL,
    command text COLLATE "C" NOT NULL,
    PRIMARY KEY (device, epoch, seq)
) PARTITION BY HASH (device);

-- Kept for ever: up to floor the device has its verdicts safe.
CREATE TABLE device_heads (
    device text COLLATE "C" NOT NULL,
    epoch  bigint NOT NULL,
    floor  bigint NOT NULL,
    PRIMARY KEY (device, epoch)
);

-- Blobs that are here whole. One per home: knowing a hash opens nothing of another park.
CREATE TABLE blobs (
    home         text COLLATE "C" NOT NULL,
    -- SHA-256 of the plain bytes, hex.
    id           text COLLATE "C" NOT NULL,
    size_bytes   bigint NOT NULL,
    -- Random name in the object folder: 128 bits, so that no other is alike.
    object       text COLLATE "C" NOT NULL,
    -- Owner of the key that seals it.
    person       text COLLATE "C" NOT NULL,
    stored_at_ms bigint NOT NULL,
    PRIMARY KEY (home, id)
) PARTITION BY HASH (home);
CREATE INDEX blobs_by_object ON blobs (object);

-- Parts on the way, per device: nobody can spoil another's upload.
CREATE TABLE blob_parts (
    device     text COLLATE "C" NOT NULL,
    blob       text COLLATE "C" NOT NULL,
    n          bigint NOT NULL,
    size_bytes bigint NOT NULL,
    -- SHA-256 of the part's plain bytes, hex.
    hash       text COLLATE "C" NOT NULL,
    -- Owner of the key that seals it.
    person     text COLLATE "C" NOT NULL,
    -- Random name in the staging folder.
    object     text COLLATE "C" NOT NULL UNIQUE,
    at_ms      bigint NOT NULL,
    PRIMARY KEY (device, blob, n)
);
CREATE INDEX blob_parts_by_time ON blob_parts (at_ms);

-- Each person's data key, itself sealed with a key that is made of the hub's own and is not in this database. In a schema
-- of its own, which no dump of the rows may hold: destroying a key destroys all that was sealed with it.
CREATE SCHEMA parkdesk_keys;
CREATE TABLE parkdesk_keys.person_keys (
    -- The home and the driver in it.
    person     text COLLATE "C" NOT NULL PRIMARY KEY,
    sealed     bytea NOT NULL,
    made_at_ms bigint NOT NULL
);

DO $$
DECLARE
    large text;
    part  integer;
BEGIN
    FOREACH large IN ARRAY ARRAY['sync_rows', 'keys', 'blob_refs', 'commands', 'seqs', 'blobs'] LOOP
        FOR part IN 0..7 LOOP
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS 8, REMAINDER %s)',
                           large || '_' || part, large, part);
        END LOOP;
    END LOOP;
END $$;
