-- Times are UTC unix milliseconds. Ids are the 16 bytes of a UUIDv7.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE changes (
  seq    INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  schema INTEGER NOT NULL,
  topic  TEXT NOT NULL,
  ids    TEXT NOT NULL
);

CREATE TABLE projects (
  id            INTEGER PRIMARY KEY,
  key           TEXT NOT NULL UNIQUE,
  org           TEXT NOT NULL,
  name          TEXT NOT NULL,
  origin        TEXT NOT NULL,
  last_pipeline INTEGER NOT NULL DEFAULT 0,
  last_build    INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE pipelines (
  id       BLOB PRIMARY KEY,
  project  INTEGER NOT NULL REFERENCES projects (id),
  number   INTEGER NOT NULL,
  title    TEXT NOT NULL,
  branch   TEXT NOT NULL,
  tag      TEXT NOT NULL,
  revision TEXT NOT NULL,
  subject  TEXT NOT NULL,
  actor    TEXT NOT NULL,
  source   TEXT NOT NULL,
  status   TEXT NOT NULL,
  problems TEXT NOT NULL,
  created  INTEGER NOT NULL,
  started  INTEGER,
  stopped  INTEGER
) WITHOUT ROWID;
CREATE INDEX pipelines_created ON pipelines (created DESC);
CREATE UNIQUE INDEX pipelines_number ON pipelines (project, number);

CREATE TABLE workflows (
  id         BLOB PRIMARY KEY,
  pipeline   BLOB NOT NULL REFERENCES pipelines (id),
  name       TEXT NOT NULL,
  status     TEXT NOT NULL,
  created    INTEGER NOT NULL,
  stopped    INTEGER,
  rerun_of   BLOB,
  superseded INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX workflows_pipeline ON workflows (pipeline);
CREATE INDEX workflows_live ON workflows (id) WHERE stopped IS NULL;

CREATE TABLE jobs (
  id          BLOB PRIMARY KEY,
  workflow    BLOB NOT NULL REFERENCES workflows (id),
  pipeline    BLOB NOT NULL,
  position    INTEGER NOT NULL,
  number      INTEGER NOT NULL,
  name        TEXT NOT NULL,
  requires    TEXT NOT NULL, -- positions in the workflow, with commas
  parallelism INTEGER NOT NULL,
  status      TEXT NOT NULL,
  spec        TEXT NOT NULL,
  queued      INTEGER,
  started     INTEGER,
  stopped     INTEGER,
  reused_from BLOB
) WITHOUT ROWID;
CREATE INDEX jobs_workflow ON jobs (workflow, position);
CREATE INDEX jobs_pipeline ON jobs (pipeline, status);

CREATE TABLE attempts (
  id             BLOB PRIMARY KEY,
  job            BLOB NOT NULL REFERENCES jobs (id),
  workflow       BLOB NOT NULL,
  pipeline       BLOB NOT NULL,
  project        INTEGER NOT NULL,
  name           TEXT NOT NULL,
  job_name       TEXT NOT NULL,
  workflow_name  TEXT NOT NULL,
  title          TEXT NOT NULL,
  number         INTEGER NOT NULL,
  branch         TEXT NOT NULL,
  copy           INTEGER NOT NULL,
  copies         INTEGER NOT NULL,
  executor       TEXT NOT NULL,
  resource_class TEXT,
  cpu_millis     INTEGER NOT NULL,
  memory_mb      INTEGER NOT NULL,
  priority       INTEGER NOT NULL,
  state          TEXT NOT NULL,
  outcome        TEXT,
  cause          TEXT NOT NULL DEFAULT '',
  stopping       TEXT,
  requeued       INTEGER NOT NULL DEFAULT 0,
  queued         INTEGER NOT NULL,
  placed         INTEGER,
  started        INTEGER,
  stopped        INTEGER,
  node           BLOB,
  node_name      TEXT,
  token          BLOB,
  seq            INTEGER NOT NULL DEFAULT 0,
  step           INTEGER,
  exit_code      INTEGER
) WITHOUT ROWID;
CREATE INDEX attempts_job ON attempts (job, copy);
CREATE INDEX attempts_line ON attempts (priority DESC, queued, id) WHERE state = 'pending';
CREATE INDEX attempts_running ON attempts (placed DESC) WHERE state = 'running';
CREATE INDEX attempts_dead ON attempts (stopped DESC) WHERE state = 'dead';
CREATE INDEX attempts_name ON attempts (name);
CREATE INDEX attempts_history ON attempts (title, job_name, stopped DESC) WHERE state = 'dead' AND outcome = 'success';

CREATE TABLE steps (
  attempt   BLOB NOT NULL,
  step      INTEGER NOT NULL,
  status    TEXT NOT NULL,
  exit_code INTEGER,
  started   INTEGER,
  stopped   INTEGER,
  PRIMARY KEY (attempt, step)
) WITHOUT ROWID;

CREATE TABLE nodes (
  id             BLOB PRIMARY KEY,
  name           TEXT NOT NULL UNIQUE,
  created        INTEGER NOT NULL,
  eligible       INTEGER NOT NULL DEFAULT 1,
  drain_since    INTEGER,
  drain_deadline INTEGER,
  drain_by       TEXT
) WITHOUT ROWID;

CREATE TABLE audit (
  id     INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  actor  TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  result TEXT NOT NULL,
  detail TEXT NOT NULL
);

CREATE TABLE answers (
  key    TEXT PRIMARY KEY,
  at     INTEGER NOT NULL,
  answer TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX answers_at ON answers (at);
