-- Whether the installation takes new work: one row, made when a server first starts.
CREATE TABLE installation (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  phase TEXT NOT NULL,
  since INTEGER NOT NULL,
  by    TEXT NOT NULL
);
