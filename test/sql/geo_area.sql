-- Circles and boxes: text and binary, errors, what lies in them; both indexes exact like brute force; geo_dwithin by index.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
SET search_path = public, o2o;
SET extra_float_digits = 1;
SET jit = off;
SET datestyle = ISO;

CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE query INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- text: one form each, one value for each area
SELECT input, pg_temp.try(format('SELECT %L::o2o.geocircle', input)) AS circle
FROM unnest(ARRAY['<(121.4737,31.2304),500>', ' < ( 180 , +1 ) , 1e3 > ', '<(7,90),0.1>', '<(0,0),-0>', '<(1,2),infinity>', '<(1,2),1e-300>', '<(1,2),0.30000000000000004>',
	'', '<(1,2)>', '<(1,2),3', '(1,2),3', '<(1,2),3>x', '<1,2,3>', '<(1,2),NaN>', '<(1,2),-1>', '<(1,2),-infinity>', '<(1,2),infinit>', '<(181,0),1>', '<(0,91),1>', '<(NaN,0),1>', '<(1,2),1e999>']) input;
SELECT input, pg_temp.try(format('SELECT %L::o2o.geobox', input)) AS box
FROM unnest(ARRAY['(121,31),(122,32)', ' ( 170 , -50 ) , ( -170 , -30 ) ', '(180,1),(180,2)', '(180,1),(-180,2)', '(-180,1),(-180,2)', '(170,0),(-180,1)', '(180,0),(-170,1)', '(-180,-90),(180,90)',
	'(5,-90),(6,90)', '(1,1),(1,1)', '', '(1,2)', '(1,2),(3,4', '1,2,3,4', '(1,2),(3,4)x', '((1,2),(3,4))', '(1,2),(3,1.9999999)', '(1,2),(3,NaN)', '(181,0),(1,1)', '(0,0),(1,90.1)', '(1e999,0),(1,1)']) input;
\set VERBOSITY default
SELECT '121.4,31.2,500'::geocircle;
SELECT geocircle('1,1', 'NaN');
SELECT '121,31,122,32'::geobox;
SELECT geobox(0, 10, 1, 5);
SELECT geobox(0, 'NaN', 1, 5);
\set VERBOSITY terse
SELECT geo_center(c), geo_radius(c), geocircle(geo_center(c), geo_radius(c)) AS again FROM (VALUES ('<(180,1),12.5>'::geocircle)) v (c);
SELECT geo_west(b), geo_south(b), geo_east(b), geo_north(b), ST_AsEWKT(b::geometry) FROM (VALUES ('(170,-50),(-170,-30)'::geobox), ('(1,2),(3,4)')) v (b);

-- binary, checked as text is
CREATE TEMP TABLE sent (c geocircle, b geobox);
\copy (SELECT * FROM (VALUES ('<(121.4737,31.2304),500.25>'::geocircle, '(170,-50),(-170,-30)'::geobox), ('<(0,90),Infinity>', '(-180,-90),(180,90)'), (NULL, NULL)) v) TO 'results/geo_area.bin' (FORMAT binary)
\copy sent FROM 'results/geo_area.bin' (FORMAT binary)
SELECT * FROM sent;
SELECT encode(geocircle_send('<(121.4737,31.2304),500>'), 'hex'), encode(geobox_send('(170,-50),(-170,-30)'), 'hex');
-- messages that no text would give
TRUNCATE sent;
\copy (SELECT v FROM (VALUES (int4send(1800000000) || int4send(5) || float8send(-0.0)), (int4send(7) || int4send(900000000) || float8send('Infinity'))) x (v)) TO 'results/geo_area.bin' (FORMAT binary)
\copy sent (c) FROM 'results/geo_area.bin' (FORMAT binary)
\copy (SELECT int4send(1800000001) || int4send(5) || float8send(1)) TO 'results/geo_area.bin' (FORMAT binary)
\copy sent (c) FROM 'results/geo_area.bin' (FORMAT binary)
\copy (SELECT int4send(1) || int4send(-900000001) || float8send(1)) TO 'results/geo_area.bin' (FORMAT binary)
\copy sent (c) FROM 'results/geo_area.bin' (FORMAT binary)
\copy (SELECT int4send(1) || int4send(5) || float8send('NaN')) TO 'results/geo_area.bin' (FORMAT binary)
\copy sent (c) FROM 'results/geo_area.bin' (FORMAT binary)
\copy (SELECT int4send(1) || int4send(5) || float8send(-1)) TO 'results/geo_area.bin' (FORMAT binary)
\copy sent (c) FROM 'results/geo_area.bin' (FORMAT binary)
\copy (SELECT int8send(1)) TO 'results/geo_area.bin' (FORMAT binary)
\copy sent (c) FROM 'results/geo_area.bin' (FORMAT binary)
\copy (SELECT int4send(1800000000) || int4send(5) || int4send(-1800000000) || int4send(6)) TO 'results/geo_area.bin' (FORMAT binary)
\copy sent (b) FROM 'results/geo_area.bin' (FORMAT binary)
\copy (SELECT int4send(0) || int4send(5) || int4send(1) || int4send(4)) TO 'results/geo_area.bin' (FORMAT binary)
\copy sent (b) FROM 'results/geo_area.bin' (FORMAT binary)
\copy (SELECT int4send(0) || int4send(5) || int4send(-2147483648) || int4send(6)) TO 'results/geo_area.bin' (FORMAT binary)
\copy sent (b) FROM 'results/geo_area.bin' (FORMAT binary)
\copy (SELECT int4send(0) || int4send(5)) TO 'results/geo_area.bin' (FORMAT binary)
\copy sent (b) FROM 'results/geo_area.bin' (FORMAT binary)
SELECT * FROM sent;
-- 6,000 spoiled texts: each an error of syntax or range, or a value that its own text gives back
CREATE FUNCTION pg_temp.spoiled(sample text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 1 + (random() * 2)::integer LOOP
		sample := overlay(sample PLACING substr('<>(),.+-e0123456789 INFinfa', 1 + (random() * 26)::integer, (random() * 2)::integer)
			FROM 1 + (random() * (length(sample) - 1))::integer FOR (random() * 2)::integer);
	END LOOP;
	RETURN sample;
END $$;
SELECT setseed(0.25);
CREATE TEMP TABLE spoiled AS
SELECT kind, pg_temp.try(format('SELECT %L::o2o.%I', pg_temp.spoiled(sample), kind)) AS answer
FROM (VALUES ('geocircle', '<(12.5,-31.25),500.5>'), ('geobox', '(-121.5,31),(122,32.25)'), ('geopoint', 'POINT(121.4737 -31.2304)')) v (kind, sample), generate_series(1, 2000);
SELECT kind, count(*), count(*) FILTER (WHERE answer LIKE '22%') BETWEEN 1 AND 1999 AS some_valid,
	count(*) FILTER (WHERE answer !~ '^(22P02|22003|22023) ' AND answer <> pg_temp.try(format('SELECT %L::o2o.%I', answer, kind))) AS wrong
FROM spoiled GROUP BY kind ORDER BY kind;

-- what lies in a circle or a box, on the edges, at the poles, over the antimeridian
SELECT point, area, point <@ area::geobox AS inside, area::geobox @> point AS holds, point && area::geobox AS meets, area::geobox && point AS met
FROM (VALUES ('1,1'::geopoint, '(1,1),(2,2)'), ('2,2', '(1,1),(2,2)'), ('0.9999999,1', '(1,1),(2,2)'), ('1,2.0000001', '(1,1),(2,2)'),
	('180,0', '(170,-1),(-170,1)'), ('175,0', '(170,-1),(-170,1)'), ('-175,0', '(170,-1),(-170,1)'), ('0,0', '(170,-1),(-170,1)'), ('-169.9999999,0', '(170,-1),(-170,1)'),
	('180,0', '(170,-1),(180,1)'), ('-180,0', '(-180,-1),(-170,1)'), ('180,0', '(-170,-1),(170,1)'), ('55,90', '(170,80),(-170,90)'), ('55,-90', '(170,-90),(-170,-80)'), ('55,89.9999999', '(170,80),(-170,90)')) v (point, area);
SELECT a, b, a && b AS meet, b && a AS again FROM (VALUES ('(1,1),(2,2)'::geobox, '(2,2),(3,3)'::geobox), ('(1,1),(2,2)', '(2.0000001,1),(3,3)'), ('(170,0),(180,1)', '(-180,1),(-170,2)'),
	('(170,0),(-170,1)', '(-175,0),(0,1)'), ('(170,0),(-170,1)', '(-169,0),(169,1)'), ('(170,0),(-170,1)', '(175,1),(-175,2)'), ('(0,80),(1,90)', '(90,85),(91,90)'), ('(0,80),(1,89)', '(90,85),(91,89)'), ('(1,1),(2,2)', '(1,3),(2,4)')) v (a, b);
SELECT '0,0' <@ geocircle('0,0', 0) AS itself, '0.0000001,0' <@ geocircle('0,0', 0) AS beside, p <@ geocircle('10,10', p <-> '10,10') AS on_edge, geocircle('10,10', (p <-> '10,10') - 1e-9) @> p AS within,
	'0,-90'::geopoint <@ '<(0,90),Infinity>'::geocircle AS everywhere FROM (VALUES ('11,11'::geopoint)) v (p);

-- both indexes answer like brute force: a town, the world, rounded ties, the antimeridian, the poles
CREATE TABLE shop AS
SELECT i AS id, CASE i % 8
	WHEN 0 THEN geopoint(random() * 360 - 180, degrees(asin(random() * 2 - 1)))
	WHEN 1 THEN geopoint(CASE WHEN i % 16 = 1 THEN -180 + random() * 0.1 ELSE 180 - random() * 0.1 END, random() * 10)
	WHEN 2 THEN geopoint(random() * 360 - 180, CASE WHEN i % 16 = 2 THEN 90 - random() * 0.5 ELSE random() * 0.01 - 90 END)
	WHEN 3 THEN geopoint(round((100 + random() * 2)::numeric, 1)::float8, round((30 + random() * 2)::numeric, 1)::float8)
	WHEN 4 THEN geopoint(CASE i % 16 WHEN 4 THEN 180 ELSE random() * 180 END, CASE i % 3 WHEN 0 THEN 90 WHEN 1 THEN -90 ELSE random() * 180 - 90 END)
	ELSE geopoint(121 + random() * 0.8, 31 + random() * 0.6) END AS pos
FROM generate_series(1, 10000) i;
INSERT INTO shop VALUES (10001, NULL);
CREATE TABLE asked AS
SELECT row_number() OVER () AS n, c, b FROM (
	SELECT geocircle(pos, r) AS c, geobox(greatest(-180, geo_longitude(pos) - w), greatest(-90, geo_latitude(pos) - w), least(180, geo_longitude(pos) + w), least(90, geo_latitude(pos) + w)) AS b
	FROM (SELECT pos, (ARRAY[0, 5, 1000, 30000, 500000, 8000000, 20100000])[1 + id % 7] AS r, (ARRAY[0, 0.001, 0.5, 7, 90])[1 + id % 5] AS w FROM shop WHERE id % 211 = 0) p
	UNION ALL SELECT geocircle('100.5,30.5', '100.5,30.5'::geopoint <-> '100.6,30.5'), '(100.5,30.5),(100.6,30.6)'
	UNION ALL SELECT geocircle('180,5', 9000), '(179.95,0),(-179.95,7)'
	UNION ALL SELECT geocircle('0,90', 30000), '(170,80),(-170,90)'
	UNION ALL SELECT geocircle('0,-90', 300), '(10,-90),(11,-89.999)'
	UNION ALL SELECT '<(0,0),Infinity>', '(-180,-90),(180,90)') t;
CREATE FUNCTION pg_temp.wrong(method text) RETURNS TABLE (searches bigint, rows_in_circles bigint, wrong_circles bigint, rows_in_boxes bigint, wrong_boxes bigint) LANGUAGE plpgsql AS $$
DECLARE
	plan text;
BEGIN
	EXECUTE format('CREATE INDEX shop_pos ON shop USING %I (pos)', method);
	SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_material = off;
	FOREACH plan IN ARRAY ARRAY['pos <@ c', 'c @> pos', 'geo_dwithin(pos, geo_center(c), geo_radius(c))', 'geo_dwithin(geo_center(c), pos, geo_radius(c))', 'pos <@ b', 'b @> pos', 'pos && b', 'b && pos'] LOOP
		EXECUTE format('EXPLAIN (FORMAT json) SELECT FROM asked JOIN shop ON %s', plan) INTO plan;
		IF plan NOT LIKE '%"Index Name": "shop_pos"%' THEN
			RAISE EXCEPTION 'the plan does not use the index: %', plan;
		END IF;
	END LOOP;
	CREATE TEMP TABLE found AS
	SELECT n, (SELECT array_agg(id ORDER BY id) FROM shop WHERE pos <@ c) AS c1, (SELECT array_agg(id ORDER BY id) FROM shop WHERE geo_dwithin(pos, geo_center(c), geo_radius(c))) AS c2,
		(SELECT array_agg(id ORDER BY id) FROM shop WHERE pos <@ b) AS b1, (SELECT array_agg(id ORDER BY id) FROM shop WHERE b && pos) AS b2 FROM asked;
	SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off;
	RETURN QUERY SELECT count(*), sum(cardinality(c0)), count(*) FILTER (WHERE (c0, c0) IS DISTINCT FROM (c1, c2)), sum(cardinality(b0)), count(*) FILTER (WHERE (b0, b0) IS DISTINCT FROM (b1, b2))
	FROM (SELECT found.*, (SELECT array_agg(id ORDER BY id) FROM shop WHERE geo_distance(geo_center(c), pos) <= geo_radius(c)) AS c0,
		(SELECT array_agg(id ORDER BY id) FROM shop WHERE CASE WHEN geo_latitude(pos) NOT BETWEEN geo_south(b) AND geo_north(b) THEN false WHEN abs(geo_latitude(pos)) = 90 THEN true
			WHEN geo_west(b) <= geo_east(b) THEN geo_longitude(pos) BETWEEN geo_west(b) AND geo_east(b) OR geo_longitude(pos) + 360 BETWEEN geo_west(b) AND geo_east(b)
			ELSE geo_longitude(pos) >= geo_west(b) OR geo_longitude(pos) <= geo_east(b) END) AS b0
		FROM found JOIN asked USING (n)) t;
	DROP TABLE found;
	DROP INDEX shop_pos;
END $$;
SELECT method, w.* FROM unnest(ARRAY['spgist', 'gist']) method, pg_temp.wrong(method) w;
UPDATE shop SET pos = geopoint(100 + random() * 2, 30 + random() * 2) WHERE id % 5 = 0;
DELETE FROM shop WHERE id % 7 = 0;
SELECT method, w.wrong_circles, w.wrong_boxes FROM unnest(ARRAY['spgist', 'gist']) method, pg_temp.wrong(method) w;

-- inserts after the build, vacuum, conditions together and with an order
CREATE INDEX shop_pos ON shop USING spgist (pos);
INSERT INTO shop SELECT 20000 + i, geopoint(121.4 + i * 1e-5, 31.2) FROM generate_series(1, 1000) i;
DELETE FROM shop WHERE id % 3 = 0;
VACUUM ANALYZE shop;
SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM shop WHERE pos <@ '<(121.4,31.2),300>'::geocircle AND pos && '(121,31),(122,31.2)'::geobox ORDER BY pos <-> '121.401002,31.2' LIMIT 3;
SELECT id FROM shop WHERE pos <@ '<(121.4,31.2),300>'::geocircle AND pos && '(121,31),(122,31.2)'::geobox ORDER BY pos <-> '121.401002,31.2' LIMIT 3;
SELECT count(*) FROM shop WHERE geo_dwithin(pos, '121.4,31.2', 300) AND pos <@ geocircle('121.403,31.2', 100);
RESET enable_seqscan; RESET enable_sort; RESET enable_bitmapscan;

-- geo_dwithin: with constants, parameters, in joins; the errors and nulls are those of the function
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM shop WHERE geo_dwithin(pos, '121.47,31.23', 100);
RESET enable_bitmapscan;
PREPARE near(geopoint, float8) AS SELECT count(*) FROM shop WHERE geo_dwithin($1, pos, $2);
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE near('121.4,31.2', 300);
EXECUTE near('121.4,31.2', 300);
EXECUTE near('121.4,31.2', NULL);
EXECUTE near(NULL, 300);
EXECUTE near('121.4,31.2', 'Infinity');
EXECUTE near('121.4,31.2', -1);
EXECUTE near('121.4,31.2', 'NaN');
EXPLAIN (COSTS OFF) SELECT count(*) FROM shop a JOIN shop b ON geo_dwithin(a.pos, b.pos, 50) WHERE a.id < 100;
-- no index condition where both positions are of the table, or the metres are
EXPLAIN (COSTS OFF) SELECT id FROM shop WHERE geo_dwithin(pos, pos, 100);
EXPLAIN (COSTS OFF) SELECT id FROM shop WHERE geo_dwithin(pos, '1,1', id);
-- the planner's guess is within a factor of 5 of what is there
CREATE FUNCTION pg_temp.guess(radius integer) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE format('EXPLAIN (FORMAT json) SELECT id FROM shop WHERE geo_dwithin(pos, ''121.4,31.3'', %s)', radius) INTO plan;
	RETURN plan #>> '{0,Plan,Plan Rows}';
END $$;
SELECT radius, actual > 0 AS found, guess BETWEEN actual / 5.0 AND actual * 5.0 AS close
FROM (SELECT radius, (SELECT count(*) FROM shop WHERE geo_dwithin(pos, '121.4,31.3', radius)) AS actual, pg_temp.guess(radius) AS guess FROM unnest(ARRAY[5000, 20000, 60000]) radius) t;
DROP TABLE shop, asked;
