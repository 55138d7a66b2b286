-- Aggregates of points: sum, points_avg, min, max; their state, parallel plans, moving frames.
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

SELECT sum(p), points_avg(p), min(p), max(p), count(p) FROM (VALUES ('1.5'::points), (NULL), ('-0.0001'), (1000)) v(p);
SELECT sum(p), points_avg(p), min(p), max(p) FROM (VALUES (NULL::points)) v(p);
SELECT sum(p), points_avg(p), min(p), max(p) FROM (VALUES (1::points)) v(p) WHERE false;
SELECT k, sum(p), points_avg(p), min(p), max(p)
FROM (VALUES (1, '0.1'::points), (1, '0.2'), (2, '-5'), (3, NULL), (2, '5')) v(k, p) GROUP BY k ORDER BY k;
SELECT sum(DISTINCT p) AS of_distinct, sum(p) FILTER (WHERE p > 1) AS filtered FROM unnest('{1,1,2,3}'::points[]) p;
SELECT pg_typeof(sum(p)) AS sum, pg_typeof(points_avg(p)) AS points_avg FROM unnest('{1}'::points[]) p;

-- Only the final value is judged: in any order the same answer.
SELECT sum(p ORDER BY i) AS up, sum(p ORDER BY -i) AS down
FROM (VALUES (1, '922337203685477.5807'::points), (2, '922337203685477.5807'), (3, '-922337203685477.5807'), (4, '-0.0007')) v(i, p);
SELECT sum(p) FROM unnest('{-922337203685477.5808,-922337203685477.5808,922337203685477.5807,0.0001}'::points[]) p;
SELECT pg_temp.error_of($$SELECT sum(p) FROM unnest('{922337203685477.5807,0.0001}'::points[]) p$$);
SELECT pg_temp.error_of($$SELECT sum(p) FROM unnest('{-922337203685477.5808,-0.0001}'::points[]) p$$);
SELECT points_total(p) FROM unnest('{922337203685477.5807,922337203685477.5807,-0.0001}'::points[]) p;
SELECT points_total(p) IS NULL AS none, pg_typeof(points_total(p)) AS type FROM (VALUES (NULL::points)) v(p);
SELECT i, points_total(p) OVER (ORDER BY i ROWS 1 PRECEDING) FROM unnest('{922337203685477.5807,922337203685477.5807,-1}'::points[]) WITH ORDINALITY u (p, i);
SELECT points_avg(p) FROM unnest('{922337203685477.5807,922337203685477.5807,922337203685477.5806}'::points[]) p;

-- Against numeric, in one process and in parallel.
CREATE TABLE points_aggregate_row AS
SELECT i, i % 7 AS k, CASE WHEN i % 11 > 0 THEN (hashint8extended(i, 5) / 10000.0 / (1 + i % 3 * 1000000))::numeric(20, 4)::points END AS p
FROM generate_series(1, 20000) i;
SELECT k, sum(p)::numeric = sum(p::numeric) AS sum, points_avg(p) = avg(p::numeric) AS points_avg, points_total(p) = sum(p::numeric) AS points_total, min(p)::numeric = min(p::numeric) AS min, max(p)::numeric = max(p::numeric) AS max
FROM points_aggregate_row WHERE i % 3 > 0 GROUP BY k ORDER BY k;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT sum(p), points_avg(p), min(p), max(p) FROM points_aggregate_row WHERE i % 3 > 0;
SELECT sum(p), points_avg(p), min(p), max(p) FROM points_aggregate_row WHERE i % 3 > 0;
SET max_parallel_workers_per_gather = 0;
SELECT sum(p), points_avg(p), min(p), max(p) FROM points_aggregate_row WHERE i % 3 > 0;
RESET max_parallel_workers_per_gather; RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;

-- Moving frames take rows out again; NULLs and empty frames included.
SELECT i, p, sum(p) OVER w, points_avg(p) OVER w
FROM (VALUES (1, '1.5'::points), (2, NULL), (3, NULL), (4, '922337203685477.5807'), (5, '-2'), (6, '-0.25')) v(i, p)
WINDOW w AS (ORDER BY i ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) ORDER BY i;
SELECT count(*) AS rows, count(moving) AS sums, count(*) FILTER (WHERE moving IS DISTINCT FROM fresh) AS differ
FROM (SELECT sum(p) OVER w::text AS moving,
		(SELECT sum(p) FROM points_aggregate_row b WHERE b.i % 3 > 0 AND b.i BETWEEN a.i - 5 AND a.i - 4)::text AS fresh
	FROM (SELECT * FROM points_aggregate_row WHERE i <= 1000 AND i % 3 > 0) a
	WINDOW w AS (ORDER BY i RANGE BETWEEN 5 PRECEDING AND 4 PRECEDING)) s;
SELECT p, sum(p) OVER (ORDER BY p RANGE BETWEEN '1.5' PRECEDING AND 1 FOLLOWING) FROM unnest('{1,2,3.5,3.5,10}'::points[]) p ORDER BY p;
SELECT pg_temp.error_of($$SELECT sum(p) OVER (ORDER BY p RANGE BETWEEN -1 PRECEDING AND CURRENT ROW) FROM unnest('{1}'::points[]) p$$);
SELECT pg_temp.error_of($$SELECT sum(p) OVER (ORDER BY p ROWS 1 PRECEDING) FROM unnest('{922337203685477.5807,922337203685477}'::points[]) p$$);

-- The state: text and binary form, merged in parts, never changed in place outside an aggregate.
SELECT s, points_sum_state_add(s, '0.5') AS added, points_sum_state_remove(s, '-3') AS removed, points_sum_state_merge(s, s) AS merged,
	points_sum_state_total(s) AS total, points_sum_state_average(s) AS average, s AS unchanged
FROM (VALUES ('3:-120000'::points_sum_state), ('1:9223372036854775807')) v(s);
SELECT s, points_sum_state_average(s) FROM (VALUES ('0:0'::points_sum_state), ('1:9223372036854775807'), ('1:-9223372036854775808'), ('2:-18446744073709551616'),
	('9223372036854775807:85070591730234615856620279821087277056'), ('9223372036854775807:-85070591730234615856620279821087277056')) v(s);
SELECT points_sum_state_total(points_sum_state_merge('1:9223372036854775807', '2:-9223372036854775808')) AS total;
SELECT s AS statement, pg_temp.error_of('SELECT ' || s) AS error
FROM (VALUES ('''''::points_sum_state'), ('''1''::points_sum_state'), ('''1:''::points_sum_state'), ('''1:-''::points_sum_state'), ('''1:1x''::points_sum_state'),
	('''-1:0''::points_sum_state'), ('''0:1''::points_sum_state'), ('''1:9223372036854775809''::points_sum_state'), ('''9223372036854775808:0''::points_sum_state'),
	('''9:340282366920938463463374607431768211456''::points_sum_state'), ('''9223372036854775807:85070591730234615856620279821087277057''::points_sum_state'),
	('points_sum_state_total(''2:18446744073709551614'')'), ('points_sum_state_add(''9223372036854775807:0'', 1)'),
	('points_sum_state_remove(''0:0'', 1)'), ('points_sum_state_merge(''9223372036854775807:0'', ''1:0'')')) v(s);
CREATE TEMP TABLE sent (s points_sum_state);
INSERT INTO sent VALUES ('0:0'), ('3:-1200005'), ('9223372036854775807:-85070591730234615856620279821087277056');
\copy sent TO 'results/points_aggregate.bin' (FORMAT binary)
CREATE TEMP TABLE received (s points_sum_state);
\copy received FROM 'results/points_aggregate.bin' (FORMAT binary)
SELECT s FROM received;
CREATE TEMP TABLE forged AS SELECT '\x000000000000000000000000000000000000000000000001'::bytea AS s;
\copy forged TO 'results/points_aggregate.bin' (FORMAT binary)
\copy received FROM 'results/points_aggregate.bin' (FORMAT binary)

-- No state of type internal, each with a combine function, all parallel safe.
SELECT aggfnoid::regprocedure AS aggregate, aggtranstype::regtype AS state, aggcombinefn::regproc <> 0::regproc AS combines, proparallel
FROM pg_aggregate JOIN pg_proc p ON p.oid = aggfnoid WHERE proargtypes[0] = 'points'::regtype ORDER BY aggfnoid::text;
DROP TABLE points_aggregate_row;
