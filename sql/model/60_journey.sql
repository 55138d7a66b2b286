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
COMMENT ON TABLE o2o.touchpoint IS 'What people did, one append-only stream, partitioned by month: profile, when, stage of the journey (search, attention, deal, use, share), verb (names of Segment''s e-commerce events, such as product_viewed, order_completed, product_shared), channel, location, product, order, content, position.';
CREATE TABLE IF NOT EXISTS o2o.touchpoint_default PARTITION OF o2o.touchpoint DEFAULT;
COMMENT ON TABLE o2o.touchpoint_default IS 'Touchpoints of months that have no partition yet; journey_partition() moves them.';
