-- The reports room: views that reporting tools read, in built-in types. Each says its
-- grain, units, time zone and freshness; all are live: they show what is committed.

CREATE OR REPLACE VIEW o2o.customer_360 AS
SELECT c.customer_id, c.profile_count AS profiles, p.first_seen_at,
	coalesce(o.web_orders, 0) AS web_orders, coalesce(o.store_orders, 0) AS store_orders,
	o.currency, coalesce(o.web_sales, 0) AS web_sales, coalesce(o.store_sales, 0) AS store_sales,
	coalesce(o.other_currency_orders, 0) AS other_currency_orders, o.first_order_at, o.last_order_at,
	coalesce(r.returns, 0) AS returns, coalesce(r.return_total, 0) AS return_total,
	a.program AS points_program, coalesce(a.balance, 0) AS points_balance, coalesce(a.available, 0) AS points_available,
	coalesce(t.touchpoints, 0) AS touchpoints, coalesce(t.shares, 0) AS shares, t.last_touchpoint_at
FROM o2o.customer c
	LEFT JOIN (
		SELECT m.customer_id, min(least(m.created_at, i.first_seen_at)) AS first_seen_at
		FROM o2o.profile m LEFT JOIN o2o.profile_identifier i ON i.profile_id = m.profile_id
		GROUP BY m.customer_id
	) p ON p.customer_id = c.customer_id
	LEFT JOIN (
		SELECT s.customer_id, sum(s.web_orders)::bigint AS web_orders, sum(s.store_orders)::bigint AS store_orders,
			min(s.first_order_at) AS first_order_at, max(s.last_order_at) AS last_order_at,
			(array_agg(s.currency ORDER BY s.orders DESC, s.currency))[1] AS currency,
			(array_agg(s.web_sales ORDER BY s.orders DESC, s.currency))[1] AS web_sales,
			(array_agg(s.store_sales ORDER BY s.orders DESC, s.currency))[1] AS store_sales,
			(sum(s.orders) - max(s.orders))::bigint AS other_currency_orders
		FROM (
			SELECT m.customer_id, o.currency, count(*) AS orders,
				count(*) FILTER (WHERE ch.kind = 'online') AS web_orders, count(*) FILTER (WHERE ch.kind = 'offline') AS store_orders,
				coalesce(sum(o.total) FILTER (WHERE ch.kind = 'online'), 0) AS web_sales,
				coalesce(sum(o.total) FILTER (WHERE ch.kind = 'offline'), 0) AS store_sales,
				min(o.ordered_at) AS first_order_at, max(o.ordered_at) AS last_order_at
			FROM o2o.sales_order o
				JOIN o2o.profile m ON m.profile_id = o.profile_id
				JOIN o2o.channel ch ON ch.channel = o.channel_sold
			GROUP BY m.customer_id, o.currency
		) s
		GROUP BY s.customer_id
	) o ON o.customer_id = c.customer_id
	LEFT JOIN (
		SELECT s.customer_id, sum(s.returns)::bigint AS returns,
			(array_agg(s.total ORDER BY s.returns DESC, s.currency))[1] AS return_total
		FROM (
			SELECT m.customer_id, r.currency, count(*) AS returns, sum(r.total) AS total
			FROM o2o.sales_return r JOIN o2o.profile m ON m.profile_id = r.profile_id
			GROUP BY m.customer_id, r.currency
		) s
		GROUP BY s.customer_id
	) r ON r.customer_id = c.customer_id
	LEFT JOIN (
		SELECT s.customer_id, (array_agg(s.program ORDER BY s.postings DESC, s.program))[1] AS program,
			(array_agg(s.balance ORDER BY s.postings DESC, s.program))[1] AS balance,
			(array_agg(s.balance - s.held - s.gone ORDER BY s.postings DESC, s.program))[1] AS available
		FROM (
			SELECT m.customer_id, a.program, sum(a.postings) AS postings, sum(a.balance) AS balance, sum(a.held) AS held, sum(a.gone) AS gone
			FROM (
				SELECT a.profile_id, a.program, a.version AS postings, CASE a.kind WHEN 'member' THEN a.balance::numeric ELSE 0 END AS balance,
					a.held::numeric - coalesce(h.over, 0) - CASE a.kind WHEN 'debt' THEN a.balance::numeric ELSE 0 END AS held,
					coalesce(g.gone, 0) + coalesce(h.gone, 0) AS gone
				FROM o2o.points_account a
					LEFT JOIN (
						SELECT l.profile_id, l.account_id, sum(l.remaining::numeric - l.held::numeric) AS gone
						FROM o2o.points_lot l WHERE l.expires_at <= now()
						GROUP BY l.profile_id, l.account_id
					) g ON g.profile_id = a.profile_id AND g.account_id = a.account_id
					LEFT JOIN (
						SELECT t.profile_id, t.account_id, sum(t.amount::numeric) AS over,
							coalesce(sum(t.amount::numeric) FILTER (WHERE least(t.expires_at, x.lapses_at) <= now()), 0) AS gone
						FROM o2o.points_hold_part t
							LEFT JOIN o2o.points_lapse x ON x.profile_id = t.profile_id AND x.account_id = t.account_id
						WHERE t.is_open AND t.held_until <= now()
						GROUP BY t.profile_id, t.account_id
					) h ON h.profile_id = a.profile_id AND h.account_id = a.account_id
				WHERE a.kind IN ('member', 'debt')
				UNION ALL
				-- Gone for inactivity; asked once an account (OFFSET 0), not once a lot.
				SELECT x.profile_id, x.program, 0, 0, 0, l.remaining::numeric - l.held::numeric
				FROM (SELECT y.* FROM o2o.points_lapse y WHERE y.lapses_at <= now() OFFSET 0) x
					JOIN o2o.points_lot l ON l.profile_id = x.profile_id AND l.account_id = x.account_id
				WHERE l.expires_at > now()
			) a
				JOIN o2o.profile m ON m.profile_id = a.profile_id
			GROUP BY m.customer_id, a.program
		) s
		GROUP BY s.customer_id
	) a ON a.customer_id = c.customer_id
	LEFT JOIN (
		SELECT m.customer_id, count(*) AS touchpoints, count(*) FILTER (WHERE t.stage = 'share') AS shares,
			max(t.occurred_at) AS last_touchpoint_at
		FROM o2o.touchpoint t JOIN o2o.profile m ON m.profile_id = t.profile_id
		GROUP BY m.customer_id
	) t ON t.customer_id = c.customer_id
WHERE c.profile_count > 0;
COMMENT ON VIEW o2o.customer_360 IS 'One row per customer of today (anonymous baskets are nobody''s): orders, money, points, touchpoints over all channels. Money is in the customer''s currency, that of most of their orders (ties: alphabetical); orders in other currencies are counted, their money is not added. Points are those of the program with most of their postings (ties: alphabetical). Live; times are instants.';
COMMENT ON COLUMN o2o.customer_360.customer_id IS 'Customer of today';
COMMENT ON COLUMN o2o.customer_360.profiles IS 'Profiles that resolve to the customer';
COMMENT ON COLUMN o2o.customer_360.first_seen_at IS 'When the first of their identifiers was seen';
COMMENT ON COLUMN o2o.customer_360.web_orders IS 'Orders sold in online channels, all currencies';
COMMENT ON COLUMN o2o.customer_360.store_orders IS 'Orders sold in offline channels, all currencies';
COMMENT ON COLUMN o2o.customer_360.currency IS 'ISO 4217 currency of web_sales and store_sales; NULL without orders';
COMMENT ON COLUMN o2o.customer_360.web_sales IS 'Sum of the online orders in currency, before returns';
COMMENT ON COLUMN o2o.customer_360.store_sales IS 'Sum of the offline orders in currency, before returns';
COMMENT ON COLUMN o2o.customer_360.other_currency_orders IS 'Orders in other currencies, whose money is not in the sums';
COMMENT ON COLUMN o2o.customer_360.first_order_at IS 'Time of the first order';
COMMENT ON COLUMN o2o.customer_360.last_order_at IS 'Time of the last order';
COMMENT ON COLUMN o2o.customer_360.returns IS 'Returns, all currencies';
COMMENT ON COLUMN o2o.customer_360.return_total IS 'Money given back, in the currency of most returns';
COMMENT ON COLUMN o2o.customer_360.points_program IS 'Program of the points columns; NULL without an account';
COMMENT ON COLUMN o2o.customer_360.points_balance IS 'Points on all accounts of the customer in the program';
COMMENT ON COLUMN o2o.customer_360.points_available IS 'Points that can be spent now: balance without held and expired points and debts';
COMMENT ON COLUMN o2o.customer_360.touchpoints IS 'Touchpoints of every stage';
COMMENT ON COLUMN o2o.customer_360.shares IS 'Touchpoints of stage share';
COMMENT ON COLUMN o2o.customer_360.last_touchpoint_at IS 'Time of the last touchpoint';

CREATE OR REPLACE VIEW o2o.customer_timeline AS
SELECT m.customer_id, o.ordered_at AS occurred_at, 'order' AS kind, o.channel_sold AS channel,
	o.source || '/' || o.source_id AS description, o.total AS amount, o.currency, NULL::numeric AS points
FROM o2o.sales_order o JOIN o2o.profile m ON m.profile_id = o.profile_id
UNION ALL
SELECT m.customer_id, r.returned_at, 'return', r.channel_returned, r.source || '/' || r.source_id, -r.total, r.currency, NULL
FROM o2o.sales_return r JOIN o2o.profile m ON m.profile_id = r.profile_id
UNION ALL
SELECT m.customer_id, p.occurred_at, 'points', NULL, concat_ws(' ', p.operation, p.reference), NULL, NULL, sum(p.amount::numeric)
FROM o2o.points_posting p JOIN o2o.profile m ON m.profile_id = p.profile_id
GROUP BY m.customer_id, p.profile_id, p.account_id, p.transfer_id, p.operation, p.occurred_at, p.reference
UNION ALL
SELECT m.customer_id, t.occurred_at, 'touchpoint', t.channel, concat_ws(' ', t.stage, t.verb, t.sku), NULL, NULL, NULL
FROM o2o.touchpoint t JOIN o2o.profile m ON m.profile_id = t.profile_id
WHERE t.verb <> 'order_completed'
UNION ALL
SELECT m.customer_id, h.changed_at, h.cause, NULL, format('profile %s: customer %s to %s', h.profile_id, h.old_customer_id, h.new_customer_id),
	NULL, NULL, NULL
FROM o2o.customer_change h JOIN o2o.profile m ON m.profile_id = h.profile_id;
COMMENT ON VIEW o2o.customer_timeline IS 'One row per thing that happened to a customer of today: orders, returns, points postings, touchpoints, merges and unmerges. Sort by occurred_at. Live; times are instants.';
COMMENT ON COLUMN o2o.customer_timeline.customer_id IS 'Customer of today';
COMMENT ON COLUMN o2o.customer_timeline.occurred_at IS 'When it happened';
COMMENT ON COLUMN o2o.customer_timeline.kind IS 'order, return, points, touchpoint, merge, unmerge';
COMMENT ON COLUMN o2o.customer_timeline.channel IS 'Channel, where there is one';
COMMENT ON COLUMN o2o.customer_timeline.description IS 'Order or return as <source>/<number>, operation and reference of points, stage, verb and product of a touchpoint, who moved in a merge';
COMMENT ON COLUMN o2o.customer_timeline.amount IS 'Money in currency; returns below zero';
COMMENT ON COLUMN o2o.customer_timeline.currency IS 'ISO 4217 currency of amount';
COMMENT ON COLUMN o2o.customer_timeline.points IS 'Points; spent ones below zero';

CREATE OR REPLACE VIEW o2o.channel_sales AS
SELECT date_trunc('month', timezone(coalesce(l.time_zone, s.time_zone), o.ordered_at))::date AS month,
	o.channel_sold, sold.kind AS kind_sold, o.channel_fulfilled, fulfilled.kind AS kind_fulfilled, o.currency,
	count(*) AS orders, sum(o.total) AS sales, count(DISTINCT m.customer_id) AS customers,
	count(*) FILTER (WHERE m.customer_id IS NULL) AS anonymous_orders
FROM o2o.sales_order o
	JOIN o2o.source s ON s.source = o.source
	JOIN o2o.channel sold ON sold.channel = o.channel_sold
	JOIN o2o.channel fulfilled ON fulfilled.channel = o.channel_fulfilled
	LEFT JOIN o2o.location l ON l.location_id = o.location_sold
	LEFT JOIN o2o.profile m ON m.profile_id = o.profile_id
GROUP BY 1, 2, 3, 4, 5, 6;
COMMENT ON VIEW o2o.channel_sales IS 'One row per month, channel sold, channel fulfilled and currency; every order stands in exactly one row, so orders and sales may be added up within a currency (customers may not). Months in the time zone of the place where sold, else of the source. Live.';
COMMENT ON COLUMN o2o.channel_sales.month IS 'First day of the month';
COMMENT ON COLUMN o2o.channel_sales.channel_sold IS 'Channel where the order was placed';
COMMENT ON COLUMN o2o.channel_sales.kind_sold IS 'online or offline, of channel_sold';
COMMENT ON COLUMN o2o.channel_sales.channel_fulfilled IS 'Channel where the goods were handed over';
COMMENT ON COLUMN o2o.channel_sales.kind_fulfilled IS 'online or offline, of channel_fulfilled';
COMMENT ON COLUMN o2o.channel_sales.currency IS 'ISO 4217 currency of sales';
COMMENT ON COLUMN o2o.channel_sales.orders IS 'Orders';
COMMENT ON COLUMN o2o.channel_sales.sales IS 'Sum of the orders in currency, before returns';
COMMENT ON COLUMN o2o.channel_sales.customers IS 'Different customers of today';
COMMENT ON COLUMN o2o.channel_sales.anonymous_orders IS 'Orders of nobody known';

CREATE OR REPLACE VIEW o2o.category_sales AS
SELECT coalesce(p.category, '(none)') AS category, ch.kind AS kind_sold, o.currency, count(DISTINCT o.order_id) AS orders,
	sum(n.quantity) AS quantity, sum(n.amount) AS sales
FROM o2o.order_line n
	JOIN o2o.sales_order o ON o.profile_id = n.profile_id AND o.order_id = n.order_id
	JOIN o2o.channel ch ON ch.channel = o.channel_sold
	JOIN o2o.sku k ON k.sku = n.sku
	JOIN o2o.product p ON p.product_id = k.product_id
GROUP BY 1, 2, 3;
COMMENT ON VIEW o2o.category_sales IS 'One row per product category, kind of channel sold and currency; quantity and sales may be added up within a currency (orders may not: one order may have several categories). All times. Live.';
COMMENT ON COLUMN o2o.category_sales.category IS 'Product category; (none) where the product has none';
COMMENT ON COLUMN o2o.category_sales.kind_sold IS 'online or offline, of the channel where sold';
COMMENT ON COLUMN o2o.category_sales.currency IS 'ISO 4217 currency of sales';
COMMENT ON COLUMN o2o.category_sales.orders IS 'Orders with a line of the category';
COMMENT ON COLUMN o2o.category_sales.quantity IS 'Units sold';
COMMENT ON COLUMN o2o.category_sales.sales IS 'Sum of the lines in currency, before returns';

CREATE OR REPLACE VIEW o2o.omnichannel_customers AS
SELECT g.segment, g.currency, g.customers,
	round(g.customers::numeric / sum(g.customers) OVER (PARTITION BY g.currency), 4) AS customer_share,
	g.orders, g.sales, round(g.sales / nullif(sum(g.sales) OVER (PARTITION BY g.currency), 0), 4) AS sales_share,
	g.segment_customers
FROM (
	SELECT b.segment, b.currency, count(*) AS customers, sum(b.orders)::bigint AS orders, sum(b.sales) AS sales,
		(sum(count(*) FILTER (WHERE b.is_first)) OVER (PARTITION BY b.segment))::bigint AS segment_customers
	FROM (
		SELECT c.customer_id, c.currency, c.orders, c.sales,
			CASE WHEN bool_and(c.online AND NOT c.offline) OVER w THEN 'online only'
				WHEN bool_and(c.offline AND NOT c.online) OVER w THEN 'store only' ELSE 'both' END AS segment,
			row_number() OVER (PARTITION BY c.customer_id ORDER BY c.currency) = 1 AS is_first
		FROM (
			SELECT m.customer_id, o.currency, count(*) AS orders, sum(o.total) AS sales,
				bool_or(ch.kind = 'online') AS online, bool_or(ch.kind = 'offline') AS offline
			FROM o2o.sales_order o
				JOIN o2o.profile m ON m.profile_id = o.profile_id
				JOIN o2o.channel ch ON ch.channel = o.channel_sold
			GROUP BY m.customer_id, o.currency
		) c
		WINDOW w AS (PARTITION BY c.customer_id)
	) b
	GROUP BY b.segment, b.currency
) g;
COMMENT ON VIEW o2o.omnichannel_customers IS 'One row per segment (online only, store only, both) and currency: customers of today with orders, by the kinds of channels in which they ever ordered, whatever the currency. In a shop with one currency, one row per segment. Anonymous orders are left out. All times. Live.';
COMMENT ON COLUMN o2o.omnichannel_customers.segment IS 'online only, store only, both';
COMMENT ON COLUMN o2o.omnichannel_customers.currency IS 'ISO 4217 currency of sales';
COMMENT ON COLUMN o2o.omnichannel_customers.customers IS 'Customers of the segment with orders in the currency';
COMMENT ON COLUMN o2o.omnichannel_customers.customer_share IS 'Their share of all customers with orders in the currency, 0 to 1, 4 digits';
COMMENT ON COLUMN o2o.omnichannel_customers.orders IS 'Their orders in the currency';
COMMENT ON COLUMN o2o.omnichannel_customers.sales IS 'Sum of these orders, before returns';
COMMENT ON COLUMN o2o.omnichannel_customers.sales_share IS 'Share of the sales of known customers in the currency, 0 to 1, 4 digits';
COMMENT ON COLUMN o2o.omnichannel_customers.segment_customers IS 'Customers of the segment over all currencies; the same in each row of the segment';

CREATE OR REPLACE VIEW o2o.store_sales AS
SELECT l.location_id, l.source, l.source_id, l.name, l.kind, o2o.geo_longitude(l.position) AS lon, o2o.geo_latitude(l.position) AS lat,
	l.city, l.country, g.currency, coalesce(sum(g.orders), 0)::bigint AS orders, coalesce(sum(g.sales), 0) AS sales,
	coalesce(sum(g.customers), 0)::bigint AS customers, coalesce(sum(g.pickups), 0)::bigint AS pickups,
	coalesce(sum(g.returns), 0)::bigint AS returns, coalesce(sum(g.return_total), 0) AS return_total
FROM o2o.location l
	LEFT JOIN (
		SELECT o.location_sold AS location_id, o.currency, count(*) AS orders, sum(o.total) AS sales,
			count(DISTINCT m.customer_id) AS customers, NULL::bigint AS pickups, NULL::bigint AS returns, NULL::numeric AS return_total
		FROM o2o.sales_order o LEFT JOIN o2o.profile m ON m.profile_id = o.profile_id
		WHERE o.location_sold IS NOT NULL
		GROUP BY o.location_sold, o.currency
		UNION ALL
		SELECT o.location_fulfilled, o.currency, NULL AS orders, NULL AS sales, NULL AS customers, count(*) AS pickups, NULL AS returns, NULL AS return_total
		FROM o2o.sales_order o
		WHERE o.location_fulfilled IS NOT NULL AND o.location_sold IS DISTINCT FROM o.location_fulfilled
		GROUP BY o.location_fulfilled, o.currency
		UNION ALL
		SELECT r.location_returned, r.currency, NULL AS orders, NULL AS sales, NULL AS customers, NULL AS pickups, count(*) AS returns, sum(r.total) AS return_total
		FROM o2o.sales_return r
		WHERE r.location_returned IS NOT NULL
		GROUP BY r.location_returned, r.currency
	) g ON g.location_id = l.location_id
WHERE l.kind = ANY (o2o.store_kinds())
GROUP BY l.location_id, g.currency;
COMMENT ON VIEW o2o.store_sales IS 'One row per place (store, counter, warehouse) and currency; one row with currency NULL where nothing was sold yet. All times. Live.';
COMMENT ON COLUMN o2o.store_sales.location_id IS 'Place';
COMMENT ON COLUMN o2o.store_sales.source IS 'Source system of the place';
COMMENT ON COLUMN o2o.store_sales.source_id IS 'Its number there';
COMMENT ON COLUMN o2o.store_sales.name IS 'Name';
COMMENT ON COLUMN o2o.store_sales.kind IS 'store, counter, warehouse';
COMMENT ON COLUMN o2o.store_sales.lon IS 'Longitude, degrees, WGS84; NULL where unknown';
COMMENT ON COLUMN o2o.store_sales.lat IS 'Latitude, degrees, WGS84; NULL where unknown';
COMMENT ON COLUMN o2o.store_sales.city IS 'City';
COMMENT ON COLUMN o2o.store_sales.country IS 'Country';
COMMENT ON COLUMN o2o.store_sales.currency IS 'ISO 4217 currency of sales and return_total';
COMMENT ON COLUMN o2o.store_sales.orders IS 'Orders sold there';
COMMENT ON COLUMN o2o.store_sales.sales IS 'Sum of these orders, before returns';
COMMENT ON COLUMN o2o.store_sales.customers IS 'Different customers of today who ordered there';
COMMENT ON COLUMN o2o.store_sales.pickups IS 'Orders sold elsewhere and handed over there';
COMMENT ON COLUMN o2o.store_sales.returns IS 'Returns taken there';
COMMENT ON COLUMN o2o.store_sales.return_total IS 'Money given back there';

CREATE OR REPLACE VIEW o2o.stage_funnel AS
SELECT s.step, s.stage, count(*) FILTER (WHERE j.stages LIKE s.any_order) AS customers,
	count(*) FILTER (WHERE j.stages LIKE s.in_order) AS customers_in_order,
	round(count(*) FILTER (WHERE j.stages LIKE s.in_order)::numeric
		/ nullif(first_value(count(*) FILTER (WHERE j.stages LIKE s.in_order)) OVER w, 0), 4) AS share_of_first,
	round(count(*) FILTER (WHERE j.stages LIKE s.in_order)::numeric
		/ nullif(lag(count(*) FILTER (WHERE j.stages LIKE s.in_order)) OVER w, 0), 4) AS share_of_previous
FROM (VALUES (1, 'search', '%1%', '%1%'), (2, 'attention', '%2%', '%1%2%'), (3, 'deal', '%3%', '%1%2%3%'),
		(4, 'use', '%4%', '%1%2%3%4%'), (5, 'share', '%5%', '%1%2%3%4%5%')) s (step, stage, any_order, in_order)
	LEFT JOIN (
		SELECT string_agg(CASE t.stage WHEN 'search' THEN '1' WHEN 'attention' THEN '2' WHEN 'deal' THEN '3' WHEN 'use' THEN '4' ELSE '5' END, ''
			ORDER BY t.occurred_at, CASE t.stage WHEN 'search' THEN '1' WHEN 'attention' THEN '2' WHEN 'deal' THEN '3' WHEN 'use' THEN '4' ELSE '5' END) AS stages
		FROM o2o.touchpoint t JOIN o2o.profile m ON m.profile_id = t.profile_id
		GROUP BY m.customer_id
	) j ON true
GROUP BY s.step, s.stage
WINDOW w AS (ORDER BY s.step);
COMMENT ON VIEW o2o.stage_funnel IS 'One row per stage of the journey (search, attention, deal, use, share): customers of today who were in it, and those who came to it through all stages before it, in that order, at any pace (stages at the same moment count in the order of the journey). Visitors that nobody identified are left out. All times. Live.';
COMMENT ON COLUMN o2o.stage_funnel.step IS 'Number of the stage, 1 to 5';
COMMENT ON COLUMN o2o.stage_funnel.stage IS 'Stage of the journey';
COMMENT ON COLUMN o2o.stage_funnel.customers IS 'Customers with a touchpoint of the stage, whatever came before';
COMMENT ON COLUMN o2o.stage_funnel.customers_in_order IS 'Customers who went through every stage up to this one, in order';
COMMENT ON COLUMN o2o.stage_funnel.share_of_first IS 'customers_in_order as a share of those of the first stage, 0 to 1, 4 digits';
COMMENT ON COLUMN o2o.stage_funnel.share_of_previous IS 'customers_in_order as a share of those of the stage before, 0 to 1, 4 digits; NULL for the first';
