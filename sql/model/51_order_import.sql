-- The commerce room: staging for the bulk import of orders and returns.

CREATE TABLE IF NOT EXISTS o2o.import_order (
	batch_id bigint NOT NULL,
	source text NOT NULL,
	source_id text NOT NULL,
	ordered_at timestamptz NOT NULL,
	identifiers jsonb NOT NULL,
	channel_sold text NOT NULL,
	location_sold text,
	channel_fulfilled text,
	location_fulfilled text,
	currency text NOT NULL,
	payment_method text NOT NULL,
	points_program text,
	points_burned o2o.points NOT NULL DEFAULT 0,
	profile_id bigint,
	order_id bigint,
	request_id uuid,
	outcome text,
	PRIMARY KEY (batch_id, source, source_id)
);
COMMENT ON TABLE o2o.import_order IS 'Staging of order_import(batch_id), filled with COPY: orders with the identifiers of the buyer (as identify() takes them; {} for an anonymous basket), channel and location (as <source>/<source_id> of the location) where sold and fulfilled (NULL: as sold), currency, payment method, points program and points burned (NULL and 0 without). order_import fills profile_id, order_id, request_id and outcome (imported, skipped).';

CREATE TABLE IF NOT EXISTS o2o.import_order_line (
	batch_id bigint NOT NULL,
	source text NOT NULL,
	source_id text NOT NULL,
	line_no integer NOT NULL,
	sku text NOT NULL,
	product_name text,
	category text,
	quantity numeric(18,4) NOT NULL,
	unit_price numeric(18,4) NOT NULL,
	discount numeric(18,4) NOT NULL DEFAULT 0
);
COMMENT ON TABLE o2o.import_order_line IS 'Staging of order_import(batch_id): the lines of import_order. Unknown SKUs are made, with product_name and category.';

CREATE TABLE IF NOT EXISTS o2o.import_return (
	batch_id bigint NOT NULL,
	source text NOT NULL,
	source_id text NOT NULL,
	returned_at timestamptz NOT NULL,
	identifiers jsonb NOT NULL,
	order_source_id text,
	channel_returned text NOT NULL,
	location_returned text,
	currency text NOT NULL,
	total numeric(18,4) NOT NULL CHECK (total >= 0),
	profile_id bigint,
	outcome text,
	PRIMARY KEY (batch_id, source, source_id)
);
COMMENT ON TABLE o2o.import_return IS 'Staging of order_import(batch_id): returns, with the money given back (zero or above). order_import fills profile_id and outcome (imported, skipped).';
