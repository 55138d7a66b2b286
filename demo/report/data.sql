-- The report's data, one JSON document, from the report views.
-- Variables: real (1 or 0), people, seed.
\pset format unaligned
\pset tuples_only on
SELECT jsonb_build_object(
	'title', CASE WHEN :real = 1 THEN 'Online Retail (United Kingdom) and The Complete Journey (United States)'
		ELSE 'A retailer with a web shop, an app, a mini-program and ' || (SELECT count(*) FROM o2o.store_sales WHERE kind = 'store') || ' stores' END,
	'notes', CASE WHEN :real = 1 THEN jsonb_build_array('Real orders of two retailers that share no customers: what crosses channels here is nothing, and no link was invented.')
		ELSE jsonb_build_array(format('%s generated people (seed %s), known to two systems by %s records full of dirt; who is who is known.',
			to_char(:people, 'FM999,999,999'), :seed, (SELECT to_char(count(*), 'FM999,999,999') FROM demo.truth))) END,
	'map_note', CASE WHEN :real = 1 THEN 'Positions and opening hours are those of Target''s stores; The Complete Journey does not say where its stores stand, so each of its stores was given one of them.' END,
	'period', (SELECT jsonb_build_array(to_char(min(month), 'FMMonth YYYY'), to_char(max(month), 'FMMonth YYYY')) FROM o2o.channel_sales),
	'headline', (SELECT jsonb_build_object(
		'records', (SELECT count(*) FROM o2o.profile WHERE kind = 'ref'),
		'customers', (SELECT count(DISTINCT customer_id) FROM o2o.profile WHERE kind = 'ref'),
		'orders', (SELECT sum(orders) FROM o2o.channel_sales),
		'anonymous_orders', (SELECT sum(anonymous_orders) FROM o2o.channel_sales),
		'stores', (SELECT count(DISTINCT location_id) FROM o2o.store_sales WHERE kind = 'store' AND orders > 0),
		'currencies', (SELECT jsonb_agg(jsonb_build_object('currency', s.currency, 'sales', s.sales, 'orders', s.orders, 'returned',
				(SELECT coalesce(sum(r.total), 0) FROM o2o.sales_return r WHERE r.currency = s.currency)) ORDER BY s.sales DESC)
			FROM (SELECT currency, sum(sales) AS sales, sum(orders) AS orders FROM o2o.channel_sales GROUP BY currency) s))),
	'months', (SELECT jsonb_agg(jsonb_build_object('month', s.month, 'channel', s.channel_sold, 'channel_name', c.name, 'kind', s.kind_sold,
			'currency', s.currency, 'orders', s.orders, 'sales', s.sales) ORDER BY s.currency, s.month, s.channel_sold)
		FROM (SELECT month, channel_sold, kind_sold, currency, sum(orders) AS orders, sum(sales) AS sales
			FROM o2o.channel_sales GROUP BY month, channel_sold, kind_sold, currency) s
			JOIN o2o.channel c ON c.channel = s.channel_sold),
	'matrix', (SELECT jsonb_agg(jsonb_build_object('currency', s.currency, 'sold', s.channel_sold, 'sold_name', a.name, 'sold_kind', s.kind_sold,
			'fulfilled', s.channel_fulfilled, 'fulfilled_name', b.name, 'fulfilled_kind', s.kind_fulfilled, 'orders', s.orders, 'sales', s.sales)
			ORDER BY s.currency, s.channel_sold, s.channel_fulfilled)
		FROM (SELECT currency, channel_sold, kind_sold, channel_fulfilled, kind_fulfilled, sum(orders) AS orders, sum(sales) AS sales
			FROM o2o.channel_sales GROUP BY currency, channel_sold, kind_sold, channel_fulfilled, kind_fulfilled) s
			JOIN o2o.channel a ON a.channel = s.channel_sold JOIN o2o.channel b ON b.channel = s.channel_fulfilled),
	'segments', (SELECT jsonb_agg(g.segment_row ORDER BY g.place)
		FROM (SELECT s.place, jsonb_build_object('segment', s.segment, 'customers', coalesce(max(o.segment_customers), 0), 'orders', coalesce(sum(o.orders), 0))
				|| coalesce(jsonb_object_agg('sales_' || o.currency, o.sales) FILTER (WHERE o.currency IS NOT NULL), '{}') AS segment_row
			FROM (VALUES (1, 'online only'), (2, 'both'), (3, 'store only')) s (place, segment)
				LEFT JOIN o2o.omnichannel_customers o ON o.segment = s.segment
			GROUP BY s.place, s.segment) g),
	'categories', (SELECT coalesce(jsonb_agg(jsonb_build_object('category', category, 'kind', kind_sold, 'currency', currency, 'sales', sales) ORDER BY currency, category, kind_sold), '[]')
		FROM o2o.category_sales WHERE category <> '(none)'),
	'funnel', (SELECT CASE WHEN bool_and(customers_in_order > 0) THEN jsonb_agg(jsonb_build_object('stage', stage, 'people', customers_in_order, 'whoever', customers) ORDER BY step)
			ELSE '[]' END FROM o2o.stage_funnel),
	'points', (SELECT jsonb_agg(jsonb_build_object('program', p.program, 'currency', g.currency, 'month', p.month, 'issued', p.issued, 'spent', p.spent) ORDER BY p.program, p.month)
		FROM (SELECT o.points_program AS program, date_trunc('month', o.ordered_at AT TIME ZONE r.time_zone)::date AS month,
				o2o.sum(o.points_earned)::numeric AS issued, o2o.sum(o.points_burned)::numeric AS spent
			FROM o2o.sales_order o JOIN o2o.points_program r ON r.program = o.points_program
			GROUP BY 1, 2) p JOIN o2o.points_program g ON g.program = p.program),
	'liability', (SELECT jsonb_agg(jsonb_build_object('program', program, 'currency', currency, 'issued', issued, 'spent', spent, 'expired', expired,
			'outstanding', outstanding, 'liability', liability, 'reserve', reserve, 'ratio', reserve_ratio) ORDER BY program) FROM o2o.points_liability),
	'stores', (SELECT jsonb_agg(jsonb_build_object('name', name, 'city', city, 'country', country, 'kind', kind, 'lon', round(lon::numeric, 3), 'lat', round(lat::numeric, 3),
			'currency', currency, 'orders', orders, 'sales', sales) ORDER BY location_id, currency) FROM o2o.store_sales),
	'identity', jsonb_build_object(
		'sizes', (SELECT jsonb_agg(jsonb_build_object('records', z.label, 'customers', z.customers) ORDER BY z.size)
			FROM (SELECT least(n, 6) AS size, CASE WHEN least(n, 6) = 6 THEN '6 and more' ELSE n::text END AS label, count(*) AS customers
				FROM (SELECT count(*) AS n FROM o2o.profile WHERE kind = 'ref' GROUP BY customer_id) c GROUP BY 1, 2) z),
		'accuracy', (SELECT jsonb_agg(jsonb_build_object('name', a.name, 'records', a.records, 'people', a.people, 'customers', a.customers,
				'precision', a.precision, 'recall', a.recall) ORDER BY a.place) FROM demo.accuracy_table a)),
	'verify', (SELECT jsonb_agg(jsonb_build_object('name', name, 'rows', rows) ORDER BY name) FROM demo.verify));
