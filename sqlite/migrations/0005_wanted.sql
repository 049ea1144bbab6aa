-- Which files are to be fetched, beside the rows that name them and in the order in which they are fetched: neither a step of
-- the link nor a sum looks at what is held.
ALTER TABLE photo_files ADD COLUMN captured_at_ms INTEGER; -- as in photos
ALTER TABLE photo_files ADD COLUMN is_missing INTEGER; -- 1 = the hub has it, it is not here, and its photo was not taken back
DROP INDEX photo_files_wanted;
CREATE INDEX photo_files_missing ON photo_files (class, captured_at_ms DESC, photo_id, blob_id, size_bytes)
    WHERE is_missing = 1;
CREATE INDEX photo_files_unstored ON photo_files (scope, photo_id) WHERE is_stored = 0;
CREATE INDEX blobs_parked ON blobs (id) WHERE parked IS NOT NULL;
-- Whoever keeps or lets go an object, the rows that name its file know.
CREATE TRIGGER blob_kept AFTER INSERT ON blob_holders BEGIN
    UPDATE photo_files SET is_missing = 0 WHERE blob_id = NEW.blob_id;
END;
CREATE TRIGGER blob_let_go AFTER DELETE ON blob_holders BEGIN
    UPDATE photo_files
    SET is_missing = is_stored = 1
        AND NOT EXISTS (SELECT 1 FROM blob_holders WHERE blob_id = OLD.blob_id)
        AND EXISTS (SELECT 1 FROM photos WHERE photos.scope = photo_files.scope AND photos.id = photo_files.photo_id
            AND status <> 'withdrawn')
    WHERE blob_id = OLD.blob_id;
END;
