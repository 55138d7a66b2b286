-- The commerce room: one order, or one return, in one call and one transaction.
-- The set-based import of history is in 53_order_import.sql and obeys the same rules.

INSERT INTO o2o.setting (name, value, description) VALUES
	('order.currency', 'CNY', 'Currency of orders and returns that name none and have no points program (ISO 4217)')
ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION o2o.order_check_place(source text, channel text, location_id bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM o2o.source_country(order_check_place.source);
	IF NOT EXISTS (SELECT FROM o2o.channel c WHERE c.channel = order_check_place.channel) THEN
		RAISE EXCEPTION 'unknown channel "%"', order_check_place.channel
			USING ERRCODE = 'O2102', HINT = 'The channels are the rows of o2o.channel.';
	ELSIF order_check_place.location_id IS NOT NULL
		AND NOT EXISTS (SELECT FROM o2o.location l WHERE l.location_id = order_check_place.location_id) THEN
		RAISE EXCEPTION 'unknown location %', order_check_place.location_id
			USING ERRCODE = 'O2103', HINT = 'The locations are the rows of o2o.location.';
	END IF;
END $$;
COMMENT ON FUNCTION o2o.order_check_place(text, text, bigint) IS 'Refuses a source, channel or location (NULL: none) that is not registered. Errors: O2101, O2102, O2103.';

CREATE OR REPLACE FUNCTION o2o.order_line_amount(quantity numeric, unit_price numeric, discount numeric, digits integer) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN round(quantity * unit_price - coalesce(discount, 0), digits);
COMMENT ON FUNCTION o2o.order_line_amount(numeric, numeric, numeric, integer) IS 'Amount of an order line: quantity × unit price − discount, rounded half away from zero to the digits of the currency.';

CREATE OR REPLACE FUNCTION o2o.order_line_error(quantity numeric, unit_price numeric, discount numeric) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN unit_price IS NULL THEN 'has no unit_price'
	WHEN NOT coalesce(quantity > 0 AND quantity < 1e14, false) THEN 'has a quantity that is not above zero'
	WHEN NOT (unit_price >= 0 AND unit_price < 1e14) THEN 'has a unit_price below zero'
	WHEN NOT (coalesce(discount, 0) >= 0 AND coalesce(discount, 0) <= quantity * unit_price) THEN 'has a discount below zero or above its price'
	WHEN scale(trim_scale(quantity)) > 4 OR scale(trim_scale(unit_price)) > 4 OR scale(trim_scale(coalesce(discount, 0))) > 4
		THEN 'has more than 4 digits after the point' END;
COMMENT ON FUNCTION o2o.order_line_error(numeric, numeric, numeric) IS 'What is wrong with the numbers of an order line, in words, or NULL: quantity above zero, unit price zero or above, discount between zero and the price, each with at most 4 digits after the point.';

CREATE OR REPLACE FUNCTION o2o.points_worth(program text, amount o2o.points, at timestamptz, digits integer) RETURNS numeric
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT round(points_worth.amount::numeric * r.value_per_point, points_worth.digits)
	FROM o2o.points_program_rate r
	WHERE r.program = points_worth.program AND r.valid_from <= points_worth.at
	ORDER BY r.valid_from DESC LIMIT 1
$$;
COMMENT ON FUNCTION o2o.points_worth(text, o2o.points, timestamptz, integer) IS 'Money that points pay at a moment, by the program''s dated value per point, in the program''s currency, rounded to digits. NULL when the program has no rate then.';

CREATE OR REPLACE FUNCTION o2o.order_key(source text, source_id text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'order/' || source || '/' || source_id;
COMMENT ON FUNCTION o2o.order_key(text, text) IS 'What an order is called elsewhere: its idempotency key when the caller gives none, and the reference of its points: order/<source>/<source_id>.';

CREATE OR REPLACE FUNCTION o2o.order_lines_check(lines jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	bad record;
BEGIN
	IF jsonb_typeof(order_lines_check.lines) IS DISTINCT FROM 'array' OR jsonb_array_length(order_lines_check.lines) = 0 THEN
		RAISE EXCEPTION 'an order needs lines'
			USING ERRCODE = 'O2502', HINT = 'lines is a JSON array such as [{"sku": "A1", "quantity": 2, "unit_price": 9.5}].';
	END IF;
	SELECT n.line_no INTO bad
	FROM jsonb_array_elements(order_lines_check.lines) WITH ORDINALITY n (item, line_no)
	WHERE jsonb_typeof(n.item) <> 'object'
		OR EXISTS (SELECT FROM jsonb_each(CASE jsonb_typeof(n.item) WHEN 'object' THEN n.item END) f WHERE jsonb_typeof(f.value) IN ('object', 'array'))
	ORDER BY n.line_no LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'order line % must be a JSON object of plain values', bad.line_no
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Such as {"sku": "A1", "quantity": 2, "unit_price": 9.5}.';
	END IF;
	SELECT n.line_no, k.key INTO bad
	FROM jsonb_array_elements(order_lines_check.lines) WITH ORDINALITY n (item, line_no), jsonb_object_keys(n.item) k (key)
	WHERE k.key NOT IN ('sku', 'quantity', 'unit_price', 'discount', 'name', 'category')
	ORDER BY n.line_no, k.key LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'unknown key "%" in order line %', bad.key, bad.line_no
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Known keys: sku, quantity, unit_price, discount, name, category.';
	END IF;
	SELECT l.line_no, o2o.order_line_error(coalesce(l.quantity, 1), l.unit_price, l.discount) AS error INTO bad
	FROM ROWS FROM (jsonb_to_recordset(order_lines_check.lines) AS (sku text, quantity numeric, unit_price numeric, discount numeric))
		WITH ORDINALITY l (sku, quantity, unit_price, discount, line_no)
	WHERE o2o.order_line_error(coalesce(l.quantity, 1), l.unit_price, l.discount) IS NOT NULL
	ORDER BY l.line_no LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'order does not add up' USING ERRCODE = 'O2501', DETAIL = format('Line %s %s.', bad.line_no, bad.error),
			HINT = 'A line has quantity above zero, unit_price zero or above, and a discount of at most its price.';
	END IF;
	SELECT l.line_no, l.sku INTO bad
	FROM ROWS FROM (jsonb_to_recordset(order_lines_check.lines) AS (sku text, name text)) WITH ORDINALITY l (sku, name, line_no)
	WHERE coalesce(l.sku, '') = '' OR (l.name IS NULL AND NOT EXISTS (SELECT FROM o2o.sku s WHERE s.sku = l.sku)
		AND NOT EXISTS (SELECT FROM jsonb_to_recordset(order_lines_check.lines) named (sku text, name text)
			WHERE named.sku = l.sku AND named.name IS NOT NULL))
	ORDER BY l.line_no LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'unknown sku "%" in order line %', bad.sku, bad.line_no
			USING ERRCODE = 'O2503', HINT = 'Give the line a name, and the product is made; or register it in o2o.product and o2o.sku.';
	END IF;
END $$;
COMMENT ON FUNCTION o2o.order_lines_check(jsonb) IS 'Refuses order lines that order_place cannot take. Errors: O2502 no lines, O2501 a number that does not add up, O2503 unknown sku without a name, or none, 22023 a line is no object of plain values or has an unknown key, 22P02 not a number.';

CREATE OR REPLACE FUNCTION o2o.order_products(lines jsonb, source text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO o2o.product (source, source_id, name, category)
	SELECT order_products.source, l.sku, min(l.name), min(l.category)
	FROM jsonb_to_recordset(order_products.lines) l (sku text, name text, category text)
	WHERE l.name IS NOT NULL AND NOT EXISTS (SELECT FROM o2o.sku s WHERE s.sku = l.sku)
	GROUP BY l.sku ORDER BY l.sku
	ON CONFLICT DO NOTHING;
	INSERT INTO o2o.sku (sku, product_id, name)
	SELECT l.sku, p.product_id, min(l.name)
	FROM jsonb_to_recordset(order_products.lines) l (sku text, name text)
		JOIN o2o.product p ON p.source = order_products.source AND p.source_id = l.sku
	WHERE l.name IS NOT NULL AND NOT EXISTS (SELECT FROM o2o.sku s WHERE s.sku = l.sku)
	GROUP BY l.sku, p.product_id ORDER BY l.sku
	ON CONFLICT DO NOTHING;
$$;
COMMENT ON FUNCTION o2o.order_products(jsonb, text) IS 'Makes the products and SKUs that order lines name and nobody registered: product (source, source_id = sku), with name and category of the line.';

CREATE OR REPLACE FUNCTION o2o.order_payments_check(payments jsonb, due numeric, currency text, digits integer) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	paid numeric;
	bad text;
BEGIN
	IF jsonb_typeof(order_payments_check.payments) <> 'array'
		OR jsonb_path_exists(order_payments_check.payments, 'strict $[*] ? (@.type() != "object")') THEN
		RAISE EXCEPTION 'payments must be a JSON array of objects' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Such as [{"method": "card", "amount": 19.00}].';
	END IF;
	SELECT k.key INTO bad FROM jsonb_array_elements(order_payments_check.payments) p (item), jsonb_object_keys(p.item) k (key)
	WHERE k.key NOT IN ('method', 'amount') ORDER BY k.key LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'unknown key "%" in a payment', bad
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Known keys: method, amount. Points are paid with points_burn.';
	END IF;
	SELECT sum(p.amount), min(CASE
		WHEN p.method IS NULL OR p.amount IS NULL THEN 'A payment lacks its method or amount.'
		WHEN p.method = 'points' THEN 'Points are paid with points_burn, not listed among payments.'
		WHEN NOT (p.amount >= 0 AND p.amount < 1e14) THEN 'A payment is below zero.'
		WHEN scale(trim_scale(p.amount)) > order_payments_check.digits THEN
			format('A payment has more than %s digits after the point.', order_payments_check.digits) END)
	INTO paid, bad
	FROM jsonb_to_recordset(order_payments_check.payments) p (method text, amount numeric);
	IF bad IS NULL AND coalesce(paid, 0) <> order_payments_check.due THEN
		bad := format('Payments sum to %s %s, to be paid is %s.', round(coalesce(paid, 0), order_payments_check.digits),
			order_payments_check.currency, round(order_payments_check.due, order_payments_check.digits));
	END IF;
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'order does not add up' USING ERRCODE = 'O2501', DETAIL = bad,
			HINT = 'Payments, and what the points pay, sum to the lines.';
	END IF;
END $$;
COMMENT ON FUNCTION o2o.order_payments_check(jsonb, numeric, text, integer) IS 'Refuses payments ([{"method", "amount"}]) that do not add up to what is due in the currency with its digits. Errors: O2501 with the sums in DETAIL, 22023 not an array of objects, or an unknown key.';

CREATE OR REPLACE FUNCTION o2o.order_place(identifiers jsonb, lines jsonb, source text, source_id text, channel text,
	location_id bigint DEFAULT NULL, payments jsonb DEFAULT NULL, currency text DEFAULT NULL,
	channel_fulfilled text DEFAULT NULL, location_fulfilled bigint DEFAULT NULL,
	points_program text DEFAULT NULL, points_burn o2o.points DEFAULT 0,
	ordered_at timestamptz DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (order_id bigint, profile_id bigint, customer_id bigint, points_earned o2o.points, points_balance o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	moment timestamptz := o2o.moment_check(coalesce(order_place.ordered_at, now()));
	own_key text := o2o.order_key(order_place.source, order_place.source_id);
	payload jsonb := jsonb_build_object('identifiers', order_place.identifiers, 'lines', order_place.lines,
		'source', order_place.source, 'source_id', order_place.source_id, 'channel', order_place.channel,
		'location_id', order_place.location_id, 'payments', order_place.payments, 'currency', order_place.currency,
		'channel_fulfilled', order_place.channel_fulfilled, 'location_fulfilled', order_place.location_fulfilled,
		'points_program', order_place.points_program, 'points_burn', order_place.points_burn::text,
		'ordered_at', extract(epoch FROM order_place.ordered_at));
	caller_request uuid;
	own_request uuid;
	first_result jsonb;
	program record;
	money record;
	total numeric;
	paid_by_points numeric := 0;
	person record;
	is_known boolean;
BEGIN
	IF coalesce(order_place.source_id, '') = '' THEN
		RAISE EXCEPTION 'an order needs the number that its source gave it (source_id)' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM o2o.order_check_place(order_place.source, order_place.channel, order_place.location_id);
	PERFORM o2o.order_check_place(order_place.source, coalesce(order_place.channel_fulfilled, order_place.channel), order_place.location_fulfilled);

	-- The request comes before everything that writes. An order is claimed under its own key too,
	-- so that it is placed once whatever keys its callers make up.
	IF order_place.idempotency_key IS NOT NULL THEN
		SELECT c.request_id, c.replay INTO caller_request, first_result
		FROM o2o.request_claim(order_place.idempotency_key, 'order_place', payload) c;
	END IF;
	IF first_result IS NULL AND order_place.idempotency_key IS DISTINCT FROM own_key THEN
		SELECT c.request_id, c.replay INTO own_request, first_result
		FROM o2o.request_claim(own_key, 'order_place', payload) c;
	ELSIF first_result IS NULL THEN
		own_request := caller_request;
	END IF;
	IF first_result IS NOT NULL THEN
		IF own_request IS NOT NULL AND caller_request IS NOT NULL THEN
			PERFORM o2o.request_finish(caller_request, first_result);
		END IF;
		RETURN QUERY SELECT (first_result ->> 'order_id')::bigint, (first_result ->> 'profile_id')::bigint,
			(first_result ->> 'customer_id')::bigint, (first_result ->> 'points_earned')::o2o.points,
			(first_result ->> 'points_balance')::o2o.points;
		RETURN;
	END IF;

	-- What the order comes to.
	PERFORM o2o.order_lines_check(order_place.lines);
	-- Without a program this finds no row and leaves NULLs, which the statements below read.
	SELECT p.program, p.currency INTO program FROM o2o.points_program p WHERE p.program = order_place.points_program;
	IF order_place.points_program IS NOT NULL AND NOT FOUND THEN
		RAISE EXCEPTION 'points program "%" does not exist', order_place.points_program
			USING ERRCODE = 'O2302', HINT = 'Make it with points_program_create().';
	ELSIF order_place.points_program IS NULL AND order_place.points_burn OPERATOR(o2o.<>) 0 THEN
		RAISE EXCEPTION 'points can be burned in a points program only'
			USING ERRCODE = 'O2302', HINT = 'Give points_program.';
	END IF;
	IF order_place.points_burn IS NULL OR order_place.points_burn OPERATOR(o2o.<) 0 THEN
		RAISE EXCEPTION 'amount must be positive' USING ERRCODE = 'O2303', DETAIL = format('points_burn is %s.', coalesce(order_place.points_burn::text, 'NULL')),
			HINT = 'Give an amount above zero, or leave points_burn out.';
	END IF;
	SELECT c.currency, c.digits::integer AS digits INTO money FROM o2o.currency c
	WHERE c.currency = coalesce(order_place.currency, program.currency,
		(SELECT s.value FROM o2o.setting s WHERE s.name = 'order.currency'));
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown currency "%"', order_place.currency
			USING ERRCODE = 'invalid_parameter_value', HINT = 'The currencies are the rows of o2o.currency.';
	END IF;
	IF order_place.points_program IS NOT NULL AND program.currency <> money.currency THEN
		RAISE EXCEPTION 'order and points program have different currencies'
			USING ERRCODE = 'O2501', DETAIL = format('The order is in %s, program %s in %s.', money.currency, program.program, program.currency),
				HINT = 'Give the order the currency of its points program, or another program.';
	END IF;
	SELECT sum(o2o.order_line_amount(coalesce(l.quantity, 1), l.unit_price, l.discount, money.digits)) INTO total
	FROM jsonb_to_recordset(order_place.lines) l (quantity numeric, unit_price numeric, discount numeric);
	IF order_place.points_burn OPERATOR(o2o.>) 0 THEN
		paid_by_points := o2o.points_worth(order_place.points_program, order_place.points_burn, moment, money.digits);
		IF paid_by_points IS NULL OR paid_by_points > total THEN
			RAISE EXCEPTION 'order does not add up' USING ERRCODE = 'O2501',
				DETAIL = CASE WHEN paid_by_points IS NULL THEN format('Program %s has no rate at that time.', program.program)
					ELSE format('%s points pay %s %s, the total is %s.', order_place.points_burn, paid_by_points, money.currency, total) END,
				HINT = 'Burn at most as many points as the order is worth.';
		END IF;
	END IF;
	IF order_place.payments IS NOT NULL THEN
		PERFORM o2o.order_payments_check(order_place.payments, total - paid_by_points, money.currency, money.digits);
	END IF;

	-- Products before people: no call that holds a customer's lock waits for a new product.
	PERFORM o2o.order_products(order_place.lines, order_place.source);
	SELECT r.profile_id, r.customer_id INTO person
	FROM o2o.identity_observe(order_place.identifiers, order_place.source, 'order/' || order_place.source_id, moment) r;
	-- In a statement of its own: it sees what identity_observe wrote.
	is_known := EXISTS (SELECT FROM o2o.profile p WHERE p.profile_id = person.profile_id);
	IF NOT is_known AND order_place.points_burn OPERATOR(o2o.>) 0 THEN
		RAISE EXCEPTION 'points of nobody cannot be burned'
			USING ERRCODE = 'O2201', DETAIL = 'The order gives no identifier that identifies somebody.',
				HINT = 'Give an identifier of the buyer, or leave points_burn out.';
	END IF;
	order_id := nextval('o2o.order_id_seq');
	profile_id := person.profile_id;
	customer_id := person.customer_id;
	points_earned := 0;
	points_balance := 0;
	IF order_place.points_program IS NOT NULL AND is_known THEN
		customer_id := (o2o.customer_lock(ARRAY[person.profile_id]))[1];
		IF order_place.points_burn OPERATOR(o2o.>) 0 THEN
			PERFORM o2o.points_spend(person.profile_id, customer_id, order_place.points_program, order_place.points_burn,
				own_key, 'order', own_request, moment);
		END IF;
		-- No points on the part that points paid, and none into a closed account.
		IF NOT o2o.points_is_closed(person.profile_id, order_place.points_program) THEN
			points_earned := o2o.points_grant_order(person.profile_id, customer_id, order_place.points_program,
				(SELECT jsonb_agg(jsonb_build_object('category', p.category,
					'amount', o2o.order_line_amount(coalesce(l.quantity, 1), l.unit_price, l.discount, money.digits)))
				FROM jsonb_to_recordset(order_place.lines) l (sku text, quantity numeric, unit_price numeric, discount numeric)
					LEFT JOIN o2o.sku s ON s.sku = l.sku
					LEFT JOIN o2o.product p ON p.product_id = s.product_id),
				order_place.channel, paid_by_points, own_key, 'order', own_request, moment);
		END IF;
		IF o2o.points_qualify_post(person.profile_id, order_place.points_program, 0, total - paid_by_points, moment, moment,
			own_key, 'order', own_request)
		THEN
			PERFORM o2o.points_tier_refresh(customer_id, order_place.points_program);
		END IF;
		points_balance := o2o.points_customer_balance(customer_id, order_place.points_program);
	END IF;

	INSERT INTO o2o.sales_order (profile_id, order_id, source, source_id, request_id, channel_sold, location_sold,
		channel_fulfilled, location_fulfilled, currency, total, points_program, points_earned, points_burned, ordered_at)
	VALUES (order_place.profile_id, order_place.order_id, order_place.source, order_place.source_id, own_request,
		order_place.channel, order_place.location_id, coalesce(order_place.channel_fulfilled, order_place.channel),
		CASE WHEN order_place.channel_fulfilled IS NULL THEN coalesce(order_place.location_fulfilled, order_place.location_id)
			ELSE order_place.location_fulfilled END,
		money.currency, total, order_place.points_program, order_place.points_earned, order_place.points_burn, moment);
	INSERT INTO o2o.order_line (profile_id, order_id, line_no, sku, quantity, unit_price, discount, amount)
	SELECT order_place.profile_id, order_place.order_id, l.line_no, l.sku, coalesce(l.quantity, 1), l.unit_price, coalesce(l.discount, 0),
		o2o.order_line_amount(coalesce(l.quantity, 1), l.unit_price, l.discount, money.digits)
	FROM ROWS FROM (jsonb_to_recordset(order_place.lines) AS (sku text, quantity numeric, unit_price numeric, discount numeric))
		WITH ORDINALITY l (sku, quantity, unit_price, discount, line_no);
	INSERT INTO o2o.payment (profile_id, order_id, payment_no, method, amount, points)
	SELECT order_place.profile_id, order_place.order_id, row_number() OVER (ORDER BY p.place), p.method, p.amount, p.points
	FROM (
		SELECT 0 AS place, 'points' AS method, paid_by_points AS amount, order_place.points_burn AS points
		WHERE order_place.points_burn OPERATOR(o2o.>) 0
		UNION ALL
		SELECT 1, 'unspecified', total - paid_by_points, NULL
		WHERE order_place.payments IS NULL AND total > paid_by_points
		UNION ALL
		SELECT g.place, g.method, g.amount, NULL
		FROM ROWS FROM (jsonb_to_recordset(order_place.payments) AS (method text, amount numeric)) WITH ORDINALITY g (method, amount, place)
	) p;
	INSERT INTO o2o.touchpoint (profile_id, occurred_at, stage, verb, channel, source, event_id, location_id, order_id)
	VALUES (order_place.profile_id, moment, 'deal', 'order_completed', order_place.channel, order_place.source,
		'order/' || order_place.source_id, order_place.location_id, order_place.order_id);

	first_result := jsonb_build_object('order_id', order_id, 'profile_id', profile_id, 'customer_id', customer_id,
		'points_earned', points_earned::text, 'points_balance', points_balance::text);
	PERFORM o2o.request_finish(own_request, first_result);
	IF caller_request <> own_request THEN
		PERFORM o2o.request_finish(caller_request, first_result);
	END IF;
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION o2o.order_place(jsonb, jsonb, text, text, text, bigint, jsonb, text, text, bigint, text, o2o.points, timestamptz, text) IS 'Places an order of any channel: identity, order, lines, payments, points and touchpoint in one transaction, or nothing at all. identifiers: as identify() takes them, {} for nobody known. lines: [{"sku", "quantity" (default 1), "unit_price", "discount" (money, default 0), "name", "category"}]; a SKU that is not registered is made when its line has a name. source and source_id: the order''s number where it comes from, placed once. channel and location_id: where sold; channel_fulfilled and location_fulfilled: where handed over (default: as sold). payments: [{"method", "amount"}], which with the points must add up to the total (NULL: the rest is paid somehow). currency: default the program''s, else setting order.currency. points_burn: points paid at the program''s value; points are earned on the rest, as points_quote() says, by a known person only. ordered_at: default now. idempotency_key: default order/<source>/<source_id>; the same call again returns the first result and changes nothing. Returns the order, the profile, the customer of that moment, the points earned and the customer''s balance of the program after it (0 without a program). Errors: O2004 the order or key exists with other arguments, O2101, O2102, O2103 unknown source, channel, location, O2201 points of nobody, O2301 insufficient points, O2302 unknown program, O2303 points_burn below zero, O2501 does not add up, O2502 no lines, O2503 unknown SKU.';

CREATE OR REPLACE FUNCTION o2o.order_spend(profile_id bigint, order_id bigint, share numeric DEFAULT 1) RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT coalesce(round(sum(p.amount) FILTER (WHERE p.points IS NULL) * order_spend.share, 4), 0)
		FROM o2o.payment p WHERE p.profile_id = order_spend.profile_id AND p.order_id = order_spend.order_id);
END $$;
COMMENT ON FUNCTION o2o.order_spend(bigint, bigint, numeric) IS 'Money that was paid for an order otherwise than with points, or a share of it (0 to 1): what counts as spend.';

CREATE OR REPLACE FUNCTION o2o.order_return(source text, source_id text, channel text, total numeric,
	order_source_id text DEFAULT NULL, identifiers jsonb DEFAULT NULL, location_id bigint DEFAULT NULL,
	currency text DEFAULT NULL, returned_at timestamptz DEFAULT NULL)
RETURNS TABLE (return_id bigint, order_id bigint, profile_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	moment timestamptz := o2o.moment_check(coalesce(order_return.returned_at, now()));
	claim record;
	bought record;
	given_back numeric;
	money record;
BEGIN
	IF coalesce(order_return.source_id, '') = '' THEN
		RAISE EXCEPTION 'a return needs the number that its source gave it (source_id)' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM o2o.order_check_place(order_return.source, order_return.channel, order_return.location_id);
	SELECT c.request_id, c.replay INTO claim
	FROM o2o.request_claim('return/' || order_return.source || '/' || order_return.source_id,
		'order_return', jsonb_build_object('source', order_return.source, 'source_id', order_return.source_id,
			'channel', order_return.channel, 'total', order_return.total, 'order_source_id', order_return.order_source_id,
			'identifiers', order_return.identifiers, 'location_id', order_return.location_id, 'currency', order_return.currency,
			'returned_at', extract(epoch FROM order_return.returned_at))) c;
	IF claim.replay IS NOT NULL THEN
		RETURN QUERY SELECT (claim.replay ->> 'return_id')::bigint, (claim.replay ->> 'order_id')::bigint, (claim.replay ->> 'profile_id')::bigint;
		RETURN;
	END IF;

	SELECT o.profile_id, o.order_id, o.currency, o.total, o.points_program, o.ordered_at INTO bought FROM o2o.sales_order o
	WHERE o.source = order_return.source AND o.source_id = order_return.order_source_id;
	IF NOT FOUND AND order_return.order_source_id IS NOT NULL THEN
		RAISE EXCEPTION 'return of an unknown order' USING ERRCODE = 'O2501',
			DETAIL = format('Source %s has no order %s.', order_return.source, order_return.order_source_id),
			HINT = 'Give the order''s number in its source, or none for a return without a receipt.';
	END IF;
	SELECT c.currency, c.digits::integer AS digits INTO money FROM o2o.currency c
	WHERE c.currency = coalesce(order_return.currency, bought.currency, (SELECT s.value FROM o2o.setting s WHERE s.name = 'order.currency'));
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown currency "%"', order_return.currency
			USING ERRCODE = 'invalid_parameter_value', HINT = 'The currencies are the rows of o2o.currency.';
	END IF;
	IF NOT coalesce(order_return.total >= 0 AND order_return.total < 1e14 AND scale(trim_scale(order_return.total)) <= money.digits, false)
		OR money.currency <> bought.currency THEN
		RAISE EXCEPTION 'return does not add up' USING ERRCODE = 'O2501',
			DETAIL = format('Given back: %s %s.', coalesce(order_return.total::text, 'NULL'), money.currency),
			HINT = 'Give a total of zero or above in the digits of the currency, which is that of the order.';
	END IF;
	IF bought.order_id IS NOT NULL THEN
		-- Two returns of one order wait for each other here; the sum is read in a later statement.
		PERFORM FROM o2o.sales_order o WHERE o.profile_id = bought.profile_id AND o.order_id = bought.order_id FOR NO KEY UPDATE;
		SELECT coalesce(sum(r.total), 0) INTO given_back FROM o2o.sales_return r
		WHERE r.profile_id = bought.profile_id AND r.order_id = bought.order_id;
		IF given_back + order_return.total > bought.total THEN
			RAISE EXCEPTION 'return does not add up' USING ERRCODE = 'O2501',
				DETAIL = format('Given back %s %s with earlier returns, the order was %s.', round(given_back + order_return.total, money.digits),
					money.currency, round(bought.total, money.digits)),
				HINT = 'All returns of an order together give back at most its total.';
		END IF;
		profile_id := bought.profile_id;
	ELSE
		SELECT r.profile_id INTO profile_id
		FROM o2o.identity_observe(order_return.identifiers, order_return.source, 'return/' || order_return.source_id, moment) r;
	END IF;
	order_id := bought.order_id;
	return_id := nextval('o2o.return_id_seq');
	INSERT INTO o2o.sales_return (profile_id, return_id, order_id, source, source_id, channel_returned, location_returned, currency, total, returned_at)
	VALUES (order_return.profile_id, order_return.return_id, order_return.order_id, order_return.source, order_return.source_id,
		order_return.channel, order_return.location_id, money.currency, order_return.total, moment);
	IF bought.points_program IS NOT NULL THEN
		PERFORM o2o.points_qualify_post(bought.profile_id, bought.points_program, 0,
			- o2o.order_spend(bought.profile_id, bought.order_id, order_return.total / nullif(bought.total, 0)), greatest(moment, bought.ordered_at),
			bought.ordered_at, 'return/' || order_return.source || '/' || order_return.source_id, 'return', claim.request_id);
	END IF;
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('return_id', return_id, 'order_id', order_id, 'profile_id', profile_id));
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION o2o.order_return(text, text, text, numeric, text, jsonb, bigint, text, timestamptz) IS 'Registers goods brought or sent back at any channel: total is the money given back (zero or above). order_source_id: the order of the same source, whose profile and currency then hold; without it identifiers say who it is ({} or NULL: nobody known). A return is known by (source, source_id): the same call again returns the first result. Money only: points and stock stay as they are. Returns the return, its order and profile. Errors: O2004 the return exists with other arguments, O2101, O2102, O2103 unknown source, channel, location, O2501 unknown order, or more given back than the order was.';
