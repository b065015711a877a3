-- Virtual machines of the VM provider. A row is written before the provider is asked for one, and goes once it is known to be gone.
CREATE TABLE vms (
  id       BLOB PRIMARY KEY, -- ours: the tag that it carries
  purpose  TEXT NOT NULL,
  state    TEXT NOT NULL,
  region   TEXT NOT NULL,    -- where it was asked for: the setting may have changed since
  shape    TEXT NOT NULL,    -- a sum of what was asked for, to know those that would be made otherwise today
  instance TEXT,             -- the provider's id, once it is known
  address  TEXT,
  attempt  BLOB,             -- which has it, or had
  asked_by TEXT NOT NULL,    -- empty: nobody but the pool
  made     INTEGER NOT NULL,
  since    INTEGER NOT NULL, -- in this state
  why      TEXT NOT NULL     -- it ends
) WITHOUT ROWID;
-- One for a job, whatever else goes wrong.
CREATE UNIQUE INDEX vms_lent ON vms (attempt) WHERE state = 'leased';
