-- Repositories that are looked at for new commits, and what each has made pipelines of.
CREATE TABLE watches (
  id      BLOB PRIMARY KEY,
  source  TEXT NOT NULL UNIQUE,
  title   TEXT NOT NULL,
  every_s INTEGER NOT NULL,
  created INTEGER NOT NULL,
  actor   TEXT NOT NULL,
  tips    TEXT NOT NULL -- JSON: branch to commit, as last taken in
) WITHOUT ROWID;

CREATE TABLE watched_commits (
  watch    BLOB NOT NULL REFERENCES watches (id) ON DELETE CASCADE,
  revision TEXT NOT NULL,
  pipeline BLOB NOT NULL,
  PRIMARY KEY (watch, revision)
) WITHOUT ROWID;
