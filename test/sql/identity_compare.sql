-- Comparison functions: published values, edges, errors, and plain definitions on random strings.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
SET datestyle = ISO;

-- Published values (Winkler; Lowrance and Wagner), characters of more than one byte.
SELECT a, b, round(o2o.jaro(a, b)::numeric, 4) AS jaro, round(o2o.jaro_winkler(a, b)::numeric, 4) AS jaro_winkler, o2o.damerau_levenshtein(a, b) AS distance
FROM (VALUES (1, 'MARTHA', 'MARHTA'), (2, 'DIXON', 'DICKSONX'), (3, 'DWAYNE', 'DUANE'), (4, 'JONES', 'JOHNSON'), (5, 'ABROMS', 'ABRAMS'),
	(6, 'josé', 'jose'), (7, '王小明', '王晓明'), (8, 'CA', 'ABC'), (9, 'a', 'a'), (10, 'a', 'b'), (11, 'ab', 'ba'), (12, 'abc', 'cab'),
	(13, 'абв', 'бав'), (14, '😀a', 'a😀'), (15, 'é', 'è'), (16, '', ''), (17, '', 'a'), (18, '', '中'), (19, 'Ann', 'ann'), (20, 'abc ', 'abc')) AS t (n, a, b) ORDER BY n;
-- Equal beginnings count above 0.7 only.
SELECT round(o2o.jaro(a, b)::numeric, 4) AS jaro, round(o2o.jaro_winkler(a, b)::numeric, 4) AS jaro_winkler
FROM (VALUES (1, 'abcdefghij', 'abzzzzzzzz'), (2, 'abcdefghij', 'abcdzzzzzz'), (3, 'abcdefghij', 'abcdefzzzz')) AS t (n, a, b) ORDER BY n;
-- Half a transposition is dropped: three letters in a ring are one.
SELECT round(o2o.jaro('abcxyz12', 'bcaxyz34')::numeric, 4) AS jaro;
-- One form is not the other: normalize first.
SELECT o2o.damerau_levenshtein(U&'\00E9', U&'e\0301') AS forms, o2o.damerau_levenshtein(U&'\00E9', normalize(U&'e\0301')) AS normalized;
SELECT o2o.jaro(NULL, 'a') IS NULL AND o2o.jaro_winkler('a', NULL) IS NULL AND o2o.damerau_levenshtein(NULL, NULL) IS NULL AND
	o2o.phone_agreement(NULL, '12345') IS NULL AND o2o.email_agreement('a@b', NULL) IS NULL AND o2o.date_agreement(NULL, '2000-01-01') IS NULL AND o2o.jaccard(NULL, '{a}') IS NULL AS nulls;

-- Up to 4096 characters of any width; from compressed storage, too.
SELECT o2o.damerau_levenshtein(repeat('中', 4096), repeat('a', 4096)) AS distance, o2o.jaro(repeat('中', 4096), repeat('中', 4095) || 'a') < 1 AS jaro;
CREATE TEMP TABLE long_name AS SELECT repeat('ab', 2048) AS name;
SELECT o2o.damerau_levenshtein(name, repeat('ba', 2048)) AS distance, o2o.jaro_winkler(name, name) AS self FROM long_name;
SELECT o2o.jaro(repeat('a', 4097), 'a');
SELECT o2o.jaro_winkler('中', repeat('a', 4097));
SELECT o2o.damerau_levenshtein('a', repeat('中', 5000));
-- Bytes that are no characters.
BEGIN;
CREATE CAST (bytea AS text) WITHOUT FUNCTION;
SELECT o2o.jaro('\x6162ff'::bytea::text, 'ab');
ROLLBACK;
BEGIN;
CREATE CAST (bytea AS text) WITHOUT FUNCTION;
SELECT o2o.damerau_levenshtein('ab', '\x61e4b8'::bytea::text);
ROLLBACK;
BEGIN;
CREATE CAST (bytea AS text) WITHOUT FUNCTION;
SELECT o2o.phone_agreement('\xff3133383030313338303030e4'::bytea::text, '13800138000') AS phone, o2o.email_agreement('\x616eff40622e63'::bytea::text, 'ane@b.c') AS email;
ROLLBACK;

-- The definitions, as plainly as can be.
CREATE FUNCTION pg_temp.jaro(a text, b text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
	free boolean[] := array_fill(true, ARRAY[length(b)]);
	reach integer := greatest(greatest(length(a), length(b)) / 2 - 1, 0);
	a_matched text := '';
	b_matched text := '';
	m double precision;
	moved integer := 0;
BEGIN
	IF a = b THEN
		RETURN 1;
	END IF;
	FOR i IN 1 .. length(a) LOOP
		FOR j IN greatest(1, i - reach) .. least(length(b), i + reach) LOOP
			IF free[j] AND substr(a, i, 1) = substr(b, j, 1) THEN
				free[j] := false;
				a_matched := a_matched || substr(a, i, 1);
				EXIT;
			END IF;
		END LOOP;
	END LOOP;
	FOR j IN 1 .. length(b) LOOP
		b_matched := b_matched || CASE WHEN free[j] THEN '' ELSE substr(b, j, 1) END;
	END LOOP;
	m := length(a_matched);
	IF m = 0 THEN
		RETURN 0;
	END IF;
	FOR k IN 1 .. length(a_matched) LOOP
		moved := moved + (substr(a_matched, k, 1) <> substr(b_matched, k, 1))::integer;
	END LOOP;
	RETURN (m / length(a) + m / length(b) + (m - moved / 2) / m) / 3;
END $$;
CREATE FUNCTION pg_temp.jaro_winkler(a text, b text) RETURNS double precision LANGUAGE sql AS $$
	SELECT CASE WHEN s > 0.7 THEN s + 0.1 * (SELECT count(*) FROM generate_series(1, 4) p WHERE p <= least(length(a), length(b)) AND left(a, p) = left(b, p)) * (1 - s) ELSE s END
	FROM pg_temp.jaro(a, b) AS s
$$;
-- The distance as the shortest path: d(i, j) by rows, with every swap that is possible.
CREATE FUNCTION pg_temp.distance(a text, b text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	n integer := length(b) + 1;
	d integer[] := '{}';
	best integer;
BEGIN
	FOR i IN 0 .. length(a) LOOP
		FOR j IN 0 .. length(b) LOOP
			best := CASE WHEN i = 0 THEN j WHEN j = 0 THEN i
				ELSE least(d[(i - 1) * n + j] + 1, d[i * n + j - 1] + 1, d[(i - 1) * n + j - 1] + (substr(a, i, 1) <> substr(b, j, 1))::integer) END;
			FOR k IN 1 .. i - 1 LOOP
				FOR l IN 1 .. j - 1 LOOP
					IF substr(a, k, 1) = substr(b, j, 1) AND substr(a, i, 1) = substr(b, l, 1) THEN
						best := least(best, d[(k - 1) * n + l - 1] + (i - k) + (j - l) - 1);
					END IF;
				END LOOP;
			END LOOP;
			d[i * n + j] := best;
		END LOOP;
	END LOOP;
	RETURN d[length(a) * n + length(b)];
END $$;
-- Short strings of few letters, of one, two, three and four bytes: much matches, much is moved.
CREATE TEMP TABLE word AS
SELECT n, coalesce((SELECT string_agg(substr('abcdéñ中😀', 1 + (hashint8extended(n * 64 + k, 2) & 1023)::integer % CASE WHEN n % 3 = 0 THEN 8 ELSE 4 END, 1), '' ORDER BY k)
	FROM generate_series(1, (hashint8extended(n, 1) & 1023)::integer % 9) AS k), '') AS a
FROM generate_series(1, 800) AS n;
CREATE TEMP TABLE word_pair AS
SELECT x.a, y.a AS b FROM word x JOIN word y ON y.n IN (x.n + 1, x.n + 3)
UNION ALL SELECT a, reverse(a) FROM word
UNION ALL SELECT a, overlay(a PLACING 'ca' FROM 1 + n % 3 FOR n % 2) FROM word WHERE length(a) > 4;
SELECT count(*) > 2000 AS enough, count(*) FILTER (WHERE o2o.jaro(a, b) > 0 AND a <> b) > 1000 AS matching,
	count(*) FILTER (WHERE abs(o2o.jaro(a, b) - pg_temp.jaro(a, b)) > 1e-14) AS jaro,
	count(*) FILTER (WHERE abs(o2o.jaro_winkler(a, b) - pg_temp.jaro_winkler(a, b)) > 1e-14) AS jaro_winkler,
	count(*) FILTER (WHERE o2o.damerau_levenshtein(a, b) <> pg_temp.distance(a, b)) AS distance
FROM word_pair;
-- Symmetry, range, identity; the triangle.
SELECT count(*) FILTER (WHERE o2o.jaro(a, b) <> o2o.jaro(b, a) OR o2o.jaro_winkler(a, b) <> o2o.jaro_winkler(b, a) OR o2o.damerau_levenshtein(a, b) <> o2o.damerau_levenshtein(b, a)) AS symmetry,
	count(*) FILTER (WHERE o2o.jaro(a, b) NOT BETWEEN 0 AND 1 OR o2o.jaro_winkler(a, b) NOT BETWEEN o2o.jaro(a, b) AND 1
		OR o2o.damerau_levenshtein(a, b) NOT BETWEEN abs(length(a) - length(b)) AND greatest(length(a), length(b))) AS range,
	count(*) FILTER (WHERE (a = b) <> (o2o.jaro(a, b) = 1) OR (a = b) <> (o2o.jaro_winkler(a, b) = 1) OR (a = b) <> (o2o.damerau_levenshtein(a, b) = 0)) AS identity
FROM word_pair;
SELECT count(*) AS triangle FROM word x JOIN word y ON y.n = x.n + 1 JOIN word z ON z.n = x.n + 2
WHERE o2o.damerau_levenshtein(x.a, z.a) > o2o.damerau_levenshtein(x.a, y.a) + o2o.damerau_levenshtein(y.a, z.a);

-- Dates.
SELECT a, b, o2o.date_agreement(a, b) AS level, o2o.date_agreement(b, a) AS turned
FROM (VALUES (1, date '1980-03-04', date '1980-03-04'), (2, '1980-03-04', '1980-04-03'), (3, '1980-03-04', '1980-03-05'), (4, '1980-03-04', '1890-03-04'), (5, '1980-03-04', '1981-03-05'),
	(6, '1980-03-04', '2980-03-04'), (7, '1980-12-31', '1981-01-31'), (8, '1980-12-31', '1981-02-01'), (9, '1979-12-31', '1980-12-31'), (10, '1979-12-30', '1981-01-01'), (11, '1999-12-15', '2000-12-15'), (12, '1999-12-15', '2000-12-16'),
	(13, '1980-03-04', 'infinity'), (14, 'infinity', 'infinity'), (15, '-infinity', 'infinity'), (16, '5874897-12-31', '4713-01-01 BC'), (17, '0044-03-15 BC', '0044-03-16 BC'), (18, '10001-01-01', '10001-01-02'), (19, '1980-11-12', '1980-12-11')) AS t (n, a, b) ORDER BY n;

-- Phone numbers.
SELECT a, b, o2o.phone_agreement(a, b) AS level, o2o.phone_agreement(b, a) AS turned
FROM (VALUES (1, '+86 138 0013 8000', '0086-138-0013-8000'), (2, '+8613800138000', '13800138000'), (3, '+44 (0)20 7946 0018', '020 7946 0018'), (4, '+44 (0)20 7946 0018', '+44 20 7946 0018'),
	(5, '010-6552 9988', '6552 9988'), (6, '13800138000', '13800183000'), (7, '13800138000', '1380013800'), (8, '+8613800138000', '13800138001'), (9, '13800138000', '13900139000'),
	(10, '６５５２９９８８', '65529988'), (11, '020 7946 0018 ext. 12', '020 7946 0018'), (12, 'Tel: 020 7946 0018', '02079460018#3'), (13, '+8613800138000', '+4413800138000'), (14, '95588', '95588'), (15, '95588', '01095588'),
	(16, 'n/a', '13800138000'), (17, '', ''), (18, '0000000000', '0000000000'), (19, '123456789012345678901', '123456789012345678901'), (20, '+1 212 555 0100', '1 212 555 0100')) AS t (n, a, b) ORDER BY n;

-- E-mail addresses.
SELECT left(a, 24) AS a, left(b, 24) AS b, o2o.email_agreement(a, b) AS level, o2o.email_agreement(b, a) AS turned
FROM (VALUES (1, 'ann@example.com', ' Ann@Example.COM '), (2, 'ann.lee+shop@example.com', 'annlee@example.com'), (3, 'ann.lee@example.com', 'annlee@example.org'), (4, 'annabel.lee@example.com', 'anabel.lee@example.com'),
	(5, 'annabel.lee@example.com', 'anabel.lee@example.org'), (6, 'ann@example.com', 'bob@example.com'), (7, '+a@example.com', '+b@example.com'), (8, '王小明@例子.中国', '王小明@例子.中国'), (9, '王小明明明明明明@x.cn', '王小明明明明明白@x.cn'),
	(10, '"a@b"@c.de', '"a@b"@c.de'), (11, 'ann', 'ann'), (12, '@example.com', 'ann@example.com'), (13, 'ann@', 'ann@'), (14, '', ''), (15, repeat('a', 319) || '@', 'a@b'), (16, repeat('a', 320) || '@b', 'a@b')) AS t (n, a, b) ORDER BY n;

-- Sets.
SELECT a, b, round(o2o.jaccard(a, b)::numeric, 4) AS jaccard, o2o.jaccard(a, b) = o2o.jaccard(b, a) AS symmetric
FROM (VALUES (1, '{a,b}'::text[], '{b,c}'::text[]), (2, '{a,b,b,a}', '{b,a}'), (3, '{}', '{}'), (4, '{}', '{a}'), (5, '{a,NULL}', '{NULL,a}'), (6, '{NULL}', '{}'), (7, '{"",a}', '{""}'), (8, '{{a,b},{c,d}}', '{d,c,b,a}'), (9, '[5:6]={中,文}', '{文}'), (10, '{a}', '{A}')) AS t (n, a, b) ORDER BY n;
SELECT count(*) AS differing FROM (SELECT regexp_split_to_array(a, '') AS a, regexp_split_to_array(b, '') AS b FROM word_pair) AS t
WHERE o2o.jaccard(a, b) <> (SELECT count(*) FROM (SELECT unnest(a) INTERSECT SELECT unnest(b)) i)::double precision / (SELECT count(*) FROM (SELECT unnest(a) UNION SELECT unnest(b)) u);
SELECT round(o2o.jaccard(array_agg(i::text), array_agg((i + 50000)::text))::numeric, 4) AS third FROM generate_series(1, 100000) AS i;

-- Other encodings: characters of two and three bytes, of one, and bytes. The functions alone, without the extension.
CREATE DATABASE identity_compare_euc ENCODING 'EUC_JP' LOCALE 'C' TEMPLATE template0;
CREATE DATABASE identity_compare_latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0;
CREATE DATABASE identity_compare_ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0;
\c identity_compare_euc
SET client_encoding = 'UTF8';
CREATE FUNCTION pg_temp.jaro(text, text) RETURNS double precision LANGUAGE c STRICT AS '$libdir/o2o', 'o2o_jaro';
CREATE FUNCTION pg_temp.jaro_winkler(text, text) RETURNS double precision LANGUAGE c STRICT AS '$libdir/o2o', 'o2o_jaro_winkler';
CREATE FUNCTION pg_temp.damerau_levenshtein(text, text) RETURNS integer LANGUAGE c STRICT AS '$libdir/o2o', 'o2o_damerau_levenshtein';
SELECT pg_temp.damerau_levenshtein('田中太郎', '田太中郎') AS distance, round(pg_temp.jaro('田中太郎', '田中次郎')::numeric, 4) AS jaro, pg_temp.jaro_winkler('田', '中') AS nothing;
BEGIN;
CREATE CAST (bytea AS text) WITHOUT FUNCTION;
SELECT pg_temp.jaro('\xa4'::bytea::text, 'a');
ROLLBACK;
\c identity_compare_latin
SET client_encoding = 'UTF8';
CREATE FUNCTION pg_temp.jaro_winkler(text, text) RETURNS double precision LANGUAGE c STRICT AS '$libdir/o2o', 'o2o_jaro_winkler';
CREATE FUNCTION pg_temp.damerau_levenshtein(text, text) RETURNS integer LANGUAGE c STRICT AS '$libdir/o2o', 'o2o_damerau_levenshtein';
SELECT round(pg_temp.jaro_winkler('josé', 'jose')::numeric, 4) AS jaro_winkler, pg_temp.damerau_levenshtein('ée', 'eé') AS distance;
\c identity_compare_ascii
CREATE FUNCTION pg_temp.damerau_levenshtein(text, text) RETURNS integer LANGUAGE c STRICT AS '$libdir/o2o', 'o2o_damerau_levenshtein';
SELECT pg_temp.damerau_levenshtein('é', 'e') AS bytes;
\c contrib_regression
DROP DATABASE identity_compare_euc;
DROP DATABASE identity_compare_latin;
DROP DATABASE identity_compare_ascii;
