-- The identity room: staging for the bulk import. (The resolver stands in 22_identity_resolve.sql.)

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
