-- Indexes of o2o.geopoint: used, and exact like brute force, through loads, updates, deletes and vacuum.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
SET search_path = public, o2o;
SET jit = off;

SELECT am.amname, opcname, opcdefault, amvalidate(c.oid)
FROM pg_opclass c JOIN pg_am am ON am.oid = opcmethod
WHERE opcintype = 'geopoint'::regtype ORDER BY 1, 2;

-- 20,000 positions: a town, its rounded copies (ties), the world, the antimeridian, both poles and their surroundings
SELECT setseed(0.5);
CREATE TABLE my_shop AS
SELECT i AS id, CASE i % 10
	WHEN 0 THEN geopoint(random() * 360 - 180, degrees(asin(random() * 2 - 1)))
	WHEN 1 THEN geopoint(CASE WHEN i % 20 = 1 THEN -180 + random() * 0.1 ELSE 180 - random() * 0.1 END, random() * 10)
	WHEN 2 THEN geopoint(random() * 360 - 180, 90 - random() * 0.5)
	WHEN 3 THEN geopoint(random() * 360 - 180, -90 + random() * 0.001)
	WHEN 4 THEN geopoint(round((100 + random() * 2)::numeric, 1)::float8, round((30 + random() * 2)::numeric, 1)::float8)
	WHEN 5 THEN geopoint(CASE i % 20 WHEN 5 THEN 180 ELSE random() * 180 END, CASE i % 3 WHEN 0 THEN 90 WHEN 1 THEN -90 ELSE random() * 180 - 90 END)
	ELSE geopoint(121 + random() * 0.8, 31 + random() * 0.6) END AS pos
FROM generate_series(1, 20000) i;
INSERT INTO my_shop VALUES (20001, NULL), (20002, NULL);
-- where to search from: some of these places, and others
CREATE TABLE start AS
SELECT row_number() OVER () AS n, pos FROM (
	SELECT pos FROM my_shop WHERE id % 1999 < 2 AND pos IS NOT NULL
	UNION ALL SELECT geopoint(random() * 360 - 180, degrees(asin(random() * 2 - 1))) FROM generate_series(1, 8)
	UNION ALL SELECT geopoint(121 + random() * 0.8, 31 + random() * 0.6) FROM generate_series(1, 8)
	UNION ALL VALUES ('0,90'::geopoint), ('0,-90'), ('180,0'), ('179.9999999,5'), ('-179.9999999,5'), ('0,0'), ('100.5,30.5')) v;

-- Searches that an index answers otherwise than brute force does: in the number of rows, in a distance of the first
-- depth, or in a set of rows nearer than the last of them.  Ties may come in any order.
CREATE FUNCTION wrong_searches(depth integer, method text) RETURNS TABLE (searches bigint, wrong bigint) LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off;
	EXECUTE format('EXPLAIN (FORMAT json) SELECT id FROM my_shop ORDER BY pos <-> ''1,1'' LIMIT %s', depth) INTO plan;
	IF plan #>> '{0,Plan,Plans,0,Index Name}' IS DISTINCT FROM 'my_shop_' || method THEN
		RAISE EXCEPTION 'the plan does not use the index: %', plan;
	END IF;
	CREATE TEMP TABLE found AS
	SELECT n, array_agg(id ORDER BY place) AS ids, array_agg(metres ORDER BY place) AS metres
	FROM (SELECT n, id, metres, row_number() OVER (PARTITION BY n) AS place FROM start CROSS JOIN LATERAL
		(SELECT id, my_shop.pos <-> start.pos AS metres FROM my_shop ORDER BY my_shop.pos <-> start.pos LIMIT depth) near) f GROUP BY n;
	SET LOCAL enable_seqscan = on; SET LOCAL enable_sort = on; SET LOCAL enable_indexscan = off;
	CREATE TEMP TABLE expected AS
	SELECT n, array_agg(id ORDER BY place) AS ids, array_agg(metres ORDER BY place) AS metres
	FROM (SELECT n, id, metres, row_number() OVER (PARTITION BY n ORDER BY metres, id) AS place FROM start CROSS JOIN LATERAL
		(SELECT id, geo_distance(my_shop.pos, start.pos) AS metres FROM my_shop ORDER BY 2, 1 LIMIT depth) near) f GROUP BY n;
	RETURN QUERY SELECT count(*), count(*) FILTER (WHERE f.metres IS DISTINCT FROM e.metres
		OR cardinality(f.ids) <> (SELECT count(DISTINCT i) FROM unnest(f.ids) i)
		OR EXISTS (SELECT FROM generate_subscripts(e.ids, 1) k WHERE e.metres[k] < e.metres[depth] AND e.ids[k] <> ALL (f.ids)))
		FROM expected e LEFT JOIN found f USING (n);
	DROP TABLE found, expected;
END $$;

-- the same for equality
CREATE FUNCTION wrong_lookups() RETURNS TABLE (lookups bigint, wrong bigint) LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL enable_seqscan = off;
	CREATE TEMP TABLE found AS SELECT n, (SELECT count(*) FROM my_shop WHERE my_shop.pos = start.pos) AS rows FROM start;
	SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off;
	RETURN QUERY SELECT sum(rows)::bigint, count(*) FILTER (WHERE rows <> (SELECT count(*) FROM my_shop WHERE my_shop.pos = start.pos))
		FROM found JOIN start USING (n);
	DROP TABLE found;
END $$;

-- SP-GiST: built, searched
CREATE INDEX my_shop_spgist ON my_shop USING spgist (pos);
ANALYZE my_shop;
EXPLAIN (COSTS OFF) SELECT id FROM my_shop ORDER BY pos <-> '121.47,31.23' LIMIT 3;
EXPLAIN (COSTS OFF) SELECT pos FROM my_shop ORDER BY pos <-> '121.47,31.23' LIMIT 3;
SELECT pos, round((pos <-> '121.47,31.23')::numeric, 3) AS metres FROM my_shop ORDER BY pos <-> '121.47,31.23' LIMIT 3;
SELECT * FROM wrong_searches(30, 'spgist');
SELECT * FROM wrong_lookups();
-- all rows come, in order, those without position last
SET enable_seqscan = off; SET enable_sort = off;
SELECT count(*), count(metres), bool_and(metres >= before) AS in_order, bool_and(pos IS NULL) FILTER (WHERE place > 20000) AS nulls_last
FROM (SELECT pos, metres, lag(metres) OVER () AS before, row_number() OVER () AS place
	FROM (SELECT pos, pos <-> '-179.99,3' AS metres FROM my_shop ORDER BY pos <-> '-179.99,3' OFFSET 0) s) t;
-- two distances, a null one, a condition beside
SELECT count(*) FROM (SELECT id FROM my_shop ORDER BY pos <-> '1,1', pos <-> '2,2' LIMIT 10) t;
SELECT count(*) FROM (SELECT id FROM my_shop ORDER BY pos <-> NULL LIMIT 10) t;
SELECT count(*), max(metres) FROM (SELECT pos <-> '100.5,30.5' AS metres FROM my_shop WHERE pos = '100.5,30.5' ORDER BY pos <-> '100.5,30.5') t;
RESET enable_seqscan; RESET enable_sort;

-- moved, deleted, vacuumed, inserted again in order of longitude
UPDATE my_shop SET pos = geopoint(121 + random() * 0.8, 31 + random() * 0.6) WHERE id % 7 = 0;
UPDATE my_shop SET pos = '121.47,31.23' WHERE id % 31 = 0;
SELECT * FROM wrong_searches(30, 'spgist');
DELETE FROM my_shop WHERE id % 3 = 0;
VACUUM my_shop;
SELECT * FROM wrong_searches(30, 'spgist');
INSERT INTO my_shop SELECT 30000 + row_number() OVER (ORDER BY pos), pos FROM my_shop WHERE id % 4 = 1 ORDER BY pos;
SELECT * FROM wrong_searches(30, 'spgist');
SELECT * FROM wrong_lookups();
DROP INDEX my_shop_spgist;

-- GiST: the same, from a sorted build and from single inserts
CREATE INDEX my_shop_gist ON my_shop USING gist (pos);
EXPLAIN (COSTS OFF) SELECT pos FROM my_shop ORDER BY pos <-> '121.47,31.23' LIMIT 3;
SELECT * FROM wrong_searches(30, 'gist');
SELECT * FROM wrong_lookups();
UPDATE my_shop SET pos = geopoint(180 - random() * 360, degrees(asin(random() * 2 - 1))) WHERE id % 5 = 0;
DELETE FROM my_shop WHERE id % 8 = 0;
VACUUM my_shop;
SELECT * FROM wrong_searches(30, 'gist');
CREATE TEMP TABLE kept AS SELECT * FROM my_shop;
TRUNCATE my_shop;
INSERT INTO my_shop SELECT * FROM kept ORDER BY id % 1009, id;
SELECT * FROM wrong_searches(30, 'gist');
SELECT * FROM wrong_lookups();
SET enable_seqscan = off; SET enable_sort = off;
SELECT count(*), count(metres), bool_and(metres >= before) AS in_order, bool_and(pos IS NULL) FILTER (WHERE place > rows - nulls) AS nulls_last
FROM (SELECT pos, metres, lag(metres) OVER () AS before, row_number() OVER () AS place, count(*) OVER () AS rows, count(*) FILTER (WHERE pos IS NULL) OVER () AS nulls
	FROM (SELECT pos, pos <-> '-179.99,3' AS metres FROM my_shop ORDER BY pos <-> '-179.99,3' OFFSET 0) s) t;
RESET enable_seqscan; RESET enable_sort;
DROP INDEX my_shop_gist;

-- of two columns: the nearest shops of one brand
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS btree_gist;
RESET client_min_messages;
ALTER TABLE my_shop ADD brand integer, ADD brand_number bigint, ADD brand_name text;
UPDATE my_shop SET brand = nullif(id % 50, 0), brand_number = (id % 50) * 10000000000, brand_name = 'Brand ' || id % 50;
CREATE FUNCTION wrong_brands(brand text, asked text) RETURNS TABLE (found bigint, wrong bigint, missing bigint) LANGUAGE plpgsql AS $$
DECLARE
	search text := format('SELECT n, %1$I::text AS brand, round(m::numeric, 7) AS metres FROM start CROSS JOIN LATERAL
		(SELECT %1$I, my_shop.pos <-> start.pos AS m FROM my_shop WHERE %1$I = %2$s ORDER BY my_shop.pos <-> start.pos LIMIT 5) near', brand, asked);
	plan text := '';
	line text;
BEGIN
	SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off;
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || search LOOP plan := plan || line; END LOOP;
	IF plan NOT LIKE '%Index Cond: (' || brand || ' =%Order By:%' THEN RAISE 'no index: %', plan; END IF;
	EXECUTE 'CREATE TEMP TABLE by_index ON COMMIT DROP AS ' || search;
	SET LOCAL enable_indexscan = off; SET LOCAL enable_seqscan = on; SET LOCAL enable_sort = on;
	EXECUTE 'CREATE TEMP TABLE by_force ON COMMIT DROP AS ' || search;
	RETURN QUERY SELECT count(*), (SELECT count(*) FROM (TABLE by_index EXCEPT ALL TABLE by_force) t), (SELECT count(*) FROM (TABLE by_force EXCEPT ALL TABLE by_index) t) FROM by_index;
	DROP TABLE by_index, by_force;
	SET LOCAL enable_indexscan = on; SET LOCAL enable_bitmapscan = on;
END $$;
CREATE INDEX my_shop_brand ON my_shop USING gist (brand, pos);
EXPLAIN (COSTS OFF) SELECT id FROM my_shop WHERE brand = 7 ORDER BY pos <-> '121.47,31.23' LIMIT 3;
SELECT * FROM wrong_brands('brand', '(n % 50)::integer');
DROP INDEX my_shop_brand;

-- the same with our own classes: built, changed, vacuumed; values of other integer types; a value that no row or no integer has
CREATE INDEX my_shop_category ON my_shop USING gist (brand category_int4_ops, pos);
CREATE INDEX my_shop_number ON my_shop USING gist (brand_number category_int8_ops, pos);
CREATE INDEX my_shop_name ON my_shop USING gist (brand_name category_text_ops, pos);
EXPLAIN (COSTS OFF) SELECT id FROM my_shop WHERE brand_number = 7 ORDER BY pos <-> '121.47,31.23' LIMIT 3;
SELECT * FROM wrong_brands('brand', '(n % 50)::integer');
SELECT * FROM wrong_brands('brand_number', '(n % 50) * 10000000000::bigint');
SELECT * FROM wrong_brands('brand_name', $$'Brand ' || n % 50$$);
UPDATE my_shop SET brand = brand + 1, brand_number = brand_number + 1, brand_name = lower(brand_name), pos = geopoint(121 + random() * 0.8, 31 + random() * 0.6) WHERE id % 3 = 0;
DELETE FROM my_shop WHERE id % 11 = 0;
VACUUM my_shop;
INSERT INTO my_shop (id, pos, brand, brand_number, brand_name) SELECT 100000 + n, geopoint(-180 + random() * 360, -90 + random() * 180), n, n, n FROM generate_series(-2000, 2000) n;
SELECT * FROM wrong_brands('brand', '(n % 50)::smallint');
SELECT * FROM wrong_brands('brand', '(n % 50)::bigint');
SELECT * FROM wrong_brands('brand_number', '(n % 50)::integer');
SELECT * FROM wrong_brands('brand_number', '(n % 50)::smallint');
SELECT * FROM wrong_brands('brand_number', '(n % 50) * 10000000000::bigint + 1');
SELECT * FROM wrong_brands('brand_name', $$'brand ' || n % 50$$);
SET enable_seqscan = off;
SELECT count(*) FILTER (WHERE brand IS NULL) AS none, (SELECT count(*) FROM my_shop WHERE brand IS NULL) AS none_by_index, (SELECT count(*) FROM my_shop WHERE brand = 4294967303) AS too_large,
	(SELECT count(*) FROM my_shop WHERE brand = -2147483648) AS lowest FROM my_shop;
RESET enable_seqscan;
DROP INDEX my_shop_category, my_shop_number, my_shop_name;
-- alone, and where all rows have the same
CREATE INDEX my_shop_category ON my_shop USING gist (brand category_int4_ops);
CREATE INDEX my_shop_same ON my_shop USING gist ((id * 0) category_int4_ops, pos);
SET enable_seqscan = off;
SELECT count(*) FROM my_shop WHERE brand = 7;
SELECT count(*) = (SELECT count(id) FROM my_shop) AS all_rows FROM my_shop WHERE id * 0 = 0;
RESET enable_seqscan;
DROP INDEX my_shop_category, my_shop_same;
-- texts that are equal by their collation, or long, or varchar; several values; an exclusion constraint
CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE chain_shop (id integer PRIMARY KEY, chain text COLLATE any_case, code varchar(20), pos geopoint);
INSERT INTO chain_shop SELECT id, CASE id % 3 WHEN 0 THEN 'Roots' WHEN 1 THEN 'ROOTS' ELSE repeat('Long ', 4000) || id % 2 END, 'c' || id % 4, pos FROM my_shop WHERE id <= 2000;
CREATE INDEX chain_shop_chain ON chain_shop USING gist (chain category_text_ops, pos);
CREATE INDEX chain_shop_code ON chain_shop USING gist (code category_text_ops, pos);
CREATE FUNCTION counts() RETURNS TABLE (roots bigint, long bigint, code bigint, codes bigint) LANGUAGE sql
	RETURN ((SELECT count(*) FROM chain_shop WHERE chain = 'roots'), (SELECT count(*) FROM chain_shop WHERE chain = upper(repeat('Long ', 4000)) || 1),
		(SELECT count(*) FROM chain_shop WHERE code = 'c2'), (SELECT count(*) FROM chain_shop WHERE code = ANY (ARRAY['c1', 'c3'])));
SET enable_indexscan = off; SET enable_bitmapscan = off;
SELECT * FROM counts();
RESET enable_indexscan; RESET enable_bitmapscan; SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM chain_shop WHERE chain = 'roots';
EXPLAIN (COSTS OFF) SELECT id FROM chain_shop WHERE code = 'c2' ORDER BY pos <-> '121.47,31.23' LIMIT 3;
SELECT * FROM counts();
RESET enable_seqscan;
CREATE TABLE one_of_each (brand integer, number bigint, pos geopoint, EXCLUDE USING gist (brand category_int4_ops WITH =, pos WITH =), EXCLUDE USING gist (number category_int8_ops WITH =));
INSERT INTO one_of_each VALUES (1, 10000000000, '1,1'), (2, 10000000001, '1,1'), (1, 10000000002, '1,2');
INSERT INTO one_of_each VALUES (1, 5, '1,1');
INSERT INTO one_of_each VALUES (3, 10000000001, '1,1');
DROP FUNCTION counts();
DROP TABLE one_of_each, chain_shop;

-- covering: rows out of the index alone, all distances exact; of what changed since, the heap says whether it is seen
CREATE INDEX my_shop_covering ON my_shop USING spgist (pos geopoint_spgist_covering_ops) INCLUDE (id);
VACUUM ANALYZE my_shop;
EXPLAIN (COSTS OFF) SELECT id, pos, pos <-> '121.47,31.23' FROM my_shop ORDER BY pos <-> '121.47,31.23' LIMIT 3;
EXPLAIN (COSTS OFF) SELECT count(*) FROM my_shop WHERE geo_dwithin(pos, '121.47,31.23', 5000);
SELECT * FROM wrong_searches(30, 'covering');
UPDATE my_shop SET pos = geopoint(121 + random() * 0.8, 31 + random() * 0.6) WHERE id % 7 = 0;
DELETE FROM my_shop WHERE id % 5 = 0;
SELECT * FROM wrong_searches(30, 'covering');
SELECT count(*), sum(got - expected), sum(got) > 1000 AS many FROM (
	SELECT (SELECT count(*) FROM my_shop WHERE geo_dwithin(pos, start.pos, metres)) AS got,
		(SELECT count(*) FROM my_shop WHERE geo_distance(pos, start.pos) <= metres) AS expected
	FROM start, unnest(ARRAY[0, 3000, 100000, 5000000]) metres) t;
SET enable_seqscan = off; SET enable_sort = off;
SELECT count(*) AS rows, count(metres), bool_and(metres >= before) AS in_order, bool_and(metres IS NOT DISTINCT FROM geo_distance(pos, '-179.99,3')) AS exact
FROM (SELECT pos, metres, lag(metres) OVER () AS before
	FROM (SELECT pos, pos <-> '-179.99,3' AS metres FROM my_shop ORDER BY pos <-> '-179.99,3' OFFSET 0) s) t;
SELECT count(*) FROM (SELECT pos FROM my_shop ORDER BY pos <-> '1,1', pos <-> '2,2' LIMIT 10) t;
RESET enable_seqscan; RESET enable_sort;
DROP INDEX my_shop_covering;

-- searched from NULL, whose order the server leaves out of that scan alone, and from two positions: the next answers are
-- right. All rows are read, so that the first scan comes to the widest tuple.
CREATE FUNCTION after_null() RETURNS TABLE (kind text, wrong bigint) LANGUAGE sql AS $$
	WITH origin (n, a, b) AS (VALUES (1, NULL::geopoint, '1,1'::geopoint), (2, '121.47,31.23', NULL), (3, NULL, NULL), (4, '100.5,30.5', '100.4,30.5'), (5, '8,50', '8,51')),
	force AS (SELECT n, array_agg(m ORDER BY m) AS m FROM (SELECT n, geo_distance(pos, a) AS m, row_number() OVER (PARTITION BY n ORDER BY geo_distance(pos, a)) AS place FROM my_shop, origin) t WHERE place <= 20 GROUP BY n),
	one AS (SELECT n, array_agg(m ORDER BY place) AS m FROM (SELECT n, m, row_number() OVER (PARTITION BY n) AS place FROM origin, LATERAL (SELECT pos <-> a AS m FROM my_shop ORDER BY pos <-> a OFFSET 0) t) t WHERE place <= 20 GROUP BY n),
	two AS (SELECT n, array_agg(m ORDER BY place) AS m FROM (SELECT n, m, row_number() OVER (PARTITION BY n) AS place FROM origin, LATERAL (SELECT pos <-> a AS m FROM my_shop ORDER BY pos <-> a, pos <-> b OFFSET 0) t) t WHERE place <= 20 GROUP BY n)
	SELECT 'one', count(*) FROM one JOIN force USING (n) JOIN origin USING (n) WHERE a IS NOT NULL AND one.m IS DISTINCT FROM force.m
	UNION ALL SELECT 'two', count(*) FROM two JOIN force USING (n) JOIN origin USING (n) WHERE a IS NOT NULL AND two.m IS DISTINCT FROM force.m
$$;
CREATE INDEX my_shop_spgist ON my_shop USING spgist (pos);
SET enable_seqscan = off; SET enable_sort = off; SET enable_incremental_sort = off; SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM (VALUES (1, NULL::geopoint), (2, '1,1')) origin (n, a), LATERAL (SELECT id FROM my_shop ORDER BY pos <-> a, pos <-> '2,2' LIMIT 20) t;
SELECT * FROM after_null();
DROP INDEX my_shop_spgist;
CREATE INDEX my_shop_gist ON my_shop USING gist (pos);
SELECT * FROM after_null();
DROP INDEX my_shop_gist;
-- of an expression, all its columns included: without the table, and exact
CREATE TABLE by_degrees AS SELECT id, geo_longitude(pos) AS lon, geo_latitude(pos) AS lat FROM my_shop WHERE pos IS NOT NULL;
CREATE INDEX by_degrees_spgist ON by_degrees USING spgist (geopoint(lon, lat)) INCLUDE (id, lon, lat);
VACUUM ANALYZE by_degrees;
EXPLAIN (COSTS OFF) SELECT id FROM by_degrees ORDER BY geopoint(lon, lat) <-> '121.47,31.23' LIMIT 100;
SELECT count(*), bool_and(m >= before) AS in_order FROM (SELECT m, lag(m) OVER () AS before
	FROM (SELECT geopoint(lon, lat) <-> '121.47,31.23' AS m FROM by_degrees ORDER BY geopoint(lon, lat) <-> '121.47,31.23' LIMIT 5000) t) t;
RESET enable_seqscan; RESET enable_sort; RESET enable_incremental_sort; RESET enable_bitmapscan;
DROP TABLE by_degrees;
DROP FUNCTION after_null;

-- loads that tempt a tree to degenerate: equal positions, a page of one town before the first of another, sorted rows
CREATE FUNCTION tempted(method text) RETURNS TABLE (equal bigint, first_equal bigint, nearest text, rows bigint, in_order boolean) LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMP TABLE load (id integer, pos geopoint);
	EXECUTE format('CREATE INDEX ON load USING %I (pos)', method);
	INSERT INTO load SELECT i, '8,50' FROM generate_series(1, 2000) i;
	INSERT INTO load VALUES (2001, '8,50.0000001'), (2002, '8.0000001,50'), (2003, '-70,-30'), (2004, '8,50');
	INSERT INTO load SELECT 10000 + i, geopoint(8 + i * 1e-7, 50) FROM generate_series(0, 999) i;
	INSERT INTO load SELECT 20000 + i, geopoint(-70 - i * 1e-3, -30) FROM generate_series(0, 999) i;
	SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off;
	RETURN QUERY SELECT (SELECT count(*) FROM load WHERE pos = '8,50'),
		(SELECT count(*) FROM (SELECT pos FROM load ORDER BY pos <-> '8,50' LIMIT 2005) t WHERE pos = '8,50'),
		(SELECT string_agg(pos::text, ' ') FROM (SELECT pos FROM load ORDER BY pos <-> '-71.0001,-30' LIMIT 3) t),
		(SELECT count(*) FROM (SELECT pos <-> '8,49' AS metres FROM load ORDER BY pos <-> '8,49' OFFSET 0) t),
		(SELECT bool_and(metres >= before) FROM (SELECT metres, lag(metres) OVER () AS before
			FROM (SELECT pos <-> '8,49' AS metres FROM load ORDER BY pos <-> '8,49' OFFSET 0) s) t);
	DROP TABLE load;
END $$;
SELECT method, t.* FROM unnest(ARRAY['spgist', 'gist']) method, tempted(method) t;
DROP FUNCTION tempted;
DROP TABLE my_shop, start;
DROP FUNCTION wrong_searches, wrong_lookups;
