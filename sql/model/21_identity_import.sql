-- The identity room: staging for the bulk import, which stands in 24.

CREATE TABLE IF NOT EXISTS o2o.import_identity (
	batch_id bigint NOT NULL,
	source text NOT NULL,
	event_id text NOT NULL,
	occurred_at timestamptz NOT NULL,
	identifiers jsonb NOT NULL,
	traits jsonb,
	profile_id bigint,
	outcome text,
	PRIMARY KEY (batch_id, source, event_id)
);
CREATE INDEX IF NOT EXISTS import_identity_order_idx ON o2o.import_identity (batch_id, occurred_at, source, event_id);
COMMENT ON TABLE o2o.import_identity IS 'Staging of identity_import(batch_id) and identity_resolve_batch(batch_id), filled with COPY: what identify() takes, one row an event. The imports of orders and touchpoints put their events here too.';
COMMENT ON COLUMN o2o.import_identity.batch_id IS 'Number that the caller gives a batch';
COMMENT ON COLUMN o2o.import_identity.source IS 'Source system it came from; refers to source';
COMMENT ON COLUMN o2o.import_identity.event_id IS 'Number of the event in the source; order/, return/ or touchpoint/ before it where that import put it here';
COMMENT ON COLUMN o2o.import_identity.occurred_at IS 'When it happened';
COMMENT ON COLUMN o2o.import_identity.identifiers IS 'Identifiers of the person, as identify() takes them; {}: nobody known';
COMMENT ON COLUMN o2o.import_identity.traits IS 'What the source says of the person, an object of name and value; NULL: nothing';
COMMENT ON COLUMN o2o.import_identity.profile_id IS 'Profile by which the person was recognised, filled by the import; NULL: not imported yet';
COMMENT ON COLUMN o2o.import_identity.outcome IS 'imported, or as identify() says it for an event that was taken by itself, filled by the import; failed: identity_resolve_batch() could not take it, import_problem says why (delete the row and stage it again once that is mended); NULL: not imported yet';

CREATE TABLE IF NOT EXISTS o2o.import_problem (
	batch_id bigint NOT NULL,
	source text NOT NULL,
	source_id text NOT NULL,
	problem text NOT NULL
);
CREATE INDEX IF NOT EXISTS import_problem_batch_id_idx ON o2o.import_problem (batch_id);
COMMENT ON TABLE o2o.import_problem IS 'What a bulk import could not take as it was. The value itself is not repeated here.';
COMMENT ON COLUMN o2o.import_problem.batch_id IS 'Number that the caller gives a batch';
COMMENT ON COLUMN o2o.import_problem.source IS 'Source system it came from; refers to source';
COMMENT ON COLUMN o2o.import_problem.source_id IS 'Number of the row in the source; order/, return/ or touchpoint/ before it where the problem is an identifier of one';
COMMENT ON COLUMN o2o.import_problem.problem IS 'What was wrong, in words';

CREATE TABLE IF NOT EXISTS o2o.import_batch (
	batch_id bigint NOT NULL PRIMARY KEY,
	rows_total bigint NOT NULL DEFAULT 0,
	rows_done bigint NOT NULL DEFAULT 0,
	rows_failed bigint NOT NULL DEFAULT 0,
	chunks bigint NOT NULL DEFAULT 0,
	worked interval NOT NULL DEFAULT '0',
	after_at timestamptz NOT NULL DEFAULT '-infinity',
	after_source text NOT NULL DEFAULT '',
	after_event_id text NOT NULL DEFAULT '',
	started_at timestamptz NOT NULL,
	last_chunk_at timestamptz,
	finished_at timestamptz,
	last_error text,
	last_error_at timestamptz
);
COMMENT ON TABLE o2o.import_batch IS 'How far identity_resolve_batch() is with each batch; the view identity_batch_progress shows it. Its row is locked while a chunk is worked on, so that callers take turns.';
COMMENT ON COLUMN o2o.import_batch.batch_id IS 'Batch in import_identity';
COMMENT ON COLUMN o2o.import_batch.rows_total IS 'Rows staged when it was called last';
COMMENT ON COLUMN o2o.import_batch.rows_done IS 'Rows that have a profile';
COMMENT ON COLUMN o2o.import_batch.rows_failed IS 'Rows that could not be taken';
COMMENT ON COLUMN o2o.import_batch.chunks IS 'Chunks that were committed';
COMMENT ON COLUMN o2o.import_batch.worked IS 'Time spent on these chunks';
COMMENT ON COLUMN o2o.import_batch.after_at IS 'occurred_at of the last row of the last chunk';
COMMENT ON COLUMN o2o.import_batch.after_source IS 'source of that row';
COMMENT ON COLUMN o2o.import_batch.after_event_id IS 'event_id of that row';
COMMENT ON COLUMN o2o.import_batch.started_at IS 'When it was called first';
COMMENT ON COLUMN o2o.import_batch.last_chunk_at IS 'When the last chunk was done; NULL: none yet';
COMMENT ON COLUMN o2o.import_batch.finished_at IS 'When no row was left; NULL: some are';
COMMENT ON COLUMN o2o.import_batch.last_error IS 'SQLSTATE and message of the last error that ended a call; NULL: none. A cancelled call or a crash leaves none';
COMMENT ON COLUMN o2o.import_batch.last_error_at IS 'When that was; NULL: never';
