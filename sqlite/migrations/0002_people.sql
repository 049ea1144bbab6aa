-- Typed: people of the parks. Logins and verifiers stay in the body.
CREATE TABLE users (
    scope TEXT, -- as in rows
    id TEXT, -- as in rows
    park_id TEXT, -- park of the person
    name TEXT, -- as written
    login_key TEXT, -- folded login, NULL for a removed person
    role TEXT, -- role
    removed_at_ms INTEGER, -- since when the person no longer works there
    PRIMARY KEY (scope, id)
) WITHOUT ROWID;
CREATE INDEX users_by_login ON users (scope, login_key);
CREATE INDEX users_by_id ON users (id);
