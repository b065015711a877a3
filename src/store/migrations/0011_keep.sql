-- How long things are kept is a setting like the others.
INSERT INTO settings_versions
SELECT (SELECT coalesce(max(version), 0) + 1 FROM settings_versions), CAST(strftime('%s', 'now') AS INTEGER) * 1000, 'server', 'upgrade'
WHERE EXISTS (SELECT 1 FROM meta WHERE key GLOB 'keep.*');
INSERT INTO settings_values
SELECT key, (SELECT max(version) FROM settings_versions), json_quote(value) FROM meta WHERE key GLOB 'keep.*';
DELETE FROM meta WHERE key GLOB 'keep.*';
