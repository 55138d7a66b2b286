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
COMMENT ON TABLE o2o.import_order IS 'Staging of order_import(batch_id), filled with COPY: one row an order; its lines stand in import_order_line.';
COMMENT ON COLUMN o2o.import_order.batch_id IS 'Number that the caller gives a batch';
COMMENT ON COLUMN o2o.import_order.source IS 'Source system it came from; refers to source';
COMMENT ON COLUMN o2o.import_order.source_id IS 'Number of the order in the source';
COMMENT ON COLUMN o2o.import_order.ordered_at IS 'When it was placed';
COMMENT ON COLUMN o2o.import_order.identifiers IS 'Identifiers of the buyer, as identify() takes them; {}: nobody known';
COMMENT ON COLUMN o2o.import_order.channel_sold IS 'Channel where it was placed; refers to channel';
COMMENT ON COLUMN o2o.import_order.location_sold IS 'Place where it was placed, as <source>/<source_id> of location; NULL: none given';
COMMENT ON COLUMN o2o.import_order.channel_fulfilled IS 'Channel where the goods are handed over; refers to channel; NULL: as sold';
COMMENT ON COLUMN o2o.import_order.location_fulfilled IS 'Place where the goods are handed over, as <source>/<source_id> of location; NULL: as sold where channel_fulfilled is NULL too, else none given';
COMMENT ON COLUMN o2o.import_order.currency IS 'ISO 4217 currency of all its money; refers to currency';
COMMENT ON COLUMN o2o.import_order.payment_method IS 'How what the points do not pay was paid, in free words such as cash, card, wechat_pay';
COMMENT ON COLUMN o2o.import_order.points_program IS 'Points program in which it earns and burns; refers to points_program; NULL: none';
COMMENT ON COLUMN o2o.import_order.points_burned IS 'Points paid with; 0: none';
COMMENT ON COLUMN o2o.import_order.profile_id IS 'Profile by which the buyer was recognised, filled by the import; NULL: not imported yet, or skipped';
COMMENT ON COLUMN o2o.import_order.order_id IS 'Order, filled by the import; refers to sales_order; NULL: not imported yet, or skipped';
COMMENT ON COLUMN o2o.import_order.request_id IS 'Claim of the order, request_key() of order/<source>/<source_id>, filled by the import; refers to request; NULL: not imported yet';
COMMENT ON COLUMN o2o.import_order.outcome IS 'imported, or skipped where the order exists already, filled by the import; NULL: not imported yet';

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
COMMENT ON TABLE o2o.import_order_line IS 'Staging of order_import(batch_id): the lines of import_order. Unknown SKUs are made. Money is in the order''s currency.';
COMMENT ON COLUMN o2o.import_order_line.batch_id IS 'Number that the caller gives a batch';
COMMENT ON COLUMN o2o.import_order_line.source IS 'Source system it came from; refers to source';
COMMENT ON COLUMN o2o.import_order_line.source_id IS 'Number of the order in the source; refers to import_order';
COMMENT ON COLUMN o2o.import_order_line.line_no IS 'Number of the line in the order';
COMMENT ON COLUMN o2o.import_order_line.sku IS 'What was sold';
COMMENT ON COLUMN o2o.import_order_line.product_name IS 'Name of an unknown SKU; NULL: the SKU itself';
COMMENT ON COLUMN o2o.import_order_line.category IS 'Category of an unknown SKU; NULL: none';
COMMENT ON COLUMN o2o.import_order_line.quantity IS 'Units, above zero, fractions allowed';
COMMENT ON COLUMN o2o.import_order_line.unit_price IS 'Money for one unit';
COMMENT ON COLUMN o2o.import_order_line.discount IS 'Money off the line';

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
COMMENT ON TABLE o2o.import_return IS 'Staging of order_import(batch_id): one row a return.';
COMMENT ON COLUMN o2o.import_return.batch_id IS 'Number that the caller gives a batch';
COMMENT ON COLUMN o2o.import_return.source IS 'Source system it came from; refers to source';
COMMENT ON COLUMN o2o.import_return.source_id IS 'Number of the return in the source';
COMMENT ON COLUMN o2o.import_return.returned_at IS 'When it was returned';
COMMENT ON COLUMN o2o.import_return.identifiers IS 'Identifiers of the person, as identify() takes them, looked at where the order is unknown; {}: nobody known';
COMMENT ON COLUMN o2o.import_return.order_source_id IS 'Number of the order in the source; NULL: unknown';
COMMENT ON COLUMN o2o.import_return.channel_returned IS 'Channel where it was returned; refers to channel';
COMMENT ON COLUMN o2o.import_return.location_returned IS 'Place where it was returned, as <source>/<source_id> of location; NULL: none given';
COMMENT ON COLUMN o2o.import_return.currency IS 'ISO 4217 currency of total; refers to currency';
COMMENT ON COLUMN o2o.import_return.total IS 'Money given back in currency, zero or above';
COMMENT ON COLUMN o2o.import_return.profile_id IS 'Profile of the order, or by which the person was recognised, filled by the import; NULL: not imported yet, or skipped';
COMMENT ON COLUMN o2o.import_return.outcome IS 'imported, or skipped where the return exists already, filled by the import; NULL: not imported yet';
