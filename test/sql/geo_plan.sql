-- Positions: the plans of searches by distance. "The nearest within so many metres" is one ordered scan of the index with
-- the circle as its condition, which ends at the LIMIT: with a literal, a parameter, in LATERAL, with further conditions,
-- on rows that lie in towns, in the order of the place and in none. Answers as by sorting everything.
SET client_min_messages = warning;
CREATE SCHEMA geo_plan;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
SET search_path = geo_plan, public, o2o;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET enable_incremental_sort = off;
SELECT setseed(0.1);
CREATE TABLE town AS SELECT n, -170 + 340 * random() AS lon, degrees(asin(-0.7 + 1.6 * random())) AS lat FROM generate_series(1, 200) n;
CREATE TABLE along AS
SELECT row_number() OVER (ORDER BY geo_hilbert(pos)) AS id, (random() * 30)::integer AS brand, pos
FROM (SELECT geopoint(t.lon + (random() + random() - 1) * 0.05, t.lat + (random() + random() - 1) * 0.05) AS pos FROM town t, generate_series(1, 200)) p;
CREATE TABLE random_order AS SELECT * FROM along ORDER BY random();
CREATE TABLE asked AS SELECT n, geopoint(lon + 0.01, lat) AS pos FROM town WHERE n % 5 = 0;
CREATE INDEX along_spgist ON along USING spgist (pos);
CREATE INDEX random_spgist ON random_order USING spgist (pos);
ANALYZE;
\set here '''121.4737,31.2304'''
EXPLAIN (COSTS OFF) SELECT id FROM along WHERE geo_dwithin(pos, :here, 5000) ORDER BY pos <-> :here LIMIT 10;
EXPLAIN (COSTS OFF) SELECT id FROM random_order WHERE geo_dwithin(:here, pos, 5000) ORDER BY :here <-> pos LIMIT 10;
EXPLAIN (COSTS OFF) SELECT id FROM random_order WHERE pos <@ geocircle(:here, 500000) AND brand > 3 ORDER BY pos <-> :here LIMIT 10;
PREPARE near(geopoint, float8, integer) AS SELECT id FROM random_order WHERE geo_dwithin(pos, $1, $2) ORDER BY pos <-> $1 LIMIT $3;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE near(:here, 5000, 10);
RESET plan_cache_mode;
EXPLAIN (COSTS OFF) EXECUTE near(:here, 5000, 10);
EXPLAIN (COSTS OFF) SELECT a.n, near.id FROM asked a, LATERAL (SELECT s.id FROM random_order s WHERE geo_dwithin(s.pos, a.pos, 5000) ORDER BY s.pos <-> a.pos LIMIT 10) near;
EXPLAIN (COSTS OFF) SELECT a.n, near.id FROM asked a, LATERAL (SELECT s.id FROM along s WHERE geo_dwithin(s.pos, a.pos, 5000) AND s.brand > 3 ORDER BY s.pos <-> a.pos LIMIT 10) near;

-- equal distances: those at the cut are kept, to be sorted by id
EXPLAIN (COSTS OFF) SELECT id, pos <-> :here AS metres FROM along WHERE geo_dwithin(pos, :here, 5000) ORDER BY pos <-> :here FETCH FIRST 10 ROWS WITH TIES;

-- it ends at the LIMIT: of about 150 within 5 km it reads ten, and of the index no more than that needs
CREATE FUNCTION rows_read(query text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, FORMAT json, TIMING off) ' || query INTO plan;
	RETURN (plan #>> '{0,Plan,Plans,0,Actual Rows}')::numeric;
END $$;
SELECT (SELECT count(*) > 100 FROM along s WHERE geo_dwithin(s.pos, a.pos, 5000)) AS many,
	rows_read(format('SELECT id FROM along WHERE geo_dwithin(pos, %L, 5000) ORDER BY pos <-> %1$L LIMIT 10', a.pos)) AS rows_read FROM asked a WHERE n IN (5, 100, 150);

-- how many rows are expected: within a factor of four of what lies around a town on average, with a literal, with a
-- parameter, beside another table and between two, at every scale; the server's own histogram meets few of 200 towns
CREATE FUNCTION guess(query text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN plan #>> '{0,Plan,Plan Rows}';
END $$;
CREATE FUNCTION off(guess double precision, actual double precision) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN guess / actual NOT BETWEEN 0.25 AND 4;
WITH scale AS (
	SELECT metres, (SELECT avg(n) FROM (SELECT (SELECT count(*) FROM along s WHERE geo_dwithin(s.pos, a.pos, metres)) AS n FROM along a WHERE a.id % 797 = 0) t) AS actual
	FROM unnest(ARRAY[500, 2000, 5000, 50000, 2000000]) metres)
SELECT metres, round(actual) AS actual,
	off(guess(format('SELECT FROM random_order WHERE geo_dwithin(pos, (SELECT pos FROM asked LIMIT 1), %s)', metres)), actual) AS off_parameter,
	off(guess(format('SELECT FROM random_order WHERE pos <@ geocircle((SELECT pos FROM asked LIMIT 1), %s)', metres)), actual) AS off_circle,
	off(guess(format('SELECT FROM random_order s, asked a WHERE geo_dwithin(s.pos, a.pos, %s)', metres)) / 40, actual) AS off_join,
	(SELECT count(*) FROM asked a WHERE metres BETWEEN 2000 AND 50000 AND off(guess(format('SELECT FROM random_order WHERE geo_dwithin(pos, %L, %s)', a.pos, metres)), actual)) AS off_literals
FROM scale ORDER BY metres;

-- answers, by both kinds of index
CREATE FUNCTION wrong() RETURNS TABLE (searches bigint, found bigint, wrong bigint) LANGUAGE sql AS $$
	SELECT count(*), sum(cardinality(f)), count(*) FILTER (WHERE f IS DISTINCT FROM e)
	FROM (SELECT (SELECT array_agg(near.m) FROM (SELECT s.pos <-> a.pos AS m FROM random_order s WHERE geo_dwithin(s.pos, a.pos, r.metres) ORDER BY s.pos <-> a.pos LIMIT 10) near) AS f,
		(SELECT array_agg(near.m) FROM (SELECT geo_distance(s.pos, a.pos) AS m FROM random_order s WHERE geo_distance(s.pos, a.pos) <= r.metres ORDER BY 1 LIMIT 10) near) AS e
	FROM asked a, (VALUES (0), (300.0), (5000), (20000000)) r (metres) WHERE a.n % 25 = 0) t
$$;
SELECT * FROM wrong();
DROP INDEX random_spgist;
CREATE INDEX random_gist ON random_order USING gist (pos);
EXPLAIN (COSTS OFF) SELECT a.n, near.id FROM asked a, LATERAL (SELECT s.id FROM random_order s WHERE geo_dwithin(s.pos, a.pos, 5000) ORDER BY s.pos <-> a.pos LIMIT 10) near;
SELECT * FROM wrong();
DROP SCHEMA geo_plan CASCADE;
