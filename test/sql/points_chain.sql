-- The links of hash chains and Merkle trees over them; blocks are in points_block.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET timezone = 'UTC';

-- A link, and the same bytes put together by hand.
CREATE FUNCTION pg_temp.link(previous bytea, funding text DEFAULT 'program', reference text DEFAULT 'pos/1', reverses bigint DEFAULT NULL) RETURNS bytea LANGUAGE sql AS $$
	SELECT o2o.points_chain(previous, 11, 12, 3, 4, 5, 'earn', '1.5', '-2.25', CASE WHEN funding IS NOT NULL THEN '2000-01-01 00:00:01+00'::timestamptz END,
		CASE WHEN funding IS NOT NULL THEN '2000-01-02'::date END, funding,
		'00112233-4455-6677-8899-aabbccddeeff', 6, 7, reference, '2000-01-01 00:00:02+00', '1999-12-31 23:59:59+00', 'till', reverses, 8) $$;
CREATE FUNCTION pg_temp.text_bytes(t text) RETURNS bytea LANGUAGE sql AS $$ SELECT int8send(octet_length(t)) || convert_to(t, 'UTF8') $$;
SELECT pg_temp.link(NULL) = sha256('\x01'::bytea || decode(repeat('00', 32), 'hex') || int8send(11) || int8send(12) || int8send(3) || int8send(4) || int8send(5)
	|| pg_temp.text_bytes('earn') || int8send(15000) || int8send(-22500) || '\x01' || int8send(1000000) || int8send(1) || pg_temp.text_bytes('program')
	|| uuid_send('00112233-4455-6677-8899-aabbccddeeff') || int8send(6) || int8send(7) || '\x01' || pg_temp.text_bytes('pos/1')
	|| int8send(2000000) || int8send(-1000000) || pg_temp.text_bytes('till') || '\x00' || int8send(8)) AS whole,
	pg_temp.link(sha256('x'), NULL, NULL, 9) = sha256('\x01'::bytea || sha256('x') || int8send(11) || int8send(12) || int8send(3) || int8send(4) || int8send(5)
	|| pg_temp.text_bytes('earn') || int8send(15000) || int8send(-22500) || '\x00'
	|| uuid_send('00112233-4455-6677-8899-aabbccddeeff') || int8send(6) || int8send(7) || '\x00'
	|| int8send(2000000) || int8send(-1000000) || pg_temp.text_bytes('till') || '\x01' || int8send(9) || int8send(8)) AS bare;
SELECT count(DISTINCT l) AS different
FROM unnest(ARRAY[pg_temp.link(NULL), pg_temp.link(sha256('x')), pg_temp.link(NULL, NULL), pg_temp.link(NULL, 'programm'), pg_temp.link(NULL, reference => NULL),
	pg_temp.link(NULL, reference => ''), pg_temp.link(NULL, reverses => 0)]) l;
SELECT pg_temp.link('\x00');
SELECT o2o.points_chain(NULL, NULL, 12, 3, 4, 5, 'earn', 1, 1, NULL, NULL, NULL, '00112233-4455-6677-8899-aabbccddeeff', 6, 7, NULL, now(), now(), 'till', NULL, 8) IS NULL AS nothing;

-- Merkle trees as RFC 9162 has them, against the definition in SQL.
CREATE FUNCTION pg_temp.tree(leaves bytea[]) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	n integer := cardinality(leaves);
	k integer := 1;
BEGIN
	IF n = 1 THEN
		RETURN sha256('\x00'::bytea || leaves[1]);
	END IF;
	WHILE k * 2 < n LOOP
		k := k * 2;
	END LOOP;
	RETURN sha256('\x01'::bytea || pg_temp.tree(leaves[:k]) || pg_temp.tree(leaves[k + 1:]));
END $$;
CREATE TEMP TABLE tree AS
SELECT n, (SELECT array_agg(sha256(int4send(i)) ORDER BY i) FROM generate_series(1, n) i) AS leaves,
	(SELECT string_agg(sha256(int4send(i)), '' ORDER BY i) FROM generate_series(1, n) i) AS together
FROM unnest('{1,2,3,4,5,7,8,9,31,64,100}'::integer[]) n;
SELECT count(*) AS trees, count(*) FILTER (WHERE o2o.points_merkle_root(together) = pg_temp.tree(leaves)) AS equal FROM tree;
-- Every leaf leads to the root, and to no other.
CREATE FUNCTION pg_temp.climb(leaf bytea, together bytea, place integer) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	node bytea := sha256('\x00'::bytea || leaf);
	at record;
BEGIN
	FOR at IN SELECT * FROM o2o.points_merkle_path(together, place) ORDER BY step LOOP
		node := CASE at.part WHEN 'left' THEN sha256('\x01'::bytea || at.hash || node) WHEN 'right' THEN sha256('\x01'::bytea || node || at.hash) END;
	END LOOP;
	RETURN node;
END $$;
SELECT count(*) AS leaves, count(*) FILTER (WHERE pg_temp.climb(t.leaves[i], t.together, i) = o2o.points_merkle_root(t.together)) AS lead_up,
	count(*) FILTER (WHERE pg_temp.climb(sha256('x'), t.together, i) = o2o.points_merkle_root(t.together)) AS others_too
FROM tree t, generate_series(1, t.n) i;
SELECT max(step) AS steps FROM o2o.points_merkle_path((SELECT together FROM tree WHERE n = 100), 100);
SELECT o2o.points_merkle_root('');
SELECT o2o.points_merkle_root('\x0011');
SELECT o2o.points_merkle_path((SELECT together FROM tree WHERE n = 2), 3);
SELECT o2o.points_merkle_path((SELECT together FROM tree WHERE n = 2), 0);
