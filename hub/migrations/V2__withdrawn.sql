-- A photo that was taken back lets its blobs go, but whoever still has them to send is told that nobody waits for them.
ALTER TABLE blob_refs ADD COLUMN is_withdrawn INTEGER NOT NULL DEFAULT 0;
-- A driver's photos.
CREATE INDEX blob_refs_by_person ON blob_refs (home, scope_no, person);
