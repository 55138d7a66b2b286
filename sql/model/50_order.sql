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
COMMENT ON TABLE o2o.product IS 'What is sold, known by (source, source_id).';
COMMENT ON COLUMN o2o.product.product_id IS 'Number of the product';
COMMENT ON COLUMN o2o.product.source IS 'Source system it came from; refers to source';
COMMENT ON COLUMN o2o.product.source_id IS 'Number of the product in the source; the SKU where an order made the product';
COMMENT ON COLUMN o2o.product.name IS 'Name to show';
COMMENT ON COLUMN o2o.product.kind IS 'good, service, experience or advertisement';
COMMENT ON COLUMN o2o.product.category IS 'Category, by which category_sales sums up; NULL: none';
COMMENT ON COLUMN o2o.product.brand IS 'Brand; NULL: not said';

CREATE TABLE IF NOT EXISTS o2o.sku (
	sku text NOT NULL PRIMARY KEY,
	product_id bigint NOT NULL REFERENCES o2o.product,
	name text NOT NULL,
	attributes jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE o2o.sku IS 'Stock keeping units of products.';
COMMENT ON COLUMN o2o.sku.sku IS 'Code that order lines use, one over all sources';
COMMENT ON COLUMN o2o.sku.product_id IS 'Product; refers to product';
COMMENT ON COLUMN o2o.sku.name IS 'Name to show';
COMMENT ON COLUMN o2o.sku.attributes IS 'What sets it apart, such as size and colour, an object of name and value';

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
COMMENT ON TABLE o2o.sales_order IS 'The order book of every channel, one row an order, known by (source, source_id).';
COMMENT ON COLUMN o2o.sales_order.profile_id IS 'Profile by which the buyer was recognised, never rewritten; without a row in profile: nobody known';
COMMENT ON COLUMN o2o.sales_order.order_id IS 'Number of the order';
COMMENT ON COLUMN o2o.sales_order.source IS 'Source system it came from; refers to source';
COMMENT ON COLUMN o2o.sales_order.source_id IS 'Number of the order in the source';
COMMENT ON COLUMN o2o.sales_order.request_id IS 'Claim of the order: request_key() of order/<source>/<source_id>; refers to request';
COMMENT ON COLUMN o2o.sales_order.channel_sold IS 'Channel where it was placed; refers to channel';
COMMENT ON COLUMN o2o.sales_order.location_sold IS 'Place where it was placed; refers to location; NULL: none given';
COMMENT ON COLUMN o2o.sales_order.channel_fulfilled IS 'Channel where the goods are handed over; refers to channel';
COMMENT ON COLUMN o2o.sales_order.location_fulfilled IS 'Place where the goods are handed over; refers to location; NULL: none given';
COMMENT ON COLUMN o2o.sales_order.currency IS 'ISO 4217 currency of all its money; refers to currency';
COMMENT ON COLUMN o2o.sales_order.total IS 'Money in currency: the sum of the lines, the part that points pay included';
COMMENT ON COLUMN o2o.sales_order.points_program IS 'Points program in which it earns and burns; refers to points_program; NULL: none';
COMMENT ON COLUMN o2o.sales_order.points_earned IS 'Points earned; 0 without a program or for nobody known';
COMMENT ON COLUMN o2o.sales_order.points_burned IS 'Points paid with; 0: none';
COMMENT ON COLUMN o2o.sales_order.ordered_at IS 'When it was placed';
COMMENT ON COLUMN o2o.sales_order.recorded_at IS 'When the row was written (start of the transaction)';

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
COMMENT ON TABLE o2o.order_line IS 'Lines of an order. Money is in the order''s currency.';
COMMENT ON COLUMN o2o.order_line.profile_id IS 'profile_id of the order; refers to sales_order';
COMMENT ON COLUMN o2o.order_line.order_id IS 'Order; refers to sales_order';
COMMENT ON COLUMN o2o.order_line.line_no IS 'Number of the line in the order';
COMMENT ON COLUMN o2o.order_line.sku IS 'What was sold; refers to sku';
COMMENT ON COLUMN o2o.order_line.quantity IS 'Units, above zero, fractions allowed';
COMMENT ON COLUMN o2o.order_line.unit_price IS 'Money for one unit';
COMMENT ON COLUMN o2o.order_line.discount IS 'Money off the line';
COMMENT ON COLUMN o2o.order_line.amount IS 'Money: quantity × unit_price − discount, rounded to the digits of the currency';

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
COMMENT ON TABLE o2o.payment IS 'Payments of an order, which add up to its total. Money is in the order''s currency.';
COMMENT ON COLUMN o2o.payment.profile_id IS 'profile_id of the order; refers to sales_order';
COMMENT ON COLUMN o2o.payment.order_id IS 'Order; refers to sales_order';
COMMENT ON COLUMN o2o.payment.payment_no IS 'Number of the payment in the order, 1 and up';
COMMENT ON COLUMN o2o.payment.method IS 'How it was paid, in free words such as cash, card, wechat_pay; points; unspecified where the caller did not say';
COMMENT ON COLUMN o2o.payment.amount IS 'Money';
COMMENT ON COLUMN o2o.payment.points IS 'Points burned for it; NULL: not paid with points, or an import could not burn them';

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
COMMENT ON TABLE o2o.sales_return IS 'Goods brought or sent back, one row a return, known by (source, source_id).';
COMMENT ON COLUMN o2o.sales_return.profile_id IS 'Profile of the order, or by which the person was recognised; without a row in profile: nobody known';
COMMENT ON COLUMN o2o.sales_return.return_id IS 'Number of the return';
COMMENT ON COLUMN o2o.sales_return.order_id IS 'Order that it belongs to; refers to sales_order; NULL: unknown';
COMMENT ON COLUMN o2o.sales_return.source IS 'Source system it came from; refers to source';
COMMENT ON COLUMN o2o.sales_return.source_id IS 'Number of the return in the source';
COMMENT ON COLUMN o2o.sales_return.channel_returned IS 'Channel where it was returned; refers to channel';
COMMENT ON COLUMN o2o.sales_return.location_returned IS 'Place where it was returned; refers to location; NULL: none given';
COMMENT ON COLUMN o2o.sales_return.currency IS 'ISO 4217 currency of total; refers to currency';
COMMENT ON COLUMN o2o.sales_return.total IS 'Money given back in currency, zero or above';
COMMENT ON COLUMN o2o.sales_return.returned_at IS 'When it was returned';
COMMENT ON COLUMN o2o.sales_return.recorded_at IS 'When the row was written (start of the transaction)';
