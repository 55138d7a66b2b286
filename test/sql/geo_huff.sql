-- The Huff model: probabilities by hand, exponents found again from the visits that they make, what a new store takes.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
SET search_path = public, o2o;
SET extra_float_digits = 1;
SET jit = off;

-- Along the equator distances are in proportion to longitude. Three times the size: 3 to 1; twice the distance, squared: 4 to 1.
SELECT id, store_id, round(distance_m::numeric, 3) AS distance_m, round(probability::numeric, 12) AS probability
FROM huff_probabilities('{1,2,3,4}', ARRAY['0,0', '0.01,0', NULL, '5,5']::geopoint[], '{10,11,12}', ARRAY['0.01,0', '-0.01,0', '0.02,0']::geopoint[], '{3,1,3}', max_m => 3000);
SELECT store_id, round(probability::numeric, 12) AS probability
FROM huff_probabilities('{1}', ARRAY['0,0']::geopoint[], '{10,11,12}', ARRAY['0.01,0', '0.02,0', NULL]::geopoint[], '{1,4,1}', alpha => 0.5, beta => 1);
-- nearer than least_m is no nearer; exponent 0 makes all alike; far exponents do not overflow
SELECT store_id, probability FROM huff_probabilities('{1}', ARRAY['0,0']::geopoint[], '{1,2}', ARRAY['0,0', '0.0001,0']::geopoint[], '{1,1}');
SELECT store_id, probability FROM huff_probabilities('{1}', ARRAY['0,0']::geopoint[], '{1,2}', ARRAY['1,0', '0.0001,0']::geopoint[], '{1e300,1e-300}', alpha => 0, beta => 0);
SELECT store_id, probability FROM huff_probabilities('{1}', ARRAY['0,0']::geopoint[], '{1,2}', ARRAY['1,0', '0.0001,0']::geopoint[], '{1e300,1e-300}', alpha => 100, beta => 100);
SELECT count(*) FROM huff_probabilities('{1}', ARRAY['0,0']::geopoint[], '{}', '{}', '{}');
SELECT count(*) FROM huff_probabilities('{1}', ARRAY['0,0']::geopoint[], NULL, '{}', '{}');

-- 40 stores and 300 places of a town, at both sides of the antimeridian: like the formula; each place adds up to 1.
SELECT setseed(0.2);
CREATE TABLE store AS SELECT i AS id, geopoint(CASE WHEN i % 2 = 0 THEN 179.9 ELSE -180 END + random() * 0.1, 60 + random() * 0.1) AS pos, 100 + random() * 3000 AS size FROM generate_series(1::bigint, 40) i;
CREATE TABLE place AS SELECT i AS id, geopoint(CASE WHEN i % 2 = 0 THEN 179.9 ELSE -180 END + random() * 0.1, 60 + random() * 0.1) AS pos FROM generate_series(1::bigint, 300) i;
CREATE TABLE chance AS SELECT h.* FROM (SELECT array_agg(id) AS ids, array_agg(pos) AS positions FROM place) p, (SELECT array_agg(id) AS ids, array_agg(pos) AS positions, array_agg(size) AS sizes FROM store) s,
	huff_probabilities(p.ids, p.positions, s.ids, s.positions, s.sizes, 0.8, 1.7, 6000, 150) h;
SELECT count(*) > 5000 AS many, count(*) FILTER (WHERE c.id IS NULL OR f.id IS NULL) AS missing, max(abs(c.probability - f.probability)) < 1e-12 AS equal, max(abs(c.distance_m - f.d)) AS metres
FROM chance c FULL JOIN (
	SELECT p.id, s.id AS store_id, p.pos <-> s.pos AS d, power(s.size, 0.8) / power(greatest(p.pos <-> s.pos, 150), 1.7) / sum(power(s.size, 0.8) / power(greatest(p.pos <-> s.pos, 150), 1.7)) OVER (PARTITION BY p.id) AS probability
	FROM place p, store s WHERE geo_dwithin(p.pos, s.pos, 6000)) f ON f.id = c.id AND f.store_id = c.store_id;
SELECT count(*) FILTER (WHERE abs(total - 1) > 1e-12) AS wrong FROM (SELECT sum(probability) AS total FROM chance GROUP BY id) t;

-- Visits in exact proportion give the exponents exactly; in any order the same to the last digit.
CREATE FUNCTION pg_temp.fit(visits text, arrange text) RETURNS record LANGUAGE plpgsql AS $$
DECLARE
	answer record;
BEGIN
	EXECUTE format('SELECT f.* FROM (SELECT array_agg(c.id ORDER BY %2$s) AS ids, array_agg(s.size ORDER BY %2$s) AS sizes, array_agg(c.distance_m ORDER BY %2$s) AS metres, array_agg((%1$s)::float8 ORDER BY %2$s) AS visits
		FROM chance c JOIN store s ON s.id = c.store_id) a, huff_fit(a.ids, a.sizes, a.metres, a.visits, 150) f', visits, arrange) INTO answer;
	RETURN answer;
END $$;
SELECT round(alpha::numeric, 9) AS alpha, round(beta::numeric, 9) AS beta, choosing_origins, round(all_visits::numeric, 6) AS all_visits, log_likelihood > log_likelihood_equal AS better
FROM pg_temp.fit('50 * probability', 'c.id, c.store_id') f (alpha float8, beta float8, alpha_error float8, beta_error float8, log_likelihood float8, log_likelihood_equal float8, choosing_origins bigint, all_visits float8, iterations integer);
SELECT pg_temp.fit('50 * probability', 'c.id, c.store_id') = pg_temp.fit('50 * probability', 'c.store_id DESC, c.id % 7, c.id') AS same;
-- Drawn visits: within 4 standard errors, and these as the spread of many draws says; most stores of a place without a visit.
SELECT setseed(0.4);
CREATE TABLE draw AS SELECT n, c.id, c.store_id, count(d.store_id) AS visits
FROM generate_series(1, 30) n CROSS JOIN chance c
	LEFT JOIN (SELECT n, v.id, v.draw, (SELECT x.store_id FROM (SELECT store_id, sum(probability) OVER (ORDER BY store_id) AS upto FROM chance c WHERE c.id = v.id) x WHERE x.upto >= v.at OR x.upto > 0.999999999 ORDER BY x.upto LIMIT 1) AS store_id
		FROM (SELECT n, p.id, g AS draw, random() AS at FROM generate_series(1, 30) n, place p, generate_series(1, 3) g WHERE p.id <= 60) v) d USING (n, id, store_id)
WHERE c.id <= 60
GROUP BY n, c.id, c.store_id;
CREATE TABLE fitted AS SELECT a.n, f.* FROM (SELECT n, array_agg(d.id) AS ids, array_agg(s.size) AS sizes, array_agg(c.distance_m) AS metres, array_agg(d.visits::float8) AS visits
	FROM draw d JOIN chance c USING (id, store_id) JOIN store s ON s.id = d.store_id GROUP BY n) a, huff_fit(a.ids, a.sizes, a.metres, a.visits, 150) f;
SELECT count(*) AS fits, count(*) FILTER (WHERE abs(alpha - 0.8) > 4 * alpha_error OR abs(beta - 1.7) > 4 * beta_error) AS beyond, max(iterations) < 12 AS quick,
	stddev(alpha) / avg(alpha_error) BETWEEN 0.6 AND 1.5 AS alpha_spread, stddev(beta) / avg(beta_error) BETWEEN 0.6 AND 1.5 AS beta_spread, abs(avg(alpha) - 0.8) < 0.1 AND abs(avg(beta) - 1.7) < 0.1 AS near
FROM fitted;
-- By hand: two stores, one origin twice as far from b as from a, one the other way round with b twice the size of a.
-- Visits 4 to 1 and 1 to 2: alpha ln(1/2) + beta ln 2 = ln 4 and ln(1/2) = alpha ln(1/2) - beta ln 2, so beta = 1.5, alpha = -0.5.
SELECT round(alpha::numeric, 9) AS alpha, round(beta::numeric, 9) AS beta FROM huff_fit('{1,1,2,2}', '{1,2,1,2}', '{1000,2000,2000,1000}', '{4,1,1,2}');
SELECT round(alpha::numeric, 9) AS alpha, round(beta::numeric, 9) AS beta FROM huff_fit('{2,1,2,1}', '{1,2,2,1}', '{20,20,10,10}', '{1,1,2,4}', 1);

-- what no exponents follow from
CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text; detail text;
BEGIN
	EXECUTE query INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || concat_ws(' | ', SQLERRM, nullif(detail, ''));
END $$;
SELECT what, pg_temp.try(format('SELECT huff_fit(%s)', a)) FROM (VALUES
	(1, 'nothing', $$'{}', '{}', '{}', '{}'$$), (2, 'no visits', $$'{1,1}', '{1,2}', '{1000,2000}', '{0,0}'$$), (3, 'one store each', $$'{1,2}', '{1,2}', '{1000,2000}', '{5,5}'$$),
	(4, 'one size', $$'{1,1,2,2}', '{3,3,3,3}', '{1000,2000,2000,1000}', '{4,1,1,2}'$$), (5, 'all go to the nearest', $$'{1,1,2,2}', '{1,2,1,2}', '{1000,2000,2000,1000}', '{4,0,0,2}'$$),
	(6, 'size and distance in step', $$'{1,1,2,2}', '{1,2,1,2}', '{1000,2000,1000,2000}', '{4,1,1,2}'$$),
	(7, '', $$'{1}', '{0}', '{1}', '{1}'$$), (8, '', $$'{1}', '{1}', '{-1}', '{1}'$$), (9, '', $$'{1}', '{1}', '{1}', '{NaN}'$$), (10, '', $$'{1}', '{1,2}', '{1}', '{1}'$$), (11, '', $$'{1}', '{1}', '{1}', '{NULL}'$$), (12, '', $$'{1}', '{1}', '{1}', '{1}', 0$$)) v (n, what, a) ORDER BY n;
SELECT pg_temp.try(format('SELECT huff_probabilities(%s)', a)) FROM unnest(ARRAY[
	$$'{1}', '{"0,0"}', '{1}', '{"0,0"}', '{0}'$$, $$'{1}', '{"0,0"}', '{1}', '{"0,0"}', '{Infinity}'$$, $$'{1}', '{"0,0"}', '{1,2}', '{"0,0"}', '{1}'$$, $$'{1,2}', '{"0,0"}', '{1}', '{"0,0"}', '{1}'$$,
	$$'{1}', '{"0,0"}', '{1}', '{"0,0"}', '{NULL}'$$, $$'{1}', '{"0,0"}', '{1}', '{"0,0"}', '{1}', 101$$, $$'{1}', '{"0,0"}', '{1}', '{"0,0"}', '{1}', 1, 'NaN'$$, $$'{1}', '{"0,0"}', '{1}', '{"0,0"}', '{1}', 1, 2, -1$$, $$'{1}', '{"0,0"}', '{1}', '{"0,0"}', '{1}', 1, 2, 1, 0$$]) a;

-- A new store next to one's own of the same size and distance takes half of it; beside a competitor as well, a third of each; where nobody is, all.
SELECT candidate_id, round(captured::numeric, 9) AS captured, round(from_own::numeric, 9) AS from_own, round(from_others::numeric, 9) AS from_others, unserved, round(gain::numeric, 9) AS gain
FROM site_score('{1,2,3,4}', ARRAY['-0.01,0', '1,0', '0,50', NULL]::geopoint[], '{5,5,5,5}', ARRAY['0,0', '1.005,0', '0,50.001', NULL]::geopoint[], '{100,60,7,1000}',
	ARRAY['0.01,0', '1.01,0', '1.005,0.005', NULL]::geopoint[], '{5,5,5,5}', '{t,t,f,t}', beta => 0, max_m => 20000);
SELECT store_id, round(demand_before::numeric, 9) AS before, round(demand_after::numeric, 9) AS after, round(taken::numeric, 9) AS taken, round(taken_share::numeric, 9) AS taken_share
FROM site_cannibalisation('0,0.01', 6, ARRAY['0,0', '9,9']::geopoint[], '{100,50}', '{7,8,9}', ARRAY['0.01,0', '0.02,0', '30,30']::geopoint[], '{1,2,1}', beta => 0, max_m => 20000);
-- what is taken from all, and what nobody served, is what the site gets
SELECT abs(captured - (SELECT sum(c.taken) FROM site_cannibalisation(geopoint(179.95, 60.05), 2000, p.positions, p.demand, s.ids, s.positions, s.sizes, 0.8, 1.7, 6000) c) - unserved) < 1e-9 AS captured,
	abs(from_own - (SELECT sum(c.taken) FROM site_cannibalisation(geopoint(179.95, 60.05), 2000, p.positions, p.demand, s.ids, s.positions, s.sizes, 0.8, 1.7, 6000) c WHERE c.store_id % 3 = 0)) < 1e-9 AS own, captured > 5 AS some
FROM (SELECT array_agg(pos) AS positions, array_agg(1::float8) AS demand FROM place) p, (SELECT array_agg(id) AS ids, array_agg(pos) AS positions, array_agg(size) AS sizes, array_agg(id % 3 = 0) AS own FROM store) s,
	site_score('{1}', ARRAY[geopoint(179.95, 60.05)], '{2000}', p.positions, p.demand, s.positions, s.sizes, s.own, 0.8, 1.7, 6000);
SELECT pg_temp.try($$SELECT site_score('{1}', '{"0,0"}', '{1}', '{"0,0"}', '{-1}', '{}', '{}', '{}')$$);
SELECT pg_temp.try($$SELECT site_score('{1}', '{"0,0"}', '{1}', '{"0,0"}', '{1}', '{"0,0"}', '{1}', '{}')$$);
SELECT pg_temp.try($$SELECT site_cannibalisation('0,0', 0, '{"0,0"}', '{1}', '{}', '{}', '{}')$$);
DROP TABLE store, place, chance, draw, fitted;
