-- The journeys room: staging for the bulk import of touchpoints.

CREATE TABLE IF NOT EXISTS o2o.import_touchpoint (
	batch_id bigint NOT NULL,
	source text NOT NULL,
	event_id text NOT NULL,
	occurred_at timestamptz NOT NULL,
	identifiers jsonb NOT NULL,
	stage text NOT NULL,
	verb text NOT NULL,
	channel text NOT NULL,
	location text,
	sku text,
	order_source_id text,
	content text,
	position o2o.geopoint,
	profile_id bigint,
	outcome text,
	PRIMARY KEY (batch_id, source, event_id)
);
COMMENT ON TABLE o2o.import_touchpoint IS 'Staging of touchpoint_import(batch_id), filled with COPY: touchpoints with the identifiers of the person ({} for nobody known), stage, verb, channel, location (as <source>/<source_id>), product, order, content, position. touchpoint_import fills profile_id and outcome (imported, skipped).';
