-- Variables of projects: values are sealed, `hint` is the end of a value that is long enough to show it.
CREATE TABLE variables (
  project INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  name    TEXT NOT NULL,
  sealed  TEXT NOT NULL,
  hint    TEXT NOT NULL,
  set_at  INTEGER NOT NULL,
  set_by  TEXT NOT NULL,
  PRIMARY KEY (project, name)
) WITHOUT ROWID;
