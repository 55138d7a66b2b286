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
COMMENT ON TABLE o2o.import_touchpoint IS 'Staging of touchpoint_import(batch_id), filled with COPY: one row a touchpoint.';
COMMENT ON COLUMN o2o.import_touchpoint.batch_id IS 'Number that the caller gives a batch';
COMMENT ON COLUMN o2o.import_touchpoint.source IS 'Source system it came from; refers to source';
COMMENT ON COLUMN o2o.import_touchpoint.event_id IS 'Number of the event in the source';
COMMENT ON COLUMN o2o.import_touchpoint.occurred_at IS 'When it happened';
COMMENT ON COLUMN o2o.import_touchpoint.identifiers IS 'Identifiers of the person, as identify() takes them; {}: nobody known';
COMMENT ON COLUMN o2o.import_touchpoint.stage IS 'Stage of the journey: search, attention, deal, use, share';
COMMENT ON COLUMN o2o.import_touchpoint.verb IS 'What was done, by the names of Segment''s e-commerce events, such as product_viewed, order_completed, product_shared';
COMMENT ON COLUMN o2o.import_touchpoint.channel IS 'Channel where it happened; refers to channel';
COMMENT ON COLUMN o2o.import_touchpoint.location IS 'Place where it happened, as <source>/<source_id> of location; NULL: none given';
COMMENT ON COLUMN o2o.import_touchpoint.sku IS 'SKU that it was about, registered or not; NULL: none given';
COMMENT ON COLUMN o2o.import_touchpoint.order_source_id IS 'Number of the order in the source that it was about; NULL: none given';
COMMENT ON COLUMN o2o.import_touchpoint.content IS 'What else it was about, in free words; NULL: none given';
COMMENT ON COLUMN o2o.import_touchpoint.position IS 'Where the person was, WGS84; NULL: unknown';
COMMENT ON COLUMN o2o.import_touchpoint.profile_id IS 'Profile by which the person was recognised, filled by the import; NULL: not imported yet, or skipped';
COMMENT ON COLUMN o2o.import_touchpoint.outcome IS 'imported, or skipped where the touchpoint exists already, filled by the import; NULL: not imported yet';
