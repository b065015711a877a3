-- How long a job of a project usually takes is asked by the project: two of them may have the same title.
DROP INDEX attempts_history;
CREATE INDEX attempts_history ON attempts (project, job_name, stopped DESC) WHERE state = 'dead' AND outcome = 'success';
