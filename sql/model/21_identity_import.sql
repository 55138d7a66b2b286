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
COMMENT ON TABLE o2o.import_identity IS 'Staging of identity_import(batch_id), filled with COPY: what identify() takes, one row an event. The imports of orders and touchpoints put their events here too.';
COMMENT ON COLUMN o2o.import_identity.batch_id IS 'Number that the caller gives a batch';
COMMENT ON COLUMN o2o.import_identity.source IS 'Source system it came from; refers to source';
COMMENT ON COLUMN o2o.import_identity.event_id IS 'Number of the event in the source; order/, return/ or touchpoint/ before it where that import put it here';
COMMENT ON COLUMN o2o.import_identity.occurred_at IS 'When it happened';
COMMENT ON COLUMN o2o.import_identity.identifiers IS 'Identifiers of the person, as identify() takes them; {}: nobody known';
COMMENT ON COLUMN o2o.import_identity.traits IS 'What the source says of the person, an object of name and value; NULL: nothing';
COMMENT ON COLUMN o2o.import_identity.profile_id IS 'Profile by which the person was recognised, filled by the import; NULL: not imported yet';
COMMENT ON COLUMN o2o.import_identity.outcome IS 'imported, or as identify() says it for an event that was taken by itself, filled by the import; NULL: not imported yet';

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
