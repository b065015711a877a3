-- What waits for approval is told on every look at the dashboard: few jobs among many.
CREATE INDEX jobs_held ON jobs (pipeline) WHERE status = 'on_hold';
