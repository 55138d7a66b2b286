-- knn_join: every position's nearest stores, exactly as brute force finds them.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
SET search_path = public, o2o;
SET extra_float_digits = 1;
SET jit = off;

SELECT id, store_id, rank, round(distance_m::numeric, 6) AS distance_m FROM knn_join('{1,2,3}', ARRAY['0,0', '10,10', NULL]::geopoint[], '{7,8,9,10}', ARRAY['0,1', '1,0', NULL, '10,10']::geopoint[], 2);
-- one is the default; more than there are gives all; ties go by id; the same place and even the same id twice
SELECT id, store_id, rank, round(distance_m::numeric, 6) AS distance_m FROM knn_join('{5}', ARRAY['0,0']::geopoint[], '{2,1}', ARRAY['0,1', '0,-1']::geopoint[]);
SELECT id, store_id, rank, round(distance_m::numeric, 6) AS distance_m FROM knn_join('{5,5}', ARRAY['0,0', '180,0']::geopoint[], '{3,1,2,1}', ARRAY['1,0', '1,0', '-1,0', '1,0']::geopoint[], 100);
SELECT count(*) FROM knn_join('{1}', ARRAY['0,0']::geopoint[], '{1}', ARRAY['0,0']::geopoint[], 0);
SELECT count(*) FROM knn_join('{}', '{}', '{1}', ARRAY['0,0']::geopoint[], 1);
SELECT count(*) FROM knn_join('{1}', ARRAY['0,0']::geopoint[], '{}', '{}', 1);
SELECT count(*) FROM knn_join('{1}', ARRAY['0,0']::geopoint[], '{1}', ARRAY[NULL]::geopoint[], 1);
SELECT count(*) FROM knn_join(NULL, ARRAY['0,0']::geopoint[], '{1}', ARRAY['0,0']::geopoint[], 1);
\set VERBOSITY default
SELECT * FROM knn_join('{1}', ARRAY['0,0', '0,0']::geopoint[], '{1}', ARRAY['0,0']::geopoint[], 1);
SELECT * FROM knn_join('{1}', ARRAY['0,0']::geopoint[], '{1}', ARRAY['0,0']::geopoint[], -1);
SET work_mem = '64kB';
SELECT * FROM knn_join('{1}', ARRAY['0,0']::geopoint[], (SELECT array_agg(i) FROM generate_series(1::bigint, 10000) i), (SELECT array_agg(geopoint(i * 0.01, 0)) FROM generate_series(1, 10000) i), 1);
RESET work_mem;
\set VERBOSITY terse
SELECT * FROM knn_join('{NULL}', ARRAY['0,0']::geopoint[], '{1}', ARRAY['0,0']::geopoint[], 1);
SELECT * FROM knn_join('{1}', ARRAY['0,0']::geopoint[], '{NULL}', ARRAY['0,0']::geopoint[], 1);
SELECT * FROM knn_join('{{1}}', ARRAY['0,0']::geopoint[], '{1}', ARRAY['0,0']::geopoint[], 1);

-- 3,000 stores: a town, the world, ties of two decimals, the antimeridian, both poles; asked from among them and from elsewhere
SELECT setseed(0.7);
CREATE TABLE store AS
SELECT i::bigint AS id, CASE i % 7
	WHEN 0 THEN geopoint(random() * 360 - 180, degrees(asin(random() * 2 - 1)))
	WHEN 1 THEN geopoint(CASE WHEN i % 14 = 1 THEN -180 + random() * 0.1 ELSE 180 - random() * 0.1 END, random() * 10)
	WHEN 2 THEN geopoint(random() * 360 - 180, CASE WHEN i % 14 = 2 THEN 90 - random() * 0.5 ELSE random() * 0.0001 - 90 END)
	WHEN 3 THEN geopoint(round((100 + random() * 0.3)::numeric, 2)::float8, round((30 + random() * 0.3)::numeric, 2)::float8)
	WHEN 4 THEN geopoint(CASE i % 14 WHEN 4 THEN 180 ELSE random() * 180 END, CASE i % 3 WHEN 0 THEN 90 WHEN 1 THEN -90 ELSE random() * 180 - 90 END)
	ELSE geopoint(121 + random() * 0.8, 31 + random() * 0.6) END AS pos
FROM generate_series(1, 3000) i;
CREATE TABLE customer AS
SELECT row_number() OVER () AS id, pos FROM (
	SELECT pos FROM store WHERE id % 37 = 0
	UNION ALL SELECT geopoint(random() * 360 - 180, degrees(asin(random() * 2 - 1))) FROM generate_series(1, 30)
	UNION ALL SELECT geopoint(100 + i * 0.005, 30 + i * 0.005) FROM generate_series(1, 40) i
	UNION ALL VALUES ('0,90'::geopoint), ('0,-90'), ('180,0'), ('179.9999999,5'), ('-179.9999999,5'), ('0,0'), (NULL)) t;
SELECT k, count(*) = k * (SELECT count(pos) FROM customer) AS all_there, count(*) FILTER (WHERE j.store_id IS DISTINCT FROM b.store_id OR j.distance_m IS DISTINCT FROM b.distance_m) AS wrong
FROM unnest(ARRAY[1, 2, 7, 100]) k
	CROSS JOIN LATERAL (SELECT array_agg(id) AS ids, array_agg(pos) AS positions FROM customer) c
	CROSS JOIN LATERAL (SELECT array_agg(id) AS ids, array_agg(pos) AS positions FROM store) s
	CROSS JOIN LATERAL knn_join(c.ids, c.positions, s.ids, s.positions, k) j
	FULL JOIN (SELECT c.id, s.id AS store_id, row_number() OVER (PARTITION BY c.id ORDER BY geo_distance(c.pos, s.pos), s.id) AS rank, geo_distance(c.pos, s.pos) AS distance_m
		FROM customer c, store s WHERE c.pos IS NOT NULL) b ON b.id = j.id AND b.rank = j.rank
WHERE j.id IS NOT NULL
GROUP BY k ORDER BY k;
-- rows come in the order of the arrays, then rank
SELECT bool_and(id > before OR (id = before AND rank = before_rank + 1) OR before IS NULL) AS in_order
FROM (SELECT id, rank, lag(id) OVER () AS before, lag(rank) OVER () AS before_rank FROM knn_join((SELECT array_agg(id ORDER BY id) FROM customer), (SELECT array_agg(pos ORDER BY id) FROM customer),
	(SELECT array_agg(id) FROM store), (SELECT array_agg(pos) FROM store), 3)) t;
-- every position and every store at one place: no search takes long, and it can be cancelled
SET statement_timeout = '60s';
SELECT count(*), sum(store_id) FROM knn_join((SELECT array_agg(i) FROM generate_series(1::bigint, 2000) i), (SELECT array_agg('8,50'::geopoint) FROM generate_series(1, 2000)),
	(SELECT array_agg(i) FROM generate_series(1::bigint, 5000) i), (SELECT array_agg('8,50'::geopoint) FROM generate_series(1, 5000)), 1);
SET statement_timeout = '200ms';
SET work_mem = '1GB';
SELECT count(*) FROM knn_join((SELECT array_agg(i) FROM generate_series(1::bigint, 20000) i), (SELECT array_agg('8,50'::geopoint) FROM generate_series(1, 20000)),
	(SELECT array_agg(i) FROM generate_series(1::bigint, 20000) i), (SELECT array_agg('9,51'::geopoint) FROM generate_series(1, 20000)), 10);
RESET statement_timeout;
DROP TABLE store, customer;
