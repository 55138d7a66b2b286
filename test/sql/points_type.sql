-- The type points: text and binary form, points(n), casts, comparison, indexes.
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

-- Text in and out: exact, no zeros that say nothing.
SELECT t AS input, t::points AS points
FROM (VALUES ('120'), ('0'), ('-0'), ('-0.0000'), ('0.5'), ('+7.25'), ('007.0100'), ('12.3456'), ('-0.0001'),
	('922337203685477.5807'), ('-922337203685477.5808'),
	('00000000000000000000000000000922337203685477.5807')) v(t);

SELECT (E' \t\n\f\r' || chr(11) || '42.10' || chr(11) || E'\r ')::points AS white_space_around;

-- What is no amount is an error; junk is told before range.
SELECT t AS input, pg_temp.error_of(format('SELECT %L::points', t)) AS error
FROM (VALUES (''), (' '), ('-'), ('+'), ('.'), ('5.'), ('.5'), ('1.2.3'), ('- 1'), ('--1'), ('+-1'), ('1 2'), ('1,5'), ('1e3'),
	('0x10'), ('1_000'), ('NaN'), ('Infinity'), ('-inf'), ('abc'), ('12abc'), ('١٢'), ('1.00000'), ('0.12345'),
	('922337203685477.5808'), ('-922337203685477.5809'), ('99999999999999999999'), ('1844674407370955.1617'),
	('99999999999999999999x'), ('99999999999999999999.12345'), (repeat('9', 100))) v(t);

-- points(n) constrains and never rounds, also in an explicit cast.
SELECT '12'::points(0), '12.3'::points(1), '12.3400'::points(2), '12.3456'::points(4), 7::points(0), 7.5::points(1);
SELECT s AS statement, pg_temp.error_of(s) AS error
FROM (VALUES ('SELECT ''0.5''::points(0)'), ('SELECT ''-12.3456''::points(3)'), ('SELECT 1.25::points(1)'),
	('SELECT 1::points(5)'), ('SELECT 1::points(-1)'), ('SELECT 1::points(1, 2)'),
	('CREATE TEMP TABLE t AS SELECT ''1.5''::points AS p; ALTER TABLE t ALTER p TYPE points(0)')) v(s);
SELECT format_type('points'::regtype, 2), format_type('points'::regtype, -1);
CREATE TEMP TABLE whole (p points(0), q points(2));
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'whole'::regclass AND attnum > 0 ORDER BY attnum;
INSERT INTO whole VALUES (1, 2.25), ('3', '4.5');
INSERT INTO whole VALUES (1.5, 1);
COPY whole FROM STDIN;
5	6.789
\.
SELECT * FROM whole ORDER BY p;

-- Casts: integers implicitly, bigint and numeric on assignment and exactly, no floats.
SELECT castsource::regtype AS source, casttarget::regtype AS target, castcontext AS context
FROM pg_cast WHERE 'points'::regtype IN (castsource, casttarget) ORDER BY castsource::regtype::text, casttarget::regtype::text;
CREATE TEMP TABLE assigned (p points);
INSERT INTO assigned VALUES (1), (2::smallint), (3::bigint), (4.25), (5.10000000), ('6.5'), (-922337203685477.5808), (1e3);
SELECT p, p::numeric AS n, p::text AS t, to_jsonb(p) AS j FROM assigned ORDER BY p;
SELECT 120::points::bigint, (-120)::points::bigint, '922337203685477'::points::bigint;
SELECT s AS statement, pg_temp.error_of(s) AS error
FROM (VALUES ('SELECT ''1.5''::points::bigint'), ('SELECT 0.00001::points'), ('SELECT 922337203685477.5808::points'),
	('SELECT (-922337203685477.58085)::points'), ('SELECT 922337203685478::bigint::points'),
	('SELECT ''NaN''::numeric::points'), ('SELECT ''-Infinity''::numeric::points'), ('SELECT 1e131000::points'),
	('SELECT 1::float8::points'), ('SELECT 1::float4::points'), ('SELECT 1::points::float8'), ('SELECT 1::points::integer'),
	('SELECT 1::points >= 0.5'), ('SELECT 1::points = 1::bigint')) v(s);

-- Comparison.
SELECT a, b, a = b AS eq, a <> b AS ne, a < b AS lt, a <= b AS le, a > b AS gt, a >= b AS ge, points_compare(a, b)
FROM (VALUES ('1'::points, '1.0000'::points), ('-0.0001', '0'), ('10', '9'), ('-10', '-9')) v(a, b);

-- A points column against an integer, a parameter and an untyped literal:
-- compared as points, by the index.
CREATE TEMP TABLE account (id integer, balance points);
INSERT INTO account SELECT i, i FROM generate_series(1, 5000) i;
CREATE INDEX account_balance ON account (balance);
ANALYZE account;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM account WHERE balance >= 4990;
EXPLAIN (COSTS OFF) SELECT id FROM account WHERE balance >= '4990.5';
EXPLAIN (COSTS OFF) SELECT id FROM account WHERE balance = 7::smallint;
EXPLAIN (COSTS OFF) SELECT id FROM account WHERE 4990 <= balance;
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
PREPARE by_integer(integer) AS SELECT id FROM account WHERE balance >= $1;
PREPARE by_untyped AS SELECT id FROM account WHERE balance >= $1;
EXPLAIN (COSTS OFF) EXECUTE by_integer(4998);
EXPLAIN (COSTS OFF) EXECUTE by_untyped(4998);
EXECUTE by_integer(4998);
EXECUTE by_untyped('4998.5');
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'by_untyped';
-- Without what PostgreSQL 17 no longer says of an InitPlan.
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		RETURN NEXT regexp_replace(line, ' \(returns \$\d+\)', '');
	END LOOP;
END $$;
SELECT * FROM pg_temp.plan('SELECT min(balance), max(balance) FROM account');
SELECT min(balance), max(balance) FROM account;
DROP INDEX account_balance;
CREATE INDEX account_balance ON account USING hash (balance);
EXPLAIN (COSTS OFF) SELECT id FROM account WHERE balance = 77;
SELECT id FROM account WHERE balance = 77;
DROP INDEX account_balance;
CREATE INDEX account_balance ON account USING brin (balance) WITH (pages_per_range = 1);
SET enable_bitmapscan = on;
EXPLAIN (COSTS OFF) SELECT id FROM account WHERE balance BETWEEN 10 AND 12;
SELECT id FROM account WHERE balance BETWEEN 10 AND 12 ORDER BY id;
RESET enable_seqscan;
RESET plan_cache_mode;

-- The operator classes are complete, and all three kinds of plan agree.
SELECT opcname, amname, amvalidate(c.oid), opcdefault
FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod WHERE opcintype = 'points'::regtype ORDER BY 2;
CREATE TEMP TABLE repeated AS SELECT (hashint4(i) % 1000 / 8.0)::points AS p FROM generate_series(1, 3000) i;
SELECT count(*) AS distinct_amounts, bool_and(n = m) AS same
FROM (SELECT p, count(*) AS n FROM repeated GROUP BY p) g JOIN (SELECT p::numeric AS k, count(*) AS m FROM repeated GROUP BY 1) h ON k = p::numeric;
SET enable_mergejoin = off; SET enable_nestloop = off;
SELECT count(*) FROM repeated a JOIN repeated b USING (p);
RESET enable_mergejoin; SET enable_hashjoin = off;
SELECT count(*) FROM repeated a JOIN repeated b USING (p);
RESET enable_hashjoin; RESET enable_nestloop;
SELECT count(*) AS not_in_order
FROM (SELECT p, lag(p) OVER (ORDER BY p) AS previous FROM repeated) s WHERE NOT previous <= p;
SELECT bool_and(points_hash_extended(p, 0)::bit(32) = points_hash(p)::bit(32)) AS extends, count(DISTINCT points_hash_extended(p, 1)) AS seeded FROM repeated;
CREATE TEMP TABLE part (p points) PARTITION BY HASH (p);
CREATE TEMP TABLE part_0 PARTITION OF part FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TEMP TABLE part_1 PARTITION OF part FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO part SELECT p FROM repeated;
SELECT count(*) = 3000 AS all_there, count(DISTINCT tableoid) AS partitions FROM part;

-- points is in the category of numbers, and changes nothing for the others.
SELECT coalesce(NULL::points, 0) AS a, greatest(1, '2.5'::points) AS b, CASE WHEN true THEN 1 ELSE '0.5'::points END AS c;
-- Each operator and function name of points, with operands of all the other
-- number, time and text types and untyped: resolves as it does without o2o.
CREATE FUNCTION pg_temp.type_of(expression text, path text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found_type text;
BEGIN
	PERFORM set_config('search_path', path, true);
	EXECUTE 'SELECT pg_typeof(' || expression || ')::text' INTO found_type;
	RETURN found_type;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE TEMP TABLE operand AS
SELECT 'NULL' AS text UNION ALL
SELECT 'NULL::' || t FROM unnest('{smallint,integer,bigint,real,float8,numeric,money,oid,text,"\"char\"",boolean,date,timestamptz,interval,jsonb,integer[]}'::text[]) t;
WITH expression(text) AS (
	SELECT format('%s %s %s', l.text, o.oprname, r.text)
	FROM operand l, operand r, (SELECT DISTINCT oprname FROM pg_operator WHERE oprkind = 'b' AND 'points'::regtype IN (oprleft, oprright)) o
	UNION ALL
	SELECT format('%s %s', o.oprname, r.text) FROM operand r, pg_operator o WHERE oprkind = 'l' AND oprright = 'points'::regtype
	UNION ALL
	SELECT format('%s(%s)', f, r.text) FROM operand r, unnest('{abs,sum,min,max}'::text[]) f)
SELECT count(*) > 2900 AS many, count(*) FILTER (WHERE without ~ '^[a-z]') > 300 AS valid, count(*) FILTER (WHERE without <> with_o2o) AS differ
FROM (SELECT pg_temp.type_of(text, 'pg_catalog') AS without, pg_temp.type_of(text, 'public, o2o') AS with_o2o FROM expression) r;
SELECT pg_typeof(7 * 1.5) AS a, pg_typeof(7 * 2::smallint) AS b, pg_typeof(1.5 * 7) AS c, pg_typeof(abs(-3::smallint)) AS d, pg_typeof(2 * interval '1 day') AS e;
SELECT p FROM (SELECT 1 AS p UNION ALL SELECT '0.5'::points) u ORDER BY p;

-- Binary form: 8 bytes that are bigint's; a constraint holds there too.
SELECT points_send(1), points_send('-0.0001'), points_send('922337203685477.5807');
CREATE TEMP TABLE sent (p points);
INSERT INTO sent VALUES ('-922337203685477.5808'), ('922337203685477.5807'), (0), ('-12.3456'), (NULL);
\copy sent TO 'results/points_type.bin' (FORMAT binary)
CREATE TEMP TABLE received (p points);
\copy received FROM 'results/points_type.bin' (FORMAT binary)
SELECT * FROM received ORDER BY p;
CREATE TEMP TABLE received_whole (p points(0));
\copy received_whole FROM 'results/points_type.bin' (FORMAT binary)
