-- The replica. Replicated tables carry no constraint besides their key: a frame from an honest hub always applies
-- (architecture, invariant 6). Local tables are STRICT with checks.

-- Replicated rows as people see them: the hub's, with pending commands planned over them.
CREATE TABLE rows (
    scope TEXT, -- protocol scope id
    kind TEXT, -- what it is; unknown kinds are kept raw
    id TEXT, -- unique within scope and kind
    version INTEGER, -- scope version that wrote the hub's row, 0 if the hub has none
    rev INTEGER, -- +1 per write at the hub
    schema INTEGER, -- schema version of the body
    hash TEXT, -- SHA-256 of body, hex
    body TEXT, -- canonical JSON, byte for byte
    PRIMARY KEY (scope, kind, id)
) WITHOUT ROWID;

-- What the hub has of a row that a pending command wrote.
CREATE TABLE shadow (
    scope TEXT NOT NULL, -- as in rows
    kind TEXT NOT NULL, -- as in rows
    id TEXT NOT NULL, -- as in rows
    is_present INTEGER NOT NULL CHECK (is_present IN (0, 1)), -- 0: the hub has no such row
    version INTEGER NOT NULL, -- as in rows
    rev INTEGER NOT NULL, -- as in rows
    schema INTEGER NOT NULL, -- as in rows
    hash TEXT NOT NULL, -- as in rows
    body TEXT NOT NULL, -- as in rows
    PRIMARY KEY (scope, kind, id)
) STRICT, WITHOUT ROWID;

-- Typed: driver profiles. Derived from rows by one decoder, rebuilt after upgrades.
CREATE TABLE drivers (
    scope TEXT, -- as in rows
    id TEXT, -- as in rows
    park_id TEXT, -- park of the profile
    unique_driver_id TEXT, -- same person across parks
    last_name TEXT, -- as written
    first_name TEXT, -- as written
    middle_name TEXT, -- as written
    licence_key TEXT, -- folded licence number
    car_id TEXT, -- car driven
    work_status TEXT, -- working, not_working, fired
    PRIMARY KEY (scope, id)
) WITHOUT ROWID;
CREATE INDEX drivers_by_licence ON drivers (licence_key);
CREATE INDEX drivers_by_car ON drivers (scope, car_id);
CREATE INDEX drivers_by_id ON drivers (id);

-- Typed: cars.
CREATE TABLE cars (
    scope TEXT, -- as in rows
    id TEXT, -- as in rows
    park_id TEXT, -- park of the car
    plate TEXT, -- as written
    plate_key TEXT, -- folded plate
    callsign TEXT, -- as written
    brand TEXT, -- make
    model TEXT, -- model
    PRIMARY KEY (scope, id)
) WITHOUT ROWID;
CREATE INDEX cars_by_plate ON cars (scope, plate_key);

-- Typed: driver cards of a park's directory.
CREATE TABLE driver_cards (
    scope TEXT, -- as in rows
    id TEXT, -- as in rows
    driver_id TEXT, -- driver shown
    park_id TEXT, -- park of the driver
    name TEXT, -- full name as written
    plate TEXT, -- as written
    photo_status TEXT, -- status of the latest photo
    thumb TEXT, -- blob id
    PRIMARY KEY (scope, id)
) WITHOUT ROWID;
CREATE INDEX driver_cards_by_driver ON driver_cards (driver_id);

-- Typed: parks known by their directory.
CREATE TABLE park_cards (
    scope TEXT, -- as in rows
    id TEXT, -- as in rows
    park_id TEXT, -- park
    name TEXT, -- name
    city TEXT, -- city id
    is_read_only INTEGER, -- mirror of another system
    PRIMARY KEY (scope, id)
) WITHOUT ROWID;
CREATE INDEX park_cards_by_park ON park_cards (park_id);

-- Typed: photos.
CREATE TABLE photos (
    scope TEXT, -- as in rows
    id TEXT, -- as in rows
    park_id TEXT, -- park that took it
    driver_id TEXT, -- driver shown
    unique_driver_id TEXT, -- same person across parks
    priority TEXT, -- admin or taximeter
    status TEXT, -- where it stands
    reason TEXT, -- why refused
    moderation_round INTEGER, -- rounds begun
    captured_at_ms INTEGER, -- device clock
    PRIMARY KEY (scope, id)
) WITHOUT ROWID;
CREATE INDEX photos_by_driver ON photos (driver_id, captured_at_ms);
CREATE INDEX photos_by_time ON photos (captured_at_ms);
CREATE INDEX photos_by_id ON photos (id);

-- Typed: files of photos.
CREATE TABLE photo_files (
    scope TEXT, -- scope of the photo
    photo_id TEXT, -- photo
    class INTEGER, -- 0 thumb, 1 portrait, 2 original: the order of travel
    blob_id TEXT, -- SHA-256 of the plain bytes
    size_bytes INTEGER, -- plain size
    is_stored INTEGER, -- the hub has it
    PRIMARY KEY (scope, photo_id, class)
) WITHOUT ROWID;
CREATE INDEX photo_files_by_blob ON photo_files (blob_id);
CREATE INDEX photo_files_wanted ON photo_files (class, photo_id) WHERE is_stored = 1;

-- Typed: decisions about faces.
CREATE TABLE match_decisions (
    scope TEXT, -- as in rows
    id TEXT, -- as in rows
    photo_a TEXT, -- one photo
    photo_b TEXT, -- the other
    verdict TEXT, -- same, different, unsure, ignore
    undone_by TEXT, -- decision that undid it
    PRIMARY KEY (scope, id)
) WITHOUT ROWID;
CREATE INDEX match_decisions_by_a ON match_decisions (photo_a);
CREATE INDEX match_decisions_by_b ON match_decisions (photo_b);

-- Typed: rights held.
CREATE TABLE grants (
    scope TEXT, -- as in rows
    id TEXT, -- as in rows
    holder TEXT, -- actor
    role TEXT, -- role
    park_id TEXT, -- where
    PRIMARY KEY (scope, id)
) WITHOUT ROWID;
CREATE INDEX grants_by_holder ON grants (holder);

-- Typed: scopes to replicate.
CREATE TABLE subscriptions (
    scope TEXT, -- as in rows
    id TEXT, -- as in rows
    wanted TEXT, -- scope to replicate
    PRIMARY KEY (scope, id)
) WITHOUT ROWID;

-- Typed: devices.
CREATE TABLE devices (
    scope TEXT, -- as in rows
    id TEXT, -- as in rows
    name TEXT, -- name for people
    revoked_at_ms INTEGER, -- hub time
    PRIMARY KEY (scope, id)
) WITHOUT ROWID;

-- Search: one document per driver of a park, made of profile, card and car.
CREATE TABLE driver_docs (
    doc INTEGER PRIMARY KEY, -- document number in the text indexes
    park_id TEXT NOT NULL, -- park
    driver_id TEXT NOT NULL, -- driver
    sort_name TEXT NOT NULL, -- folded full name
    UNIQUE (park_id, driver_id)
) STRICT;
CREATE INDEX driver_docs_by_park ON driver_docs (park_id, sort_name, doc);
CREATE INDEX driver_docs_by_name ON driver_docs (sort_name, doc);

-- Search: exact and prefix keys of a document.
CREATE TABLE driver_keys (
    space TEXT NOT NULL CHECK (space IN ('phone', 'licence', 'plate', 'callsign')), -- what it is
    key TEXT NOT NULL, -- folded; phones reversed, so that a suffix is a prefix
    doc INTEGER NOT NULL, -- document
    PRIMARY KEY (space, key, doc)
) STRICT, WITHOUT ROWID;
CREATE INDEX driver_keys_by_doc ON driver_keys (doc);

-- Search: folded words and their stems.
CREATE VIRTUAL TABLE driver_words USING fts5 (
    words, -- folded words of the name
    stems, -- their stems
    content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 0', prefix = '2 3'
);

-- Search: any three characters.
CREATE VIRTUAL TABLE driver_trigrams USING fts5 (
    name, -- folded name
    keys, -- folded plates, licence, callsign
    content = '', contentless_delete = 1, tokenize = 'trigram'
);

-- Who this appliance is; one row.
CREATE TABLE identity (
    one INTEGER PRIMARY KEY CHECK (one = 1), -- always 1
    device TEXT, -- device id, NULL before enrolment
    hub TEXT, -- hub id; no other is talked to
    epoch INTEGER NOT NULL DEFAULT 1 CHECK (epoch >= 1), -- device epoch
    next_seq INTEGER NOT NULL DEFAULT 1 CHECK (next_seq >= 1), -- seq of the next command
    enrolled_at_ms INTEGER -- device clock
) STRICT;
INSERT INTO identity (one) VALUES (1);

-- How far each scope is held.
CREATE TABLE cursors (
    scope TEXT PRIMARY KEY, -- scope
    epoch INTEGER NOT NULL DEFAULT 0, -- scope epoch, 0 = never seen
    version INTEGER NOT NULL DEFAULT 0, -- last version applied
    is_complete INTEGER NOT NULL DEFAULT 0 CHECK (is_complete IN (0, 1)), -- its head was reached once
    is_leaving INTEGER NOT NULL DEFAULT 0 CHECK (is_leaving IN (0, 1)) -- unsubscribed; purged when nothing is pending
) STRICT, WITHOUT ROWID;

-- Rows of a scope that is begun again and that were not seen anew yet.
CREATE TABLE sweep (
    scope TEXT NOT NULL, -- as in rows
    kind TEXT NOT NULL, -- as in rows
    id TEXT NOT NULL, -- as in rows
    PRIMARY KEY (scope, kind, id)
) STRICT, WITHOUT ROWID;

-- Commands whose effect is not yet in the hub's rows here.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY, -- place in the epoch's sequence
    id TEXT NOT NULL UNIQUE, -- command id
    epoch INTEGER NOT NULL, -- device epoch
    kind TEXT NOT NULL, -- noun.verb
    actor TEXT NOT NULL, -- who wants it
    bytes BLOB NOT NULL, -- envelope as it is sent, never encoded again
    recorded_at_ms INTEGER NOT NULL, -- device clock
    sent_at_ms INTEGER, -- last sent
    deferred_until_ms INTEGER, -- not before this hub time
    is_resent INTEGER NOT NULL DEFAULT 0 CHECK (is_resent IN (0, 1)), -- the hub asked for it again
    verdict TEXT -- final verdict, while its rows are awaited
) STRICT;

-- Which rows a pending command read and wrote.
CREATE TABLE pending_touch (
    seq INTEGER NOT NULL, -- command
    scope TEXT NOT NULL, -- as in rows
    kind TEXT NOT NULL, -- as in rows; key/<space> and rights for questions that are no rows
    id TEXT NOT NULL, -- as in rows; the key or the actor
    is_write INTEGER NOT NULL CHECK (is_write IN (0, 1)), -- 1 = written
    PRIMARY KEY (seq, scope, kind, id, is_write)
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_touch_by_row ON pending_touch (scope, kind, id, is_write);

-- Blobs that a pending or refused command holds.
CREATE TABLE command_blobs (
    command_id TEXT NOT NULL, -- command
    blob_id TEXT NOT NULL, -- blob
    PRIMARY KEY (command_id, blob_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX command_blobs_by_blob ON command_blobs (blob_id);

-- Judged commands, kept 7 days as a last-resort log of the hub.
CREATE TABLE verdicts (
    epoch INTEGER NOT NULL, -- device epoch
    seq INTEGER NOT NULL, -- place in the sequence
    id TEXT NOT NULL UNIQUE, -- command id
    bytes BLOB NOT NULL, -- envelope as it was sent
    verdict TEXT NOT NULL, -- final verdict
    judged_at_ms INTEGER NOT NULL, -- device clock
    is_resent INTEGER NOT NULL DEFAULT 0 CHECK (is_resent IN (0, 1)), -- the hub asked for it again
    PRIMARY KEY (epoch, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX verdicts_by_time ON verdicts (judged_at_ms);

-- What only a person can settle.
CREATE TABLE needs_attention (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- entry
    kind TEXT NOT NULL CHECK (kind IN ('refused', 'conflict', 'parked_blob', 'salvaged')), -- why
    command_id TEXT, -- command
    bytes BLOB, -- its envelope
    refusal TEXT, -- refusal, JSON
    conflicts TEXT NOT NULL DEFAULT '[]', -- fields with both values, JSON
    blob_id TEXT, -- blob
    created_at_ms INTEGER NOT NULL -- device clock
) STRICT;

-- The rows an entry is about.
CREATE TABLE attention_rows (
    entry INTEGER NOT NULL REFERENCES needs_attention (id) ON DELETE CASCADE, -- entry
    scope TEXT NOT NULL, -- as in rows
    kind TEXT NOT NULL, -- as in rows
    id TEXT NOT NULL, -- as in rows
    PRIMARY KEY (entry, scope, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX attention_rows_by_row ON attention_rows (scope, kind, id);

-- Rows that took the place of others.
CREATE TABLE aliases (
    old_id TEXT PRIMARY KEY, -- id that commands may still name
    new_id TEXT NOT NULL, -- id to use
    at_ms INTEGER NOT NULL -- device clock
) STRICT, WITHOUT ROWID;

-- Files: photos and what waits in the tray.
CREATE TABLE blobs (
    id TEXT PRIMARY KEY, -- SHA-256 of the plain bytes
    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0), -- plain size
    class INTEGER NOT NULL CHECK (class IN (0, 1, 2)), -- 0 thumb, 1 portrait, 2 original
    is_local INTEGER NOT NULL CHECK (is_local IN (0, 1)), -- made here
    is_accepted INTEGER NOT NULL DEFAULT 0 CHECK (is_accepted IN (0, 1)), -- its command was applied: it may be sent
    is_stored INTEGER NOT NULL DEFAULT 0 CHECK (is_stored IN (0, 1)), -- the hub has it
    parts TEXT NOT NULL DEFAULT '[]', -- parts the hub has, JSON
    parked TEXT, -- why it is not tried any more
    created_at_ms INTEGER NOT NULL -- device clock
) STRICT, WITHOUT ROWID;
CREATE INDEX blobs_to_send ON blobs (class, created_at_ms) WHERE is_local = 1 AND is_stored = 0;

-- Where the bytes of files are: one object for each person whose key seals them.
CREATE TABLE blob_holders (
    blob_id TEXT NOT NULL REFERENCES blobs (id) ON DELETE CASCADE, -- blob
    person TEXT NOT NULL, -- whose key seals it
    object TEXT NOT NULL, -- object name here
    PRIMARY KEY (blob_id, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_holders_by_person ON blob_holders (person);

-- Objects to be removed from the folder.
CREATE TABLE trash (
    object TEXT PRIMARY KEY -- object name
) STRICT, WITHOUT ROWID;

-- Face templates, sealed with the person's key; never leave the appliance.
CREATE TABLE templates (
    photo_id TEXT NOT NULL, -- photo
    x INTEGER NOT NULL, -- box, px
    y INTEGER NOT NULL, -- box, px
    w INTEGER NOT NULL, -- box, px
    h INTEGER NOT NULL, -- box, px
    model_id TEXT NOT NULL, -- SHA-256 of the weights
    aligner_id TEXT NOT NULL, -- how the chip was cut
    person TEXT NOT NULL, -- whose key seals it
    sealed BLOB NOT NULL, -- sealed vector
    PRIMARY KEY (photo_id, x, y, w, h, model_id, aligner_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX templates_by_person ON templates (person);
CREATE INDEX templates_by_model ON templates (model_id, aligner_id);

-- The tray: pictures without a driver.
CREATE TABLE unassigned (
    id TEXT PRIMARY KEY, -- entry
    name TEXT NOT NULL, -- file name
    source_sha256 TEXT NOT NULL, -- of the file as it came
    park_id TEXT, -- park, if known
    source TEXT NOT NULL, -- folder, file, camera
    files TEXT NOT NULL, -- class and blob, JSON
    analysis TEXT NOT NULL, -- what the face pipeline said, JSON
    offers TEXT NOT NULL, -- drivers offered, JSON
    reason TEXT NOT NULL, -- why it waits
    captured_at_ms INTEGER NOT NULL, -- when it was taken
    created_at_ms INTEGER NOT NULL -- device clock
) STRICT, WITHOUT ROWID;
CREATE INDEX unassigned_by_time ON unassigned (created_at_ms, id);

-- Files taken before, so that none is taken twice.
CREATE TABLE taken_files (
    sha256 TEXT PRIMARY KEY, -- of the file as it came
    name TEXT NOT NULL, -- file name
    outcome TEXT NOT NULL CHECK (outcome IN ('captured', 'tray', 'rejected')), -- what became of it
    subject TEXT, -- photo or tray entry
    at_ms INTEGER NOT NULL -- device clock
) STRICT, WITHOUT ROWID;

-- Settings of this appliance.
CREATE TABLE settings (
    key TEXT PRIMARY KEY, -- name
    value TEXT NOT NULL -- value
) STRICT, WITHOUT ROWID;

-- What changed, for readers to read again.
CREATE TABLE change_tags (
    n INTEGER PRIMARY KEY AUTOINCREMENT, -- order of commit
    tag TEXT NOT NULL -- what changed
) STRICT;

-- What the link did, for people.
CREATE TABLE sync_log (
    n INTEGER PRIMARY KEY AUTOINCREMENT, -- order
    at_ms INTEGER NOT NULL, -- device clock
    event TEXT NOT NULL, -- code
    detail TEXT NOT NULL -- figures and codes, no personal data
) STRICT;
