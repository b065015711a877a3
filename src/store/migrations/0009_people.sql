-- People who have signed in, by where they are known (ldap, github), and their sessions. Of a session's secret only its SHA-256.
CREATE TABLE people (
  kind  TEXT NOT NULL,
  name  TEXT NOT NULL,
  email TEXT NOT NULL,
  first INTEGER NOT NULL,
  last  INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE TABLE sessions (
  id      TEXT PRIMARY KEY,
  way     TEXT NOT NULL,
  name    TEXT NOT NULL,
  mark    TEXT NOT NULL,    -- what the person was known by: the entry's name in the directory, a print of the password
  role    TEXT NOT NULL,
  hash    BLOB NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  checked INTEGER NOT NULL, -- when the person was last found to be as they were
  origin  TEXT NOT NULL,
  ended   INTEGER,          -- NULL: it opens until it expires
  why     TEXT NOT NULL
) WITHOUT ROWID;
