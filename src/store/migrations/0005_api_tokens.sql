-- Tokens of people and programs. Of the secret only its SHA-256.
CREATE TABLE api_tokens (
  id      TEXT PRIMARY KEY,
  name    TEXT NOT NULL,
  role    TEXT NOT NULL,
  hash    BLOB NOT NULL,
  created INTEGER NOT NULL,
  by      TEXT NOT NULL,
  expires INTEGER, -- NULL: never
  revoked INTEGER  -- NULL: it opens
) WITHOUT ROWID;
