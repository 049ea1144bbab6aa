-- Photos that were taken back.
CREATE INDEX photos_withdrawn ON photos (scope, id) WHERE status = 'withdrawn';
-- Which parts the hub has is asked of the hub: nobody read it here.
ALTER TABLE blobs DROP COLUMN parts;
