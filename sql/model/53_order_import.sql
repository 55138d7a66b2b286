-- The commerce room: orders and returns of the past, set-based, by the rules of 52_order_place.sql.

CREATE OR REPLACE FUNCTION o2o.order_import_check(batch_id bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	bad text;
BEGIN
	SELECT min(u.source) INTO bad FROM (
		SELECT DISTINCT i.source FROM o2o.import_order i WHERE i.batch_id = order_import_check.batch_id
		UNION SELECT DISTINCT i.source FROM o2o.import_return i WHERE i.batch_id = order_import_check.batch_id) u
	WHERE NOT EXISTS (SELECT FROM o2o.source s WHERE s.source = u.source);
	IF bad IS NOT NULL THEN
		PERFORM o2o.source_country(bad);
	END IF;
	SELECT min(u.channel) INTO bad FROM (
		SELECT DISTINCT c.channel FROM o2o.import_order i, unnest(ARRAY[i.channel_sold, i.channel_fulfilled]) c (channel)
		WHERE i.batch_id = order_import_check.batch_id
		UNION SELECT i.channel_returned FROM o2o.import_return i WHERE i.batch_id = order_import_check.batch_id) u
	WHERE NOT EXISTS (SELECT FROM o2o.channel c WHERE c.channel = u.channel);
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'unknown channel "%"', bad
			USING ERRCODE = 'O2102', HINT = 'The channels are the rows of o2o.channel.';
	END IF;
	SELECT min(u.place) INTO bad FROM (
		SELECT DISTINCT l.place FROM o2o.import_order i, unnest(ARRAY[i.location_sold, i.location_fulfilled]) l (place)
		WHERE i.batch_id = order_import_check.batch_id
		UNION SELECT i.location_returned FROM o2o.import_return i WHERE i.batch_id = order_import_check.batch_id) u
	WHERE NOT EXISTS (SELECT FROM o2o.location l WHERE l.source || '/' || l.source_id = u.place);
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'unknown location "%"', bad
			USING ERRCODE = 'O2103', HINT = 'Locations are given as <source>/<source_id>; register them with o2o.location_import().';
	END IF;
	SELECT min(u.currency) INTO bad FROM (
		SELECT DISTINCT i.currency FROM o2o.import_order i WHERE i.batch_id = order_import_check.batch_id
		UNION SELECT i.currency FROM o2o.import_return i WHERE i.batch_id = order_import_check.batch_id) u
	WHERE NOT EXISTS (SELECT FROM o2o.currency c WHERE c.currency = u.currency);
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'unknown currency "%"', bad
			USING ERRCODE = 'invalid_parameter_value', HINT = 'The currencies are the rows of o2o.currency.';
	END IF;
	SELECT min(i.points_program) INTO bad FROM o2o.import_order i
	WHERE i.batch_id = order_import_check.batch_id AND i.points_program IS NOT NULL
		AND NOT EXISTS (SELECT FROM o2o.points_program p WHERE p.program = i.points_program AND p.currency = i.currency);
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'points program "%" does not exist, or orders have another currency', bad
			USING ERRCODE = 'O2302', HINT = 'Make it with points_program_create().';
	END IF;
	SELECT min(l.source || '/' || l.source_id) INTO bad
	FROM o2o.import_order_line l
		LEFT JOIN o2o.import_order i ON i.batch_id = l.batch_id AND i.source = l.source AND i.source_id = l.source_id
	WHERE l.batch_id = order_import_check.batch_id AND i.batch_id IS NULL;
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'order lines without their order' USING ERRCODE = 'O2501', DETAIL = format('Such as order %s.', bad),
			HINT = 'Put the orders of all lines into import_order.';
	END IF;
	SELECT min(i.source || '/' || i.source_id) INTO bad
	FROM o2o.import_order i
	WHERE i.batch_id = order_import_check.batch_id
		AND NOT EXISTS (SELECT FROM o2o.import_order_line l
			WHERE l.batch_id = i.batch_id AND l.source = i.source AND l.source_id = i.source_id);
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'an order needs lines' USING ERRCODE = 'O2502', DETAIL = format('Order %s has none.', bad),
			HINT = 'Put the lines of all orders into import_order_line.';
	END IF;
	SELECT min(format('Line %s of order %s/%s %s.', l.line_no, l.source, l.source_id,
		o2o.order_line_error(l.quantity, l.unit_price, l.discount))) INTO bad
	FROM o2o.import_order_line l
	WHERE l.batch_id = order_import_check.batch_id AND o2o.order_line_error(l.quantity, l.unit_price, l.discount) IS NOT NULL;
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'order does not add up' USING ERRCODE = 'O2501', DETAIL = bad,
			HINT = 'A line has quantity above zero, unit_price zero or above, and a discount of at most its price.';
	END IF;
END $$;
COMMENT ON FUNCTION o2o.order_import_check(bigint) IS 'Refuses a batch that order_import cannot take whole. Errors: O2101, O2102, O2103 unknown source, channel, location, O2302 unknown program or another currency, O2501 lines that do not add up or lack their order, O2502 an order without lines, 22023 unknown currency.';

CREATE OR REPLACE FUNCTION o2o.order_import_products(batch_id bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO o2o.product (source, source_id, name, category)
	SELECT min(l.source), l.sku, coalesce(min(l.product_name), l.sku), min(l.category)
	FROM o2o.import_order_line l
	WHERE l.batch_id = order_import_products.batch_id AND NOT EXISTS (SELECT FROM o2o.sku s WHERE s.sku = l.sku)
	GROUP BY l.sku ORDER BY l.sku
	ON CONFLICT DO NOTHING;
	INSERT INTO o2o.sku (sku, product_id, name)
	SELECT n.sku, p.product_id, n.name
	FROM (SELECT l.sku, min(l.source) AS source, coalesce(min(l.product_name), l.sku) AS name
		FROM o2o.import_order_line l
		WHERE l.batch_id = order_import_products.batch_id AND NOT EXISTS (SELECT FROM o2o.sku s WHERE s.sku = l.sku)
		GROUP BY l.sku) n
		JOIN o2o.product p ON p.source = n.source AND p.source_id = n.sku
	ORDER BY n.sku
	ON CONFLICT DO NOTHING;
$$;
COMMENT ON FUNCTION o2o.order_import_products(bigint) IS 'Makes the products and SKUs of a batch that nobody registered, named by product_name or else by the SKU.';

CREATE OR REPLACE FUNCTION o2o.order_import(batch_id bigint)
RETURNS TABLE (orders bigint, lines bigint, returns bigint, skipped bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- The staging tables were just filled: without statistics the joins below would be planned for empty ones.
	ANALYZE o2o.import_order, o2o.import_order_line, o2o.import_return;
	PERFORM o2o.order_import_check(order_import.batch_id);
	PERFORM o2o.journey_partition_months(array_agg(DISTINCT date_trunc('month', timezone('UTC', i.ordered_at))::date))
	FROM o2o.import_order i WHERE i.batch_id = order_import.batch_id;

	-- Claimed under the keys that order_place and order_return use: what is there already stays as it is.
	WITH keyed AS MATERIALIZED (
		SELECT i.source, i.source_id, o2o.request_key(o2o.order_key(i.source, i.source_id)) AS request_id
		FROM o2o.import_order i
		WHERE i.batch_id = order_import.batch_id AND i.outcome IS NULL
	), claimed AS (
		INSERT INTO o2o.request AS r (request_id, operation, payload_hash)
		SELECT k.request_id, 'order_import', sha256(convert_to(order_import.batch_id::text, 'UTF8'))
		FROM keyed k ORDER BY k.request_id
		ON CONFLICT DO NOTHING
		RETURNING r.request_id
	)
	UPDATE o2o.import_order i SET request_id = k.request_id, outcome = CASE WHEN c.request_id IS NULL THEN 'skipped' END
	FROM keyed k LEFT JOIN claimed c ON c.request_id = k.request_id
	WHERE i.batch_id = order_import.batch_id AND i.source = k.source AND i.source_id = k.source_id;
	GET DIAGNOSTICS skipped = ROW_COUNT;
	WITH keyed AS MATERIALIZED (
		SELECT i.source, i.source_id, o2o.request_key('return/' || i.source || '/' || i.source_id) AS request_id
		FROM o2o.import_return i
		WHERE i.batch_id = order_import.batch_id AND i.outcome IS NULL
	), claimed AS (
		INSERT INTO o2o.request AS r (request_id, operation, payload_hash)
		SELECT k.request_id, 'order_import', sha256(convert_to(order_import.batch_id::text, 'UTF8'))
		FROM keyed k ORDER BY k.request_id
		ON CONFLICT DO NOTHING
		RETURNING r.request_id
	)
	UPDATE o2o.import_return i SET outcome = CASE WHEN c.request_id IS NULL THEN 'skipped' END
	FROM keyed k LEFT JOIN claimed c ON c.request_id = k.request_id
	WHERE i.batch_id = order_import.batch_id AND i.source = k.source AND i.source_id = k.source_id;
	GET DIAGNOSTICS returns = ROW_COUNT;

	PERFORM o2o.order_import_products(order_import.batch_id);

	-- Who bought, who returned: through the identity room, in the order of time. A return with its order is the buyer's.
	INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers)
	SELECT i.batch_id, i.source, 'order/' || i.source_id, i.ordered_at, i.identifiers
	FROM o2o.import_order i WHERE i.batch_id = order_import.batch_id AND i.outcome IS NULL
	UNION ALL
	SELECT i.batch_id, i.source, 'return/' || i.source_id, i.returned_at, i.identifiers
	FROM o2o.import_return i
	WHERE i.batch_id = order_import.batch_id AND i.outcome IS NULL
		AND NOT EXISTS (SELECT FROM o2o.import_order o
			WHERE o.batch_id = i.batch_id AND o.source = i.source AND o.source_id = i.order_source_id)
		AND NOT EXISTS (SELECT FROM o2o.sales_order o WHERE o.source = i.source AND o.source_id = i.order_source_id)
	ON CONFLICT DO NOTHING;
	ANALYZE o2o.import_identity;
	PERFORM o2o.identity_import(order_import.batch_id);
	UPDATE o2o.import_order i SET profile_id = e.profile_id, order_id = nextval('o2o.order_id_seq')
	FROM o2o.import_identity e
	WHERE i.batch_id = order_import.batch_id AND i.outcome IS NULL
		AND e.batch_id = i.batch_id AND e.source = i.source AND e.event_id = 'order/' || i.source_id;

	PERFORM o2o.order_import_facts(order_import.batch_id);
	SELECT count(*) INTO orders FROM o2o.import_order i WHERE i.batch_id = order_import.batch_id AND i.outcome IS NULL;
	SELECT count(*) INTO lines FROM o2o.import_order_line l
		JOIN o2o.import_order i ON i.batch_id = l.batch_id AND i.source = l.source AND i.source_id = l.source_id
	WHERE l.batch_id = order_import.batch_id AND i.outcome IS NULL;
	skipped := skipped - orders;

	UPDATE o2o.import_return i SET profile_id = coalesce(o.profile_id, e.profile_id)
	FROM o2o.import_return u
		LEFT JOIN o2o.sales_order o ON o.source = u.source AND o.source_id = u.order_source_id
		LEFT JOIN o2o.import_identity e ON e.batch_id = u.batch_id AND e.source = u.source AND e.event_id = 'return/' || u.source_id
	WHERE i.batch_id = order_import.batch_id AND i.outcome IS NULL
		AND u.batch_id = i.batch_id AND u.source = i.source AND u.source_id = i.source_id;
	INSERT INTO o2o.sales_return (profile_id, order_id, source, source_id, channel_returned, location_returned, currency, total, returned_at)
	SELECT i.profile_id, o.order_id, i.source, i.source_id, i.channel_returned, l.location_id, i.currency, i.total, i.returned_at
	FROM o2o.import_return i
		LEFT JOIN o2o.sales_order o ON o.source = i.source AND o.source_id = i.order_source_id
		LEFT JOIN o2o.location l ON l.source || '/' || l.source_id = i.location_returned
	WHERE i.batch_id = order_import.batch_id AND i.outcome IS NULL
	ORDER BY i.returned_at, i.source, i.source_id;
	skipped := skipped + returns;
	GET DIAGNOSTICS returns = ROW_COUNT;
	skipped := skipped - returns;

	-- In a program with tiers a return takes its spend away.
	PERFORM o2o.points_qualify_many(array_agg(o.profile_id), array_agg(o.points_program),
		array_agg(- o2o.order_spend(o.profile_id, o.order_id, i.total / nullif(o.total, 0))), array_agg(greatest(i.returned_at, o.ordered_at)),
		array_agg(o.ordered_at), array_agg('return/' || i.source || '/' || i.source_id), 'return',
		array_agg(o2o.request_key('return/' || i.source || '/' || i.source_id)))
	FROM o2o.import_return i
		JOIN o2o.sales_order o ON o.source = i.source AND o.source_id = i.order_source_id
		JOIN o2o.points_tier_rule r ON r.program = o.points_program
	WHERE i.batch_id = order_import.batch_id AND i.outcome IS NULL;

	UPDATE o2o.import_order i SET outcome = 'imported' WHERE i.batch_id = order_import.batch_id AND i.outcome IS NULL;
	UPDATE o2o.import_return i SET outcome = 'imported' WHERE i.batch_id = order_import.batch_id AND i.outcome IS NULL;
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION o2o.order_import(bigint) IS 'Imports the orders, lines and returns of a batch from import_order, import_order_line and import_return, all or nothing: identities in the order of time, missing products and SKUs, orders, lines, payments, points earned (rules with a budget give nothing here) and burned, touchpoints and their months. What exists already under (source, source_id), imported or placed, is skipped. Fills profile_id, order_id and outcome (imported, skipped) of the staging rows. Where the points burned in an order do not suffice, the order stays, with points_burned 0 and a row in import_problem. Returns the numbers of orders, lines and returns written and of orders and returns skipped. Errors: as order_import_check(), O2004 the points of the batch were imported before, and those of the points room.';

CREATE OR REPLACE FUNCTION o2o.order_import_earned(batch_id bigint) RETURNS TABLE (order_id bigint, points o2o.points)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	due record;
	customer bigint;
	customer_program text;
	day date;
	earned_before numeric;
	at_before timestamptz[];
	points_before numeric[];
	spend_before numeric[];
	tier text;
BEGIN
	-- One order after the other: an order decides the tier of the next, and what is left below a cap.
	FOR due IN
		WITH priced AS (
			SELECT i.source, i.source_id, jsonb_agg(jsonb_build_object('category', d.category, 'amount', n.amount)) AS lines, sum(n.amount) AS total
			FROM o2o.import_order i
				JOIN o2o.currency c ON c.currency = i.currency
				JOIN o2o.import_order_line l ON l.batch_id = i.batch_id AND l.source = i.source AND l.source_id = i.source_id
				CROSS JOIN LATERAL (SELECT o2o.order_line_amount(l.quantity, l.unit_price, l.discount, c.digits)) n (amount)
				LEFT JOIN o2o.sku s ON s.sku = l.sku
				LEFT JOIN o2o.product d ON d.product_id = s.product_id
			WHERE i.batch_id = order_import_earned.batch_id AND i.outcome IS NULL
				AND (EXISTS (SELECT FROM o2o.points_rule r WHERE r.program = i.points_program)
					OR EXISTS (SELECT FROM o2o.points_tier_rule r WHERE r.program = i.points_program))
			GROUP BY i.source, i.source_id
		)
		SELECT i.order_id, i.points_program, i.channel_sold, i.ordered_at, p.customer_id, w.worth, l.lines, l.total,
			(i.ordered_at AT TIME ZONE g.time_zone)::date AS day, t.program IS NOT NULL AS has_tiers
		FROM priced l
			JOIN o2o.import_order i ON i.batch_id = order_import_earned.batch_id AND i.source = l.source AND i.source_id = l.source_id
			JOIN o2o.profile p ON p.profile_id = i.profile_id
			JOIN o2o.points_program g ON g.program = i.points_program
			JOIN o2o.currency c ON c.currency = i.currency
			LEFT JOIN o2o.points_tier_rule t ON t.program = i.points_program
			CROSS JOIN LATERAL (SELECT CASE WHEN i.points_burned OPERATOR(o2o.>) 0
				THEN least(o2o.points_worth(i.points_program, i.points_burned, i.ordered_at, c.digits), l.total) ELSE 0 END) w (worth)
		WHERE w.worth IS NOT NULL
		ORDER BY p.customer_id, i.points_program, i.ordered_at, i.order_id
	LOOP
		IF customer IS DISTINCT FROM due.customer_id OR customer_program IS DISTINCT FROM due.points_program THEN
			customer := due.customer_id;
			customer_program := due.points_program;
			day := NULL;
			at_before := '{}';
			points_before := '{}';
			spend_before := '{}';
		END IF;
		IF day IS DISTINCT FROM due.day THEN
			day := due.day;
			earned_before := 0;
		END IF;
		IF due.has_tiers THEN
			tier := (SELECT w.tier FROM o2o.points_tier_walk(o2o.customer_profiles(customer), customer_program, at_before, points_before, spend_before) w
				WHERE w.at <= due.ordered_at ORDER BY w.at DESC LIMIT 1);
		ELSE
			tier := NULL;
		END IF;
		order_id := due.order_id;
		points := o2o.points_quote_order(due.points_program, due.lines, due.channel_sold, customer, coalesce(tier, ''), due.worth,
			due.ordered_at, earned_before, drawn => '{}');
		earned_before := earned_before + points::numeric;
		IF due.has_tiers THEN
			at_before := at_before || due.ordered_at;
			points_before := points_before || points::numeric;
			spend_before := spend_before || (due.total - due.worth);
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.order_import_earned(bigint) IS 'What the orders of a batch earn whose buyers are resolved, in programs that have earning rules or tiers: as points_quote_order() says, each customer''s orders in the order of time, with the tier and under the caps of that moment, earlier orders of the batch counted in.';

CREATE OR REPLACE FUNCTION o2o.order_import_facts(batch_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	bad text;
BEGIN
	INSERT INTO o2o.sales_order (profile_id, order_id, source, source_id, request_id, channel_sold, location_sold,
		channel_fulfilled, location_fulfilled, currency, total, points_program, points_earned, points_burned, ordered_at)
	SELECT i.profile_id, i.order_id, i.source, i.source_id, i.request_id, i.channel_sold, sold.location_id,
		coalesce(i.channel_fulfilled, i.channel_sold),
		CASE WHEN i.channel_fulfilled IS NULL THEN coalesce(fulfilled.location_id, sold.location_id) ELSE fulfilled.location_id END,
		i.currency, t.total, i.points_program,
		CASE WHEN i.points_program IS NULL OR p.profile_id IS NULL OR o2o.points_is_closed(i.profile_id, i.points_program) THEN 0 WHEN e.order_id IS NOT NULL THEN e.points ELSE
			o2o.points_quote_amount(i.points_program, t.total - coalesce(o2o.points_worth(i.points_program, i.points_burned, i.ordered_at, c.digits), 0), i.ordered_at) END,
		i.points_burned, i.ordered_at
	FROM o2o.import_order i
		JOIN o2o.currency c ON c.currency = i.currency
		JOIN (SELECT l.source, l.source_id, sum(o2o.order_line_amount(l.quantity, l.unit_price, l.discount, lc.digits)) AS total
			FROM o2o.import_order_line l
				JOIN o2o.import_order lo ON lo.batch_id = l.batch_id AND lo.source = l.source AND lo.source_id = l.source_id
				JOIN o2o.currency lc ON lc.currency = lo.currency
			WHERE l.batch_id = order_import_facts.batch_id
			GROUP BY l.source, l.source_id) t ON t.source = i.source AND t.source_id = i.source_id
		LEFT JOIN o2o.profile p ON p.profile_id = i.profile_id
		LEFT JOIN o2o.order_import_earned(order_import_facts.batch_id) e ON e.order_id = i.order_id
		LEFT JOIN o2o.location sold ON sold.source || '/' || sold.source_id = i.location_sold
		LEFT JOIN o2o.location fulfilled ON fulfilled.source || '/' || fulfilled.source_id = i.location_fulfilled
	WHERE i.batch_id = order_import_facts.batch_id AND i.outcome IS NULL
	ORDER BY i.ordered_at, i.order_id;

	SELECT min(i.source || '/' || i.source_id) INTO bad
	FROM o2o.import_order i
		JOIN o2o.sales_order o ON o.profile_id = i.profile_id AND o.order_id = i.order_id
		JOIN o2o.currency c ON c.currency = o.currency
	WHERE i.batch_id = order_import_facts.batch_id AND i.outcome IS NULL AND i.points_burned OPERATOR(o2o.<>) 0
		AND NOT coalesce(i.points_burned OPERATOR(o2o.>) 0
			AND o2o.points_worth(i.points_program, i.points_burned, i.ordered_at, c.digits) <= o.total
			AND EXISTS (SELECT FROM o2o.profile p WHERE p.profile_id = o.profile_id), false);
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'order does not add up' USING ERRCODE = 'O2501',
			DETAIL = format('Points burned in order %s are below zero, of nobody, without a rate, or worth more than its total.', bad),
			HINT = 'Correct points_burned of that order, or leave it 0.';
	END IF;

	INSERT INTO o2o.order_line (profile_id, order_id, line_no, sku, quantity, unit_price, discount, amount)
	SELECT i.profile_id, i.order_id, l.line_no, l.sku, l.quantity, l.unit_price, l.discount,
		o2o.order_line_amount(l.quantity, l.unit_price, l.discount, c.digits)
	FROM o2o.import_order_line l
		JOIN o2o.import_order i ON i.batch_id = l.batch_id AND i.source = l.source AND i.source_id = l.source_id
		JOIN o2o.currency c ON c.currency = i.currency
	WHERE l.batch_id = order_import_facts.batch_id AND i.outcome IS NULL
	ORDER BY i.profile_id, i.order_id, l.line_no;

	INSERT INTO o2o.payment (profile_id, order_id, payment_no, method, amount, points)
	SELECT o.profile_id, o.order_id, row_number() OVER (PARTITION BY o.order_id ORDER BY p.place), p.method, p.amount, p.points
	FROM o2o.import_order i
		JOIN o2o.sales_order o ON o.profile_id = i.profile_id AND o.order_id = i.order_id
		JOIN o2o.currency c ON c.currency = o.currency
		CROSS JOIN LATERAL (SELECT CASE WHEN i.points_burned OPERATOR(o2o.>) 0
			THEN o2o.points_worth(i.points_program, i.points_burned, i.ordered_at, c.digits) ELSE 0 END) w (worth)
		CROSS JOIN LATERAL (
			SELECT 0 AS place, 'points' AS method, w.worth AS amount, i.points_burned AS points WHERE i.points_burned OPERATOR(o2o.>) 0
			UNION ALL
			SELECT 1, i.payment_method, o.total - w.worth, NULL WHERE o.total > w.worth OR w.worth = 0
		) p
	WHERE i.batch_id = order_import_facts.batch_id AND i.outcome IS NULL;
	INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at, reference)
	SELECT i.batch_id, o.profile_id, o.points_program, p.operation, p.amount, o.ordered_at, o2o.order_key(o.source, o.source_id)
	FROM o2o.import_order i
		JOIN o2o.sales_order o ON o.profile_id = i.profile_id AND o.order_id = i.order_id
		CROSS JOIN LATERAL (VALUES (1, 'burn', o.points_burned), (2, 'earn', o.points_earned)) p (place, operation, amount)
	WHERE i.batch_id = order_import_facts.batch_id AND i.outcome IS NULL AND p.amount OPERATOR(o2o.>) 0
	ORDER BY o.ordered_at, o.order_id, p.place;
	IF FOUND AND EXISTS (SELECT FROM o2o.request r WHERE r.request_id = o2o.request_key('points_import/' || order_import_facts.batch_id)) THEN
		RAISE EXCEPTION 'points of batch % were imported before', order_import_facts.batch_id
			USING ERRCODE = 'O2004', HINT = 'Give further orders another batch_id.';
	END IF;
	ANALYZE o2o.import_points;
	PERFORM o2o.points_import(order_import_facts.batch_id);
	-- What the ledger refused was not paid with points of ours: the order stays, the refusal is on record.
	INSERT INTO o2o.import_problem (batch_id, source, source_id, problem)
	SELECT i.batch_id, i.source, i.source_id, format('%s points not burned: %s', p.amount, p.problem)
	FROM o2o.import_points_problem p
		JOIN o2o.import_order i ON i.batch_id = p.batch_id AND o2o.order_key(i.source, i.source_id) = p.reference
	WHERE p.batch_id = order_import_facts.batch_id AND p.operation = 'burn' AND i.outcome IS NULL;
	UPDATE o2o.sales_order o SET points_burned = 0
	FROM o2o.import_points_problem p
		JOIN o2o.import_order i ON i.batch_id = p.batch_id AND o2o.order_key(i.source, i.source_id) = p.reference
	WHERE p.batch_id = order_import_facts.batch_id AND p.operation = 'burn' AND i.outcome IS NULL
		AND o.profile_id = i.profile_id AND o.order_id = i.order_id;
	UPDATE o2o.payment n SET points = NULL
	FROM o2o.import_points_problem p
		JOIN o2o.import_order i ON i.batch_id = p.batch_id AND o2o.order_key(i.source, i.source_id) = p.reference
	WHERE p.batch_id = order_import_facts.batch_id AND p.operation = 'burn' AND i.outcome IS NULL
		AND n.profile_id = i.profile_id AND n.order_id = i.order_id AND n.method = 'points';

	PERFORM o2o.points_qualify_many(array_agg(o.profile_id), array_agg(o.points_program), array_agg(o2o.order_spend(o.profile_id, o.order_id)),
		array_agg(o.ordered_at), array_agg(o.ordered_at), array_agg(o2o.order_key(o.source, o.source_id)), 'order', array_agg(o.request_id))
	FROM o2o.import_order i
		JOIN o2o.sales_order o ON o.profile_id = i.profile_id AND o.order_id = i.order_id
		JOIN o2o.points_tier_rule r ON r.program = o.points_program
		JOIN o2o.profile p ON p.profile_id = o.profile_id
	WHERE i.batch_id = order_import_facts.batch_id AND i.outcome IS NULL;

	INSERT INTO o2o.touchpoint (profile_id, occurred_at, stage, verb, channel, source, event_id, location_id, order_id)
	SELECT o.profile_id, o.ordered_at, 'deal', 'order_completed', o.channel_sold, o.source, 'order/' || o.source_id, o.location_sold, o.order_id
	FROM o2o.import_order i
		JOIN o2o.sales_order o ON o.profile_id = i.profile_id AND o.order_id = i.order_id
	WHERE i.batch_id = order_import_facts.batch_id AND i.outcome IS NULL
	ORDER BY o.ordered_at, o.order_id;
END $$;
COMMENT ON FUNCTION o2o.order_import_facts(bigint) IS 'The facts of a batch whose buyers are resolved: orders, lines, payments, points, touchpoints. Errors: O2501 points burned that the order cannot take, and those of points_import().';
