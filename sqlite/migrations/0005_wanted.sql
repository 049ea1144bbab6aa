-- Which files are here, beside the rows that name them: what is to be fetched is found without looking at what is held.
ALTER TABLE photo_files ADD COLUMN is_here INTEGER; -- 1 = an object of it is in the folder
DROP INDEX photo_files_wanted;
CREATE INDEX photo_files_wanted ON photo_files (class, photo_id) WHERE is_stored = 1 AND is_here = 0;
-- Whoever keeps or lets go an object, the rows that name its file know.
CREATE TRIGGER blob_kept AFTER INSERT ON blob_holders BEGIN
    UPDATE photo_files SET is_here = 1 WHERE blob_id = NEW.blob_id;
END;
CREATE TRIGGER blob_let_go AFTER DELETE ON blob_holders BEGIN
    UPDATE photo_files SET is_here = EXISTS (SELECT 1 FROM blob_holders WHERE blob_id = OLD.blob_id)
    WHERE blob_id = OLD.blob_id;
END;
