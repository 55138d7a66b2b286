-- The commerce room: tables. Products, and one order book for every channel.

CREATE SEQUENCE IF NOT EXISTS o2o.product_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.product (
	product_id bigint NOT NULL DEFAULT nextval('o2o.product_id_seq') PRIMARY KEY,
	source text NOT NULL REFERENCES o2o.source,
	source_id text NOT NULL,
	name text NOT NULL,
	kind text NOT NULL DEFAULT 'good' CHECK (kind IN ('good', 'service', 'experience', 'advertisement')),
	category text,
	brand text,
	UNIQUE (source, source_id)
);
COMMENT ON TABLE o2o.product IS 'What is sold: goods, services, experiences, advertisements; known by (source, source_id).';

CREATE TABLE IF NOT EXISTS o2o.sku (
	sku text NOT NULL PRIMARY KEY,
	product_id bigint NOT NULL REFERENCES o2o.product,
	name text NOT NULL,
	attributes jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE o2o.sku IS 'Stock keeping units: the code that order lines and stock use, its product, name, attributes such as size and colour.';

CREATE SEQUENCE IF NOT EXISTS o2o.order_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.sales_order (
	profile_id bigint NOT NULL,
	order_id bigint NOT NULL DEFAULT nextval('o2o.order_id_seq'),
	source text NOT NULL REFERENCES o2o.source,
	source_id text NOT NULL,
	request_id uuid NOT NULL,
	channel_sold text NOT NULL REFERENCES o2o.channel,
	location_sold bigint REFERENCES o2o.location,
	channel_fulfilled text NOT NULL REFERENCES o2o.channel,
	location_fulfilled bigint REFERENCES o2o.location,
	currency text NOT NULL REFERENCES o2o.currency,
	total numeric(18,4) NOT NULL,
	points_program text REFERENCES o2o.points_program,
	points_earned o2o.points NOT NULL DEFAULT 0,
	points_burned o2o.points NOT NULL DEFAULT 0,
	ordered_at timestamptz NOT NULL,
	recorded_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (profile_id, order_id),
	UNIQUE (profile_id, source, source_id)
);
CREATE INDEX IF NOT EXISTS sales_order_source_idx ON o2o.sales_order (source, source_id);
CREATE INDEX IF NOT EXISTS sales_order_ordered_at_idx ON o2o.sales_order USING brin (ordered_at);
COMMENT ON TABLE o2o.sales_order IS 'The order book of every channel: the profile by which the buyer was recognised (never rewritten), where it came from (source, source_id), channel and location where sold and where fulfilled, total in currency (sum of the lines), points earned and burned, when ordered.';

CREATE TABLE IF NOT EXISTS o2o.order_line (
	profile_id bigint NOT NULL,
	order_id bigint NOT NULL,
	line_no integer NOT NULL,
	sku text NOT NULL REFERENCES o2o.sku,
	quantity numeric(18,4) NOT NULL CHECK (quantity > 0),
	unit_price numeric(18,4) NOT NULL,
	discount numeric(18,4) NOT NULL DEFAULT 0,
	amount numeric(18,4) NOT NULL,
	PRIMARY KEY (profile_id, order_id, line_no),
	FOREIGN KEY (profile_id, order_id) REFERENCES o2o.sales_order
);
COMMENT ON TABLE o2o.order_line IS 'Lines of an order: sku, quantity, unit price, discount on the line, and amount = quantity × unit price − discount, rounded to the digits of the currency.';

CREATE TABLE IF NOT EXISTS o2o.payment (
	profile_id bigint NOT NULL,
	order_id bigint NOT NULL,
	payment_no integer NOT NULL,
	method text NOT NULL,
	amount numeric(18,4) NOT NULL,
	points o2o.points,
	PRIMARY KEY (profile_id, order_id, payment_no),
	FOREIGN KEY (profile_id, order_id) REFERENCES o2o.sales_order
);
COMMENT ON TABLE o2o.payment IS 'Payments of an order: method (cash, card, wechat_pay, points …), amount in the order''s currency, and the points burned where points paid.';

CREATE SEQUENCE IF NOT EXISTS o2o.return_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.sales_return (
	profile_id bigint NOT NULL,
	return_id bigint NOT NULL DEFAULT nextval('o2o.return_id_seq'),
	order_id bigint,
	source text NOT NULL REFERENCES o2o.source,
	source_id text NOT NULL,
	channel_returned text NOT NULL REFERENCES o2o.channel,
	location_returned bigint REFERENCES o2o.location,
	currency text NOT NULL REFERENCES o2o.currency,
	total numeric(18,4) NOT NULL CHECK (total >= 0),
	returned_at timestamptz NOT NULL,
	recorded_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (profile_id, return_id),
	UNIQUE (profile_id, source, source_id)
);
CREATE INDEX IF NOT EXISTS sales_return_source_idx ON o2o.sales_return (source, source_id);
COMMENT ON TABLE o2o.sales_return IS 'Goods brought or sent back: by whom (profile), channel and location where returned, money given back (zero or above), the order where it is known.';
