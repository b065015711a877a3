-- Settings: each save is a version; a value of NULL gives the default back. What is staged waits for the next save.
CREATE TABLE settings_versions (
  version INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  actor   TEXT NOT NULL,
  origin  TEXT NOT NULL
);
CREATE TABLE settings_values (
  key     TEXT NOT NULL,
  version INTEGER NOT NULL REFERENCES settings_versions (version),
  value   TEXT,
  PRIMARY KEY (key, version)
) WITHOUT ROWID;
CREATE TABLE settings_staged (
  key   TEXT PRIMARY KEY,
  value TEXT,
  at    INTEGER NOT NULL,
  actor TEXT NOT NULL
) WITHOUT ROWID;
