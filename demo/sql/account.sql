-- The account that demo/run prints. Variable: real (1 or 0).
\pset format aligned
\pset tuples_only off
\pset footer off
\pset border 0
\pset null '-'
\pset numericlocale off

SELECT :real = 0 AS is_generated \gset
\if :is_generated
SELECT s.name AS "source",
	(SELECT count(*) FROM demo.truth t WHERE t.source = s.source) AS "records of people",
	(SELECT count(*) FROM o2o.import_order i WHERE i.source = s.source) AS orders,
	(SELECT count(*) FROM o2o.import_order_line i WHERE i.source = s.source) AS lines,
	(SELECT count(*) FROM o2o.import_return i WHERE i.source = s.source) AS returns,
	(SELECT count(*) FROM o2o.import_touchpoint i WHERE i.source = s.source) AS touchpoints
FROM o2o.source s WHERE s.source IN ('web', 'pos') ORDER BY s.source DESC;
\endif
SELECT problem AS "left out (the rest of the record was taken)", count(*) AS times FROM o2o.import_problem GROUP BY problem ORDER BY times DESC, problem;

\echo '=== Customers: records before and after, against the truth'
SELECT name AS "labelled records", records AS before, customers AS after, people AS "in truth",
	round(100 * precision, 2) || ' %' AS precision, round(100 * recall, 2) || ' %' AS recall
FROM demo.accuracy_table ORDER BY place;
\if :is_generated
\echo 'Only equal identifiers link here. Missed: other numbers and addresses, typing errors, second accounts. Wrong: family phones and cards, recycled numbers.'
\else
\echo 'Only equal identifiers link here: names, birthdays and addresses do not, so recall is partial. The shop and the tills come without truth.'
SELECT s.name AS source, count(*) AS "customers known", count(*) FILTER (WHERE x.n > 1) AS "of them in several sources"
FROM (SELECT p.customer_id, p.scope, count(*) OVER (PARTITION BY p.customer_id) AS n
	FROM (SELECT DISTINCT customer_id, scope FROM o2o.profile WHERE kind = 'ref' AND scope IN ('web', 'pos')) p) x
	JOIN o2o.source s ON s.source = x.scope GROUP BY s.name ORDER BY s.name;
\endif

\echo
\echo '=== Across channels'
SELECT segment AS customers, currency, customers AS number, round(100 * customer_share, 1) || ' %' AS "of customers",
	orders, round(sales) AS sales, round(100 * sales_share, 1) || ' %' AS "of known sales"
FROM o2o.omnichannel_customers ORDER BY currency, segment;
SELECT kind_sold AS sold, kind_fulfilled AS "handed over", currency, sum(orders) AS orders, round(sum(sales)) AS sales,
	round(100 * sum(sales) / sum(sum(sales)) OVER (PARTITION BY currency), 1) || ' %' AS "of sales", sum(anonymous_orders) AS "of nobody known"
FROM o2o.channel_sales GROUP BY 1, 2, 3 ORDER BY currency, 1 DESC, 2 DESC;
\if :is_generated
\else
\echo 'The two real sources are retailers in two countries and share no customers: nothing crosses, and no link was invented.'
\echo
\endif

\echo '=== Points'
SELECT program, currency, round(issued) AS issued, round(spent) AS spent, round(expired) AS expired, round(outstanding) AS outstanding,
	round(liability, 2) AS "will cost", reserve, reserve_ratio || ' : 1' AS "reserve ratio"
FROM o2o.points_liability ORDER BY program;
\if :is_generated
\else
\echo 'Neither source has a points program; these issue one point per unit of money, and nothing was spent.'
\echo
\endif

\echo '=== The nearest store'
\if :is_generated
SELECT 'customer ' || c.customer_id AS who, c.position::text AS "last seen searching at", n.name AS store, round(n.distance_m) AS metres
FROM (SELECT DISTINCT ON (p.customer_id) p.customer_id, t.position
	FROM o2o.touchpoint t JOIN o2o.profile p ON p.profile_id = t.profile_id
	WHERE t.stage = 'search' AND t.position IS NOT NULL ORDER BY p.customer_id, t.occurred_at DESC LIMIT 4) c,
	LATERAL o2o.stores_nearest(c.position, k => 1) n
ORDER BY c.customer_id;
\else
\echo 'The files do not say where customers are; from the middle of four cities, and one that is open on a Sunday at 22:30 there:'
SELECT c.city AS "from", n.name AS store, round(n.distance_m) AS metres, o.name AS "open Sunday 22:30", round(o.distance_m) AS "metres to it"
FROM (VALUES ('New York', '-74.0060,40.7128'::o2o.geopoint, 'America/New_York'), ('Chicago', '-87.6298,41.8781', 'America/Chicago'),
		('Denver', '-104.9903,39.7392', 'America/Denver'), ('Seattle', '-122.3321,47.6062', 'America/Los_Angeles')) c (city, position, zone),
	LATERAL o2o.stores_nearest(c.position, k => 1) n,
	LATERAL o2o.stores_nearest(c.position, k => 1, open_at => timestamp '2026-06-14 22:30' AT TIME ZONE c.zone) o;
\endif

\echo '=== From search to share'
SELECT stage, customers AS "customers seen", customers_in_order AS "came through every stage before", round(100 * share_of_previous, 1) || ' %' AS "of the stage before"
FROM o2o.stage_funnel ORDER BY step;
\if :is_generated
\else
\echo 'The real files hold orders only.'
\echo
\endif

\echo '=== Checks (rows; none is right)'
SELECT name AS "check", rows FROM demo.verify ORDER BY name;
