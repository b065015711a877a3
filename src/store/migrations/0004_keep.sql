-- When the logs of a run were removed, so that where they would be can say so.
ALTER TABLE attempts ADD COLUMN log_removed INTEGER;
CREATE INDEX attempts_logs ON attempts (stopped) WHERE state = 'dead' AND placed IS NOT NULL AND log_removed IS NULL;
