-- The type identifier: normal forms, errors, order, indexes, binary form.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
SET search_path = public, o2o;

-- What a text turns into, or the error with its SQLSTATE, detail and hint.
CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text; detail text; hint text;
BEGIN
	EXECUTE query INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || concat_ws(' | ', SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE FUNCTION pg_temp.read(input text) RETURNS text LANGUAGE sql
AS $$ SELECT pg_temp.try(format('SELECT %L::o2o.identifier', input)) $$;

-- Every kind, plain.
SELECT 'phone:+8613800138000'::identifier, 'email:ann@example.com'::identifier,
	'unionid:oX1'::identifier, 'openid:wx12/oAbC'::identifier;
SELECT 'card:88001'::identifier, 'device:3f2a'::identifier, 'cookie:GA1.2.3'::identifier,
	'ref:crm/10023'::identifier, 'alipay:2088 X'::identifier, 'douyin_2:a:b'::identifier;

-- Kinds: lower-cased, trimmed.
SELECT input, pg_temp.read(input) FROM (VALUES
	(1, 'PHONE:+8613800138000'), (2, '  Card : 88001  '), (3, E'card：88001'),
	(4, 'ＣＡＲＤ:88001'), (5, 'a:b')) v(n, input) ORDER BY n;
SELECT input, pg_temp.read(input) FROM (VALUES
	(1, ''), (2, 'card'), (3, ':88001'), (4, '1card:2'), (5, '_card:2'), (6, 'ca-rd:2'),
	(7, 'ca rd:2'), (8, '卡:2'), (9, '13800138000')) v(n, input) ORDER BY n;
SELECT length(identifier(repeat('k', 63), 'v')::text);
SELECT pg_temp.try($$SELECT identifier(repeat('k', 64), 'v')$$);

-- Phones: E.164 however it is written. (Unaligned: psql's idea of the width of such characters changed.)
\pset format unaligned
SELECT input, pg_temp.read('phone:' || input) FROM (VALUES
	(1, '+86 138 0013 8000'), (2, '+86-138-0013-8000'), (3, '+1 (202) 555.0123'),
	(4, '＋８６１３８００１３８０００'), (5, E'\u202D+86 138\u00A00013\u30008000\u202C'), (6, '+86‐138−0013–8000'),
	(7, '+1234567'), (8, '+123456789012345'), (9, '(+86) 13800138000'), (10, '+1 202 055 0123'), (11, E'+86\t13800138000')) v(n, input) ORDER BY n;
\pset format aligned
SELECT input, pg_temp.read('phone:' || input) FROM (VALUES
	(1, '13800138000'), (2, '0086 13800138000'), (3, '+123456'), (4, '+1234567890123456'), (5, '+0123456789'),
	(6, '+44 (0)20 7946 0958'), (7, '+44 020 7946 0958'), (8, '++8613800138000'), (9, '+86138+00138000'),
	(10, '+86 1380013800x'), (11, '+'), (12, '-'), (13, ''), (14, '١٢٣٤٥٦٧٨')) v(n, input) ORDER BY n;

-- E-mail addresses.
SELECT input, pg_temp.read('email:' || input) FROM (VALUES
	(1, ' Ann.Lee@EXAMPLE.com '), (2, 'a+tag@sub.example.co.uk'), (3, 'ann＠example．com'), (4, 'o''hara/x=y@ex-ample.com'),
	(5, '张三@例子.中国'), (6, 'ann@BÜCHER.example'), (7, 'ann@例子。中国'), (8, 'ann@xn--fsqu00a.xn--fiqs8s'),
	(9, E'T\u0308@example.com'), (10, 'a@faß.de'), (11, '1@1.cn'), (12, 'a@163.com')) v(n, input) ORDER BY n;
SELECT input, pg_temp.read('email:' || input) FROM (VALUES
	(1, 'ann'), (2, '@example.com'), (3, 'ann@'), (4, 'ann@localhost'), (5, 'a@b@example.com'), (6, 'ann@example..com'),
	(7, 'an..n@example.com'), (8, '.ann@example.com'), (9, 'ann.@example.com'), (10, 'an n@example.com'), (11, 'ann@exa mple.com'),
	(12, 'ann@-example.com'), (13, 'ann@example-.com'), (14, 'ann@exam_ple.com'), (15, 'ann@10.0.0.1'), (16, '"ann"@example.com'),
	(17, 'Ann <ann@example.com>'), (18, 'ann@example.com.'), (19, 'ann@a‿b.例子'), (20, E'an\u3000n@example.com'), (21, E'ann@\u0301a.com')) v(n, input) ORDER BY n;
SELECT pg_temp.read('email:' || repeat('a', 64) || '@example.com') = 'email:' || repeat('a', 64) || '@example.com' AS local_64,
	left(pg_temp.read('email:' || repeat('a', 65) || '@example.com'), 5) AS local_65,
	left(pg_temp.read('email:a@' || repeat('a', 63) || '.com'), 5) AS label_63,
	left(pg_temp.read('email:a@' || repeat('a', 64) || '.com'), 5) AS label_64,
	left(pg_temp.read('email:a@' || repeat('abcdefg.', 31) || 'example'), 5) AS domain_255,
	left(pg_temp.read('email:a@' || repeat('abcdefg.', 31) || 'examples'), 5) AS domain_256;
SELECT input, identifier_email(input) AS plain, identifier_email(input, fold => true) AS folded FROM (VALUES
	(1, 'Ann.Lee+news@gmail.com'), (2, 'annlee@GoogleMail.com'), (3, 'ann.lee+news@example.com'), (4, '+news@example.com'), (5, 'ann@gmail.com.cn'), (6, 'ann.+x@example.com'), (7, 'ann.+x@gmail.com')) v(n, input) ORDER BY n;
SELECT pg_temp.try($$SELECT identifier_email('ann')$$);

-- The other kinds.
\pset format unaligned
SELECT input, pg_temp.read(input) FROM (VALUES
	(1, 'card: 8800-1 ab'), (2, 'card:８８００１'), (3, E'card:88\u200A\t00\u200B‑1'), (4, 'device:A0:B1:C2'), (5, 'device:3F2504E0-4F89-41D3-9A0C-0305E82C3301'),
	(6, 'cookie: aB==; '), (7, 'unionid: oX1Y '), (8, 'openid: wxApp / oId/x '), (9, 'ref: CRM / A-1/2 '), (10, E'weixin:\u200B小明\uFEFF'),
	(11, 'alipay:ﬁsh'), (12, E'line:e\u0301'), (13, E'device:H\u0331')) v(n, input) ORDER BY n;
\pset format aligned
SELECT replace(replace(replace(input, E'\x01', '^A'), E'\u200B', '(zwsp)'), E'\x7f', '^?') AS input, pg_temp.read(input) FROM (VALUES
	(1, 'card:'), (2, 'card: - '), (3, 'cookie:  '), (4, 'openid:wx12'), (5, 'openid:/x'), (6, 'openid:wx12/ '), (7, 'ref:10023'), (8, 'ref:1crm/2'),
	(9, 'ref:my crm/2'), (10, 'ref:crm/'), (11, E'cookie:abcd\x01efgh'), (12, E'alipay:abc\u200Bdefg'), (13, E'card:88\x7f0012345')) v(n, input) ORDER BY n;

-- Lengths: 512 bytes of normal form; longer texts are not even looked at.
SELECT octet_length(('cookie:' || repeat('x', 505))::identifier::text);
SELECT pg_temp.read('cookie:' || repeat('x', 506));
SELECT pg_temp.read('cookie:' || repeat('中', 169));
SELECT pg_temp.read('cookie:' || repeat('x', 10000));
SELECT pg_temp.read(repeat(' ', 3000) || 'card:1');

-- A stored value always reads back as itself.
SELECT count(id) AS read, count(*) FILTER (WHERE (id::text || '')::identifier <> id) AS changed
FROM (SELECT identifier_or_null(k || ':' || p || chr(c) || s) AS id
	FROM generate_series(1, 12000) c, unnest(array['device', 'card', 'line']) k, unnest(array['', 'H', 'a ']) p, unnest(array['', 'Z', E'\u0301']) s
	WHERE c NOT BETWEEN 55296 AND 57343) v;

-- For bulk: NULL instead of an error.
SELECT input, identifier_or_null(input) FROM (VALUES (1, 'card:1'), (2, 'card:'), (3, 'phone:1'), (4, 'x'), (5, NULL), (6, 'ref:a/' || repeat('x', 600))) v(n, input)
WHERE n < 6 OR identifier_or_null(input) IS NOT NULL ORDER BY n;

-- Constructor, parts, mask.
SELECT identifier('Card', ' 88-001'), identifier('ref', 'crm/a:b'), identifier('email', 'Ann@Example.com');
SELECT pg_temp.try($$SELECT identifier('card:', '1')$$), pg_temp.try($$SELECT identifier('card', ' ')$$), pg_temp.try($$SELECT identifier(NULL, '1')$$);
SELECT id, identifier_kind(id), identifier_value(id), identifier_mask(id) FROM unnest(array[
	'phone:+8613800138000', 'card:8800', 'card:88001', 'ref:crm/a:b', 'weixin:小明', 'weixin:我是一个小明', 'email:ann@example.com']::identifier[]) id;

-- Phones in any form, through the library.
SELECT number, country, pg_temp.try(format('SELECT identifier_phone(%L, %L)', number, country)) FROM (VALUES
	(1, '138 0013 8000', 'CN'), (2, '138 0013 8000', 'cn'), (3, '021-6123 4567', 'CN'), (4, '0086 138 0013 8000', 'CN'), (5, '+8613800138000', NULL),
	(6, '+44 (0)20 7946 0958', NULL), (7, '+39 06 698 12345', NULL), (8, '06 698 12345', 'IT'), (9, '(202) 555-0123', 'US'), (10, '１３８００１３８０００', 'CN'),
	(11, '＋４４ (0)20 7946 0958', NULL), (12, '+1 202 555 0123', 'CN'), (13, '8613800138000', 'CN'), (14, '(+44) (0)20 7946 0958', NULL)) v(n, number, country) ORDER BY n;
SELECT number, country, pg_temp.try(format('SELECT identifier_phone(%L, %L)', number, country)) FROM (VALUES
	(1, '13800138000', NULL), (2, '12', 'CN'), (3, '138001380001234', 'CN'), (4, 'no number', 'CN'), (5, '021 6123 4567 ext. 89', 'CN'), (6, '', 'CN'),
	(7, NULL, 'CN'), (8, '13800138000', 'CHN'), (9, '13800138000', ''), (10, '13800138000', '中'), (11, '13800138000', 'XX'), (12, '+999 0123456', NULL)) v(n, number, country) ORDER BY n;
SELECT identifier_phone_or_null('138 0013 8000', 'CN'), identifier_phone_or_null('12', 'CN'), identifier_phone_or_null('13800138000', NULL), identifier_phone_or_null(NULL, 'CN');
SELECT pg_temp.try($$SELECT identifier_phone_or_null('13800138000', 'CHN')$$);

-- Casts: text to identifier only on request, the other way also by assignment.
CREATE TEMP TABLE plain (t text);
INSERT INTO plain SELECT 'card:1'::identifier;
SELECT t::identifier, pg_typeof(t::identifier) FROM plain;
SELECT 'card:2'::varchar::identifier;
CREATE TEMP TABLE strict (i identifier);
INSERT INTO strict SELECT t FROM plain;

-- Order: bytes of the normal form, whatever the collation.
SELECT id FROM unnest(array['phone:+1234567', 'card:b', 'card:10', 'card:9', 'card:1', 'email:ä@b.cn', 'email:z@b.cn', 'card1:x', 'Device:A']::identifier[]) id ORDER BY id;
SELECT id FROM unnest(array['ref:a/1', 'ref:a/10', 'ref:a/2']::identifier[]) id ORDER BY id DESC;
SELECT 'card:1'::identifier = 'CARD: 1' AS eq, 'card:1'::identifier <> 'card:2' AS ne, 'card:1'::identifier < 'card:2' AS lt, 'card:1'::identifier <= 'card:1' AS le,
	'card:2'::identifier > 'card:10' AS gt, 'card:2'::identifier >= 'card:3' AS ge;

-- Indexes, hashes, joins.
CREATE TABLE identifier_test (id identifier, n integer);
INSERT INTO identifier_test SELECT identifier('card', i::text), i FROM generate_series(1, 5000) i;
CREATE INDEX identifier_test_btree ON identifier_test (id);
ANALYZE identifier_test;
EXPLAIN (COSTS OFF) SELECT n FROM identifier_test WHERE id = 'card:4711';
SELECT n FROM identifier_test WHERE id = 'card:4711';
EXPLAIN (COSTS OFF) SELECT id FROM identifier_test ORDER BY id LIMIT 3;
SELECT id FROM identifier_test ORDER BY id LIMIT 3;
SELECT count(*) FROM identifier_test WHERE id >= 'card:4' AND id < 'card:5';
DROP INDEX identifier_test_btree;
CREATE INDEX identifier_test_hash ON identifier_test USING hash (id);
EXPLAIN (COSTS OFF) SELECT n FROM identifier_test WHERE id = 'card:4711';
SELECT n FROM identifier_test WHERE id = 'card:4711';
SET enable_mergejoin = off; SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM identifier_test a JOIN identifier_test b USING (id);
SELECT count(*) FROM identifier_test a JOIN identifier_test b USING (id);
SET enable_mergejoin = on; SET enable_hashjoin = off;
SELECT count(*) FROM identifier_test a JOIN identifier_test b USING (id);
RESET enable_mergejoin; RESET enable_nestloop; RESET enable_hashjoin;
SELECT count(DISTINCT id), count(*) = count(DISTINCT identifier_hash_extended(id, 7)) AS seeded FROM identifier_test;
CREATE TABLE identifier_part (id identifier PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE identifier_part_0 PARTITION OF identifier_part FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE identifier_part_1 PARTITION OF identifier_part FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO identifier_part SELECT id FROM identifier_test;
SELECT (SELECT count(*) FROM identifier_part_0) BETWEEN 2000 AND 3000 AS even, count(*) FROM identifier_part;
INSERT INTO identifier_part VALUES ('card: 47-11');

-- Binary form: what goes out comes back; what comes in is checked as text is.
INSERT INTO identifier_test VALUES ('weixin:小明', 0), (NULL, -1);
COPY identifier_test TO PROGRAM 'cat > /tmp/o2o_identifier_test.bin' (FORMAT binary);
CREATE TABLE identifier_back (LIKE identifier_test);
COPY identifier_back FROM PROGRAM 'cat /tmp/o2o_identifier_test.bin; rm /tmp/o2o_identifier_test.bin' (FORMAT binary);
SELECT count(*) AS differing FROM ((TABLE identifier_back EXCEPT ALL TABLE identifier_test) UNION ALL (TABLE identifier_test EXCEPT ALL TABLE identifier_back)) v;
COPY (SELECT text ' CARD: 88-001 ') TO PROGRAM 'cat > /tmp/o2o_identifier_test.bin' (FORMAT binary);
COPY strict FROM PROGRAM 'cat /tmp/o2o_identifier_test.bin' (FORMAT binary);
COPY (SELECT text 'phone:13800138000') TO PROGRAM 'cat > /tmp/o2o_identifier_test.bin' (FORMAT binary);
COPY strict FROM PROGRAM 'cat /tmp/o2o_identifier_test.bin; rm /tmp/o2o_identifier_test.bin' (FORMAT binary);
TABLE strict;
DROP TABLE identifier_test, identifier_back, identifier_part;

-- The input function depends on no setting.
SELECT provolatile, proparallel, proisstrict FROM pg_proc WHERE oid = 'o2o.identifier_in(cstring)'::regprocedure;
SELECT typcategory, typispreferred, typcollation FROM pg_type WHERE oid = 'o2o.identifier'::regtype;
-- The type and the operator classes hold together.
SELECT opcname, amname, amvalidate(c.oid) FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod WHERE opcintype = 'o2o.identifier'::regtype ORDER BY 2;
