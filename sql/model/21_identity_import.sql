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
COMMENT ON TABLE o2o.import_identity IS 'Staging of identity_import(batch_id), filled with COPY: what identify() takes (source, event_id, occurred_at, identifiers, traits), one row an event; identity_import fills profile_id and outcome.';

CREATE TABLE IF NOT EXISTS o2o.import_problem (
	batch_id bigint NOT NULL,
	source text NOT NULL,
	source_id text NOT NULL,
	problem text NOT NULL
);
CREATE INDEX IF NOT EXISTS import_problem_batch_id_idx ON o2o.import_problem (batch_id);
COMMENT ON TABLE o2o.import_problem IS 'What a bulk import could not take as it was: batch, source, the row''s id in the source, and what was wrong. The value itself is not repeated here.';
