-- The journeys room: tables. One append-only stream of touchpoints, partitioned by month.

CREATE SEQUENCE IF NOT EXISTS o2o.touchpoint_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.touchpoint (
	profile_id bigint NOT NULL,
	occurred_at timestamptz NOT NULL,
	touchpoint_id bigint NOT NULL DEFAULT nextval('o2o.touchpoint_id_seq'),
	stage text NOT NULL CHECK (stage IN ('search', 'attention', 'deal', 'use', 'share')),
	verb text NOT NULL,
	channel text NOT NULL,
	source text NOT NULL,
	event_id text,
	location_id bigint,
	sku text,
	order_id bigint,
	content text,
	position o2o.geopoint,
	recorded_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (profile_id, occurred_at, touchpoint_id)
) PARTITION BY RANGE (occurred_at);
COMMENT ON TABLE o2o.touchpoint IS 'What people did, one append-only stream, partitioned by month (UTC).';
COMMENT ON COLUMN o2o.touchpoint.profile_id IS 'Profile by which the person was recognised, never rewritten; without a row in profile: nobody known';
COMMENT ON COLUMN o2o.touchpoint.occurred_at IS 'When it happened';
COMMENT ON COLUMN o2o.touchpoint.touchpoint_id IS 'Number of the touchpoint';
COMMENT ON COLUMN o2o.touchpoint.stage IS 'Stage of the journey: search, attention, deal, use, share';
COMMENT ON COLUMN o2o.touchpoint.verb IS 'What was done, by the names of Segment''s e-commerce events, such as product_viewed, order_completed, product_shared';
COMMENT ON COLUMN o2o.touchpoint.channel IS 'Channel where it happened; refers to channel';
COMMENT ON COLUMN o2o.touchpoint.source IS 'Source system it came from; refers to source';
COMMENT ON COLUMN o2o.touchpoint.event_id IS 'Number of the event in the source, order/<source_id> for an order; NULL: none given';
COMMENT ON COLUMN o2o.touchpoint.location_id IS 'Place where it happened; refers to location; NULL: none given';
COMMENT ON COLUMN o2o.touchpoint.sku IS 'SKU that it was about, registered or not; NULL: none given';
COMMENT ON COLUMN o2o.touchpoint.order_id IS 'Order that it was about; refers to sales_order; NULL: none given';
COMMENT ON COLUMN o2o.touchpoint.content IS 'What else it was about, in free words; NULL: none given';
COMMENT ON COLUMN o2o.touchpoint.position IS 'Where the person was, WGS84; NULL: unknown';
COMMENT ON COLUMN o2o.touchpoint.recorded_at IS 'When the row was written (start of the transaction)';
CREATE TABLE IF NOT EXISTS o2o.touchpoint_default PARTITION OF o2o.touchpoint DEFAULT;
COMMENT ON TABLE o2o.touchpoint_default IS 'Touchpoints of months that have no partition yet; journey_partition() moves them.';
