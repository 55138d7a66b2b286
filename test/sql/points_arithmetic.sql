-- Arithmetic of points: operators, rounding, division, allocation.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
SET search_path = public, o2o;

-- SQLSTATE, message and detail of a statement that must fail.
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found_message text;
	found_detail text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS found_message = MESSAGE_TEXT, found_detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || found_message || coalesce(' | ' || nullif(found_detail, ''), '');
END $$;

-- Operators.
SELECT 10::points + '0.5' AS a, 10::points - '0.5' AS b, 10 + '0.5'::points AS c, - '0.5'::points AS d, + '0.5'::points AS e,
	abs('-0.5'::points) AS f, abs('0.5'::points) AS g, '0.25'::points * 3 AS h, 3 * '0.25'::points AS i,
	'0.25'::points * 3::smallint AS j, 3::smallint * '0.25'::points AS k, '0.25'::points * 3::bigint AS l, 3::bigint * '0.25'::points AS m;
SELECT '10'::points / '4'::points AS a, '10'::points / 4 AS b, 10 / '3'::points AS c, '-0.0001'::points / '922337203685477.5807' AS d,
	pg_typeof('10'::points / 4) AS e;
SELECT s AS statement, pg_temp.error_of('SELECT ' || s) AS error
FROM (VALUES ('''922337203685477.5807''::points + ''0.0001'''), ('''-922337203685477.5808''::points - ''0.0001'''),
	('- ''-922337203685477.5808''::points'), ('abs(''-922337203685477.5808''::points)'),
	('''-922337203685477.5808''::points * -1'), ('''500000000000000''::points * 2::bigint'),
	('9223372036854775807::bigint * ''0.0002''::points'), ('1::points / 0'), ('1::points * 1::points'), ('1::points + 0.5')) v(s);

-- Times numeric: the exact product is rounded once.
SELECT points_multiply('0.0001', 0.5) AS a, points_multiply('0.0003', 0.5) AS b, points_multiply('0.0005', 0.5) AS c,
	points_multiply('-0.0001', 0.5) AS d, points_multiply('-0.0003', 0.5) AS e,
	points_multiply('0.0001', 0.50000000000000000000000000000000000000001) AS f, points_multiply('922337203685477.5807', 1.00000000000000000005) AS g,
	points_multiply(1000, 0.035) AS h, points_multiply('0.0001', 1e18) AS i, points_multiply(3, 1e-16383) AS j, points_multiply(120, 2) AS k;
SELECT mode, points_multiply('1.05', 0.5, 2, mode) AS a, points_multiply('-1.05', 0.5, 2, mode) AS b, points_multiply('1.15', 0.5, 2, mode) AS c,
	points_multiply('0.0001', 0.00001, 0, mode) AS d, points_multiply('-0.0001', 0.00001, 0, mode) AS e,
	points_multiply('2.5', 1.0000000000000000001, 0, mode) AS f, points_multiply('2.5', 0.9999999999999999999, 0, mode) AS g
FROM unnest(ARRAY['half_even', 'half_up', 'floor', 'ceil']) mode;

-- Rounding.
SELECT p, points_round(p, 0) AS half_even, points_round(p, 0, 'half_up') AS half_up, points_round(p, 0, 'floor') AS floor, points_round(p, 0, 'ceil') AS ceil
FROM unnest('{0.4999,0.5,0.5001,1.5,2.5,-0.4999,-0.5,-0.5001,-1.5,-2.5,7,-7,0}'::points[]) p;
SELECT scale, points_round('-12.3456', scale) AS a, points_round('12.3455', scale, 'half_up') AS b,
	points_round('922337203685477.5807', scale, 'floor') AS c, points_round('-922337203685477.5808', scale, 'ceil') AS d
FROM generate_series(0, 4) scale;

-- Division by a number, rounded once.
SELECT mode, points_divide(10, 3, 2, mode) AS a, points_divide(-10, 3, 2, mode) AS b, points_divide(10, -3, 2, mode) AS c, points_divide(-10, -3, 2, mode) AS d,
	points_divide(1, 8, 2, mode) AS e, points_divide(3, 8, 2, mode) AS f, points_divide('0.0001', 1e30, 4, mode) AS g, points_divide('2.5', 1, 0, mode) AS h,
	points_divide('-2.5', 1, 0, mode) AS i
FROM unnest(ARRAY['half_even', 'half_up', 'floor', 'ceil']) mode;
SELECT points_divide(10, 3), points_divide('0.0001', 2), points_divide('0.0003', 2), points_divide('-922337203685477.5808', -1.5);
SELECT s AS statement, pg_temp.error_of('SELECT ' || s) AS error
FROM (VALUES ('points_round(1, 5)'), ('points_round(1, -1)'), ('points_round(1, 0, ''up'')'), ('points_round(1, 0, '''')'),
	('points_round(''922337203685477.5807'', 0, ''ceil'')'), ('points_round(''-922337203685477.5808'', 3, ''floor'')'),
	('points_multiply(''922337203685477.5807'', 1.0000000000000000001)'), ('points_multiply(1, ''NaN''::numeric)'), ('points_multiply(1, ''Infinity''::numeric)'),
	('points_multiply(1, 1.5, 7)'), ('points_multiply(1, 1.5, 2, ''bankers'')'), ('points_multiply(1, 1e130000)'), ('1::points * 1.5'),
	('points_divide(1, 0)'), ('points_divide(1, ''NaN'')'), ('points_divide(1, ''-Infinity'')'), ('points_divide(1, 1e-20)'),
	('points_divide(''-922337203685477.5808'', -1)'), ('points_divide(1, 1, 9)')) v(s);

-- Against numeric: every mode and scale, many amounts, factors and divisors.
CREATE FUNCTION pg_temp.reference(exact numeric, scale integer, mode text) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
	SELECT (f + CASE mode WHEN 'floor' THEN 0 WHEN 'ceil' THEN sign(d)
		WHEN 'half_up' THEN CASE WHEN d > 0.5 OR (d = 0.5 AND f >= 0) THEN 1 ELSE 0 END
		ELSE CASE WHEN d > 0.5 OR (d = 0.5 AND f % 2 <> 0) THEN 1 ELSE 0 END END) / 10::numeric ^ scale
	FROM (SELECT floor(exact * 10::numeric ^ scale) AS f, exact * 10::numeric ^ scale - floor(exact * 10::numeric ^ scale) AS d) s
$$;
CREATE TEMP TABLE sample AS
SELECT i, (CASE i % 4 WHEN 0 THEN h % 100 WHEN 1 THEN h % 1000000 * 5 WHEN 2 THEN h / 1000000 ELSE h % 100 * 2500 END / 10000.0)::points AS p,
	((hashint8extended(i, 2) % 4000) / CASE i % 3 WHEN 0 THEN 8 WHEN 1 THEN 1000 ELSE 7 END::numeric) AS factor, i % 5 AS scale
FROM generate_series(1, 4000) i, hashint8extended(i, 1) h;
SELECT mode, count(*) AS compared,
	count(*) FILTER (WHERE points_round(p, scale, mode)::numeric <> pg_temp.reference(p::numeric, scale, mode)) AS round_differs,
	count(*) FILTER (WHERE points_multiply(p, factor, scale, mode)::numeric <> pg_temp.reference(p::numeric * factor, scale, mode)) AS multiply_differs
FROM sample, unnest(ARRAY['half_even', 'half_up', 'floor', 'ceil']) mode GROUP BY mode ORDER BY mode;
-- A quotient is right when quotient * divisor misses the amount by less than a
-- step, on the side and by the half that the mode says.
SELECT mode, count(*) AS compared, count(*) FILTER (WHERE abs(miss) * 2 = step) AS ties, count(*) FILTER (WHERE CASE mode
	WHEN 'floor' THEN miss NOT BETWEEN 0 AND step - tiny
	WHEN 'ceil' THEN miss NOT BETWEEN tiny - step AND 0
	WHEN 'half_even' THEN abs(miss) * 2 > step OR (abs(miss) * 2 = step AND quotient / 10::numeric ^ -scale % 2 <> 0)
	ELSE abs(miss) * 2 > step OR (abs(miss) * 2 = step AND abs(quotient * divisor) < abs(p::numeric)) END) AS wrong
FROM (SELECT *, (p::numeric - quotient * divisor) * sign(divisor) AS miss, abs(divisor) * 10::numeric ^ -scale AS step, 1e-30 AS tiny
	FROM (SELECT *, points_divide(p, divisor, scale, mode)::numeric AS quotient
		FROM (SELECT p, scale, CASE WHEN i % 2 = 0 THEN 16 ELSE factor END AS divisor FROM sample WHERE factor <> 0) s,
			unnest(ARRAY['half_even', 'half_up', 'floor', 'ceil']) mode) q) m
GROUP BY mode ORDER BY mode;

-- Allocation by largest remainder: the parts are the amount again.
SELECT points_allocate(100, '{1,1,1}') AS a, points_allocate(100, '{1,1,1}', 0) AS b, points_allocate(-100, '{1,1,1}', 0) AS c,
	points_allocate('0.0001', '{1,2,1}') AS d, points_allocate(0, '{3,4}') AS e, points_allocate(7, '{0,1,0}') AS f, points_allocate('0.05', '{0.3,0.7}', 2) AS g;
SELECT points_allocate(5, '[5:7]={1,2,3}') AS subscripts_start_at_1,
	points_allocate(10, ARRAY[1/3::numeric, 1/3::numeric, 1/6::numeric], 0) AS long_fractions,
	points_allocate(10, '{1.000000000000000000000000000000000000000000,1.0,0e-50}') AS zeros_do_not_count,
	points_allocate('922337203685477.5807', '{10000000000000000000000000000000000000,1}') AS large,
	points_allocate('-922337203685477.5808', '{1}') AS least, points_allocate('-922337203685477.5808', '{1,1,1}') AS least_split;
-- Hamilton's method on Balinski and Young's example of seats: 26 seats for five states.
SELECT points_allocate(26, '{9061,7179,5259,3319,1182}', 0);
SELECT count(*) AS allocated, count(*) FILTER (WHERE total <> p) AS sum_differs,
	count(*) FILTER (WHERE worst >= step) AS off_by_a_step, count(*) FILTER (WHERE off_scale) AS off_scale
FROM (SELECT i, p, step, (SELECT sum(part) FROM unnest(parts) part) AS total,
		(SELECT max(abs(part::numeric - p::numeric * weight / w.total)) FROM unnest(parts, w.weights) u(part, weight)) AS worst,
		(SELECT bool_or(part::numeric % step <> 0) FROM unnest(parts) part) AS off_scale
	FROM (SELECT i, points_round(p, scale) AS p, scale, 10::numeric ^ -scale AS step FROM sample WHERE i % 4 <> 2) s,
		LATERAL (SELECT array_agg(weight ORDER BY k) AS weights, sum(weight) AS total
			FROM (SELECT k, abs(hashint8extended(i * 100 + k, 3) % 1000000) / CASE k % 2 WHEN 0 THEN 100.0 ELSE 1 END AS weight FROM generate_series(1, 1 + i % 40) k) r) w,
		LATERAL points_allocate(p, weights, scale) parts) a;
SELECT s AS statement, pg_temp.error_of('SELECT ' || s) AS error
FROM (VALUES ('points_allocate(1, ''{}'')'), ('points_allocate(1, ''{{1,2},{3,4}}'')'), ('points_allocate(1, ''{1,NULL}'')'),
	('points_allocate(1, ''{1,-0.1}'')'), ('points_allocate(1, ''{1,NaN}'')'), ('points_allocate(1, ''{1,Infinity}'')'),
	('points_allocate(1, ''{1,-Infinity}'')'), ('points_allocate(1, ''{0,0.00}'')'), ('points_allocate(''0.5'', ''{1,1}'', 0)'),
	('points_allocate(1, ''{1}'', 5)'), ('points_allocate(1, ''{100000000000000000000000000000000000000}'')'),
	('points_allocate(1, ''{1e20,1e-20}'')'), ('points_allocate(1, ''{80000000000000000000000000000000000000,80000000000000000000000000000000000000}'')'),
	('points_allocate(1, array_fill(1::numeric, ARRAY[1000001]))')) v(s);
SELECT count(*) AS parts, sum(part) AS total, min(part), max(part)
FROM unnest(points_allocate('123456.789', array_fill(1::numeric, ARRAY[200000]))) part;
