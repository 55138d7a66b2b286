-- Probabilistic matching: models small enough to be worked out by hand, EM on a mixture that is
-- known, and the traps that other systems fell into.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
SET datestyle = ISO;
SET extra_float_digits = 0;

-- A model by hand: weights log2(0.9 / 0.1) = 3.17, log2(0.2 / 0.8) = -2, and so on; prior 1 / 9 is -3.
CREATE TEMP TABLE model (name text, model jsonb);
INSERT INTO model VALUES ('hand', '{"prior": 0.1111111111111111, "link": 0.9, "review": 0.5,
	"comparisons": [
		{"name": "name", "term_frequency": "name", "terms": {"smith": 0.05, "quill": 0.001}, "term_floor": 0.0005, "levels": [
			{"label": "equal", "when": [[{"column": "name", "by": "equal"}]], "m": 0.8, "u": 0.01},
			{"label": "alike", "when": [[{"column": "name", "by": "jaro_winkler", "at": 0.9}]], "m": 0.16, "u": 0.01},
			{"label": "different", "m": 0.04, "u": 0.98}]},
		{"name": "city", "null": "no evidence", "levels": [
			{"label": "equal", "when": [[{"column": "city", "by": "equal"}]], "m": 0.8, "u": 0.1},
			{"label": "different", "m": 0.2, "u": 0.9}]},
		{"name": "gender", "null": "disagree", "levels": [
			{"label": "equal", "when": [[{"column": "gender", "by": "equal"}]], "m": 0.75, "u": 0.5},
			{"label": "different", "m": 0.25, "u": 0.5}]}],
	"blocking": [{"label": "name", "keys": [{"column": "name", "by": "sound"}]}, {"label": "city", "keys": [{"column": "city", "by": "value"}], "cap": 4}]}');

CREATE FUNCTION pg_temp.waterfall(a jsonb, b jsonb) RETURNS TABLE (step integer, comparison text, level integer, label text, weight numeric, term_weight numeric, total numeric, probability numeric)
LANGUAGE sql AS $$
	SELECT s.step, s.comparison, s.level, s.label, round(s.weight::numeric, 4), round(s.term_weight::numeric, 4), round(s.total::numeric, 4), round(s.probability::numeric, 4)
	FROM model m, o2o.match_score(a, b, m.model) s WHERE m.name = 'hand' ORDER BY s.step
$$;
-- log2(80) = 6.3219; the term takes log2(0.01 / 0.05) = -2.3219 off: 4 is left, of -3 + 4 + 3 + 0.585.
SELECT * FROM pg_temp.waterfall('{"name": "Smith", "city": "Rome", "gender": "f"}', '{"name": " SMITH ", "city": "rome", "gender": "F"}');
-- A rare name gives log2(0.01 / 0.001) = 3.3219 more, one that the model does not know log2(0.01 / 0.0005) = 4.3219.
SELECT n.value, round(s.term_weight::numeric, 4) AS term_weight
FROM model m, (VALUES ('Smith'), ('Quill'), ('Xanthopoulos')) n (value), o2o.match_score(jsonb_build_object('name', n.value), jsonb_build_object('name', n.value), m.model) s WHERE s.step = 1;
-- Alike: no term frequency. Different cities; the gender of one side is not known, and that disagrees.
SELECT * FROM pg_temp.waterfall('{"name": "smith", "city": "rome", "gender": "f"}', '{"name": "smithe", "city": "oslo"}');
-- Trap (GoldenMatch #1861): nothing known is no level, and never the largest weight; levels count from 0, null is -1.
SELECT * FROM pg_temp.waterfall('{"name": null, "city": "", "gender": "f"}', '{"name": "smith", "city": "rome", "gender": "f"}');

CREATE TEMP TABLE person (id bigint, name text, city text, gender text, source text);
INSERT INTO person VALUES (1, 'Smith', 'Rome', 'f', 'a'), (2, 'smith', 'rome', 'f', 'b'), (3, 'Smithe', 'Rome', 'f', 'a'), (4, 'Quill', 'Oslo', 'm', 'a'),
	(5, 'quill', NULL, 'm', 'b'), (6, 'Quill', 'Oslo', NULL, 'c'), (7, NULL, 'Rome', NULL, 'c'), (8, 'Brown', 'Paris', 'm', 'a');
SELECT c.* FROM model m, o2o.match_candidates('SELECT * FROM person', m.model) c ORDER BY a, b;
SELECT b.* FROM model m, o2o.match_blocking('SELECT * FROM person', m.model) b ORDER BY rule;
SELECT s.a, s.b, s.rule, round(s.weight::numeric, 4) AS weight, round(s.probability::numeric, 4) AS probability, s.decision, s.levels, ARRAY(SELECT round(w::numeric, 4) FROM unnest(s.weights) w) AS weights
FROM model m, o2o.match_score('SELECT * FROM person', m.model, 0) s ORDER BY s.a, s.b;
SELECT count(*) FILTER (WHERE decision = 'link') AS link, count(*) FILTER (WHERE decision = 'review') AS review, count(*) FILTER (WHERE decision = 'none') AS none
FROM model m, o2o.match_score('SELECT * FROM person', m.model) s;
-- The sum of a pair is the sum of its waterfall, to the bit.
SELECT bool_and(s.weight = w.total) AS same
FROM model m, o2o.match_score('SELECT * FROM person', m.model, 0) s
	JOIN person x ON x.id = s.a JOIN person y ON y.id = s.b, LATERAL (
		SELECT f.total FROM o2o.match_score(to_jsonb(x), to_jsonb(y), m.model) f ORDER BY f.step DESC LIMIT 1) w;
-- One record in real time: the same candidates by keys, the same numbers.
ALTER TABLE person ADD keys bigint[];
UPDATE person p SET keys = o2o.match_keys(to_jsonb(p) - 'keys', m.model) FROM model m;
SELECT f.id, round(f.weight::numeric, 4) AS weight, f.decision, f.levels
FROM model m, o2o.match_find('{"name": "SMITH", "city": "Rome", "gender": "f"}', 'SELECT * FROM person WHERE keys && $1 LIMIT 1000', m.model, 0) f ORDER BY f.id;
SELECT bool_and(f.weight = s.weight) AND count(*) = (SELECT count(*) FROM model m, o2o.match_score('SELECT * FROM person', m.model, 0)) AS same
FROM model m, person p, o2o.match_find(to_jsonb(p) - 'keys', format('SELECT * FROM person WHERE keys && $1 AND id > %s', p.id), m.model, 0) f
	JOIN model n ON true, o2o.match_score('SELECT * FROM person', n.model, 0) s WHERE s.a = p.id AND s.b = f.id;

-- Clusters. 1 to 3 agree in a and b, so do 5 to 7; 3 and 5 agree in c and d: one good link between groups, a bridge.
CREATE TEMP TABLE spot (id bigint, a text, b text, c text, d text, source text);
INSERT INTO spot VALUES (1, 'x', 'k', 'q', 'w1', 's1'), (2, 'x', 'k', 'q', 'w2', 's2'), (3, 'x', 'k', 'r', 'w', 's3'), (5, 'y', 'm', 'r', 'w', 's1'), (6, 'y', 'm', 't', 'w6', 's2'), (7, 'y', 'm', 't', 'w7', 's2');
INSERT INTO model
SELECT 'spot', jsonb_build_object('prior', 0.2, 'link', 0.5, 'comparisons', jsonb_agg(jsonb_build_object('name', f, 'levels', jsonb_build_array(
		jsonb_build_object('label', 'equal', 'when', jsonb_build_array(jsonb_build_array(jsonb_build_object('column', f, 'by', 'equal'))), 'm', 0.9, 'u', 0.02),
		jsonb_build_object('label', 'different', 'm', 0.1, 'u', 0.98))) ORDER BY f),
	'blocking', jsonb_agg(jsonb_build_object('label', f, 'keys', jsonb_build_array(jsonb_build_object('column', f, 'by', 'value'))) ORDER BY f))
FROM unnest('{a,b,c,d}'::text[]) f;
SELECT s.a, s.b, round(s.weight::numeric, 2) AS weight FROM model m, o2o.match_score('SELECT * FROM spot', m.model) s WHERE m.name = 'spot' ORDER BY 1, 2;
-- The closure of these links is one cluster, the checked one two.
SELECT count(DISTINCT c.component) AS closure FROM (SELECT array_agg(s.a) AS a, array_agg(s.b) AS b FROM model m, o2o.match_score('SELECT * FROM spot', m.model) s WHERE m.name = 'spot') l, o2o.connected_components(l.a, l.b) c;
SELECT c.* FROM model m, o2o.match_clusters('SELECT * FROM spot', m.model) c WHERE m.name = 'spot' ORDER BY id;
SELECT array_agg(c.cluster ORDER BY c.id) AS one_per_source FROM model m, o2o.match_clusters('SELECT * FROM spot', m.model || '{"one_per": "source"}') c WHERE m.name = 'spot';
SELECT array_agg(c.cluster ORDER BY c.id) AS apart FROM model m, o2o.match_clusters('SELECT * FROM spot', m.model, '{2}', '{1}') c WHERE m.name = 'spot';
SELECT array_agg(c.cluster ORDER BY c.id) AS cap FROM model m, o2o.match_clusters('SELECT * FROM spot', m.model || '{"cluster_cap": 2}') c WHERE m.name = 'spot';

-- EM on a mixture that is known: 2,000 people with two records each; fields agree by a hash with 0.9, 0.8, 0.7,
-- and by chance with 1/20, 1/10, 1/5 (the values are even). Every record has a key of its own household of people.
CREATE FUNCTION pg_temp.roll(a bigint, b bigint) RETURNS double precision LANGUAGE sql IMMUTABLE
RETURN (hashint8extended(a * 1000 + b, 42) & 1048575) / 1048576.0;
CREATE TEMP TABLE mixture AS
SELECT 2 * p + r AS id, p / 20 AS block, (p * 7919 % 2000) / 20 AS other_block,
	CASE WHEN r = 1 AND pg_temp.roll(p, 1) > 0.9 THEN floor(20 * pg_temp.roll(p, 11)) ELSE floor(20 * pg_temp.roll(p, 21)) END AS f1,
	CASE WHEN r = 1 AND pg_temp.roll(p, 2) > 0.8 THEN floor(10 * pg_temp.roll(p, 12)) ELSE floor(10 * pg_temp.roll(p, 22)) END AS f2,
	CASE WHEN r = 1 AND pg_temp.roll(p, 3) > 0.7 THEN floor(5 * pg_temp.roll(p, 13)) ELSE floor(5 * pg_temp.roll(p, 23)) END AS f3,
	CASE WHEN r = 1 AND pg_temp.roll(p, 4) > 0.8 THEN floor(50 * pg_temp.roll(p, 14)) ELSE floor(50 * pg_temp.roll(p, 24)) END AS f4
FROM generate_series(0, 1999) p, generate_series(0, 1) r;
INSERT INTO model
SELECT 'mixture', jsonb_build_object('comparisons', jsonb_agg(jsonb_build_object('name', f, 'levels', jsonb_build_array(
		jsonb_build_object('label', 'equal', 'when', jsonb_build_array(jsonb_build_array(jsonb_build_object('column', f, 'by', 'equal')))), '{"label": "different"}'::jsonb)) ORDER BY f),
	'blocking', '[{"label": "block", "keys": [{"column": "block", "by": "value"}]}, {"label": "other", "keys": [{"column": "other_block", "by": "value"}]}]'::jsonb, 'sample_pairs', 100000)
FROM unnest('{f1,f2,f3,f4,block,other_block}'::text[]) f;
CREATE TEMP TABLE trained AS SELECT o2o.match_train('SELECT * FROM mixture', model) AS model FROM model WHERE name = 'mixture';
CREATE TEMP VIEW truth AS
SELECT f.name, count(*) FILTER (WHERE f.x = f.y)::numeric / count(*) AS m FROM mixture x JOIN mixture y ON y.id = x.id + 1 AND x.id % 2 = 0,
	LATERAL (VALUES ('f1', x.f1, y.f1), ('f2', x.f2, y.f2), ('f3', x.f3, y.f3), ('f4', x.f4, y.f4)) f (name, x, y) GROUP BY f.name;
SELECT t.name, abs((c.spec #>> '{levels,0,m}')::numeric - t.m) < 0.03 AS m, abs((c.spec #>> '{levels,0,u}')::numeric / u.u - 1) < 0.05 AS u
FROM trained r, jsonb_array_elements(r.model -> 'comparisons') c (spec) JOIN truth t ON t.name = c.spec ->> 'name'
	JOIN (VALUES ('f1', 0.05), ('f2', 0.1), ('f3', 0.2), ('f4', 0.02)) u (name, u) USING (name) ORDER BY t.name;
-- 2,000 of 4,000 * 3,999 / 2 pairs are matches.
SELECT round((model ->> 'prior')::numeric * 4000 * 3999 / 2, -2) AS matches FROM trained;
-- A field that blocks is left out where it blocks: with f1 as the only rule, m of f1 is what it starts from, the others are learned.
SELECT c.spec ->> 'name' AS name, round((c.spec #>> '{levels,0,m}')::numeric, 1) AS m
FROM model s, jsonb_array_elements(o2o.match_train('SELECT * FROM mixture', s.model || '{"blocking": [{"label": "f1", "keys": [{"column": "f1", "by": "value"}, {"column": "block", "by": "value"}]}]}') -> 'comparisons') c (spec)
WHERE s.name = 'mixture' AND c.spec ->> 'name' LIKE 'f_' ORDER BY 1;
-- Trap (GoldenMatch #829): the order of the records changes nothing, not one bit; neither does another run.
SELECT o2o.match_train('SELECT * FROM mixture ORDER BY id DESC', model) = (SELECT model FROM trained) AS descending,
	o2o.match_train('SELECT * FROM mixture ORDER BY hashint8(id)', model) = (SELECT model FROM trained) AS scattered,
	o2o.match_train('SELECT * FROM mixture', model || '{"seed": 1}') - 'seed' <> (SELECT model FROM trained) AS another_seed
FROM model WHERE name = 'mixture';
SELECT (SELECT array_agg(s ORDER BY s.a, s.b) FROM o2o.match_score('SELECT * FROM mixture ORDER BY id DESC', model) s) =
	(SELECT array_agg(s ORDER BY s.a, s.b) FROM o2o.match_score('SELECT * FROM mixture', model) s) AS scores,
	(SELECT array_agg(c ORDER BY c.id) FROM o2o.match_clusters('SELECT * FROM mixture ORDER BY id DESC', model) c) =
	(SELECT array_agg(c ORDER BY c.id) FROM o2o.match_clusters('SELECT * FROM mixture', model) c) AS clusters
FROM trained;
-- With labels m and u are what the labels say: 150 matches, of which 120 agree; 200 others, of which 10 agree by name.
CREATE TEMP TABLE labelled AS
SELECT n AS id, CASE WHEN n <= 350 THEN 'a' || n WHEN n <= 470 THEN 'a' || n - 350 WHEN n <= 500 THEN 'b' || n WHEN n <= 510 THEN 'a' || n - 350 ELSE 'c' || n END AS name
FROM generate_series(1, 700) n;
SELECT l.spec ->> 'label' AS label, round((l.spec ->> 'm')::numeric, 2) AS m, round((l.spec ->> 'u')::numeric, 2) AS u
FROM (SELECT o2o.match_train('SELECT * FROM labelled', '{"comparisons": [{"name": "name", "levels": [{"label": "equal", "when": [[{"column": "name", "by": "equal"}]]}, {"label": "different"}]}],
	"blocking": [{"label": "name", "keys": [{"column": "name", "by": "value"}]}]}', ARRAY(SELECT generate_series(1, 350)::bigint), ARRAY(SELECT generate_series(351, 700)::bigint), ARRAY(SELECT n <= 150 FROM generate_series(1, 350) n)) AS model) t,
	jsonb_array_elements(t.model #> '{comparisons,0,levels}') l (spec);
-- Levels are monotone: a better one never says less, though here the second is what matches have.
CREATE TEMP TABLE upside AS SELECT p * 2 + r AS id, p AS key, CASE WHEN r = 0 OR p % 10 = 0 THEN 'name' || p % 40 ELSE 'name' || p % 40 || 'x' END AS name, p % 97 AS f, p % 89 AS g FROM generate_series(1, 600) p, generate_series(0, 1) r;
SELECT bool_and(weight >= next) AS monotone, count(*) AS levels
FROM (SELECT ln(m / u) AS weight, coalesce(lead(ln(m / u)) OVER (PARTITION BY c ORDER BY l) - 1e-9, -1e9) AS next
	FROM (SELECT c.n AS c, l.n AS l, (l.spec ->> 'm')::double precision AS m, (l.spec ->> 'u')::double precision AS u
		FROM (SELECT o2o.match_train('SELECT * FROM upside', o2o.match_model_default('{"name": "full_name", "f": "postcode", "g": "house_number"}')) AS model) t,
			jsonb_array_elements(t.model -> 'comparisons') WITH ORDINALITY c (spec, n), jsonb_array_elements(c.spec -> 'levels') WITH ORDINALITY l (spec, n)) e) w;

-- Defaults by meaning: fields that say the same are one comparison; what no column means falls away.
SELECT c.spec ->> 'name' AS comparison, c.spec ->> 'term_frequency' AS term, jsonb_agg(l.spec ->> 'label' ORDER BY l.n) AS levels
FROM jsonb_array_elements(o2o.match_model_default('{"zip": "postcode", "town": "city", "state": "region", "first": "forename", "last": "surname", "sex": "gender"}') -> 'comparisons') c (spec),
	jsonb_array_elements(c.spec -> 'levels') WITH ORDINALITY l (spec, n) GROUP BY 1, 2 ORDER BY 1;
SELECT count(*) AS levels_that_do_not_read FROM o2o.match_default_level() l, regexp_split_to_table(l.clauses, ' [|&] ') t (test) WHERE t.test !~ '^\w+ [a-z_]+( [\d.]+)?( of \w+)?$';
-- Every meaning alone, or all together, is a model that can be read, as far as it blocks.
SELECT o2o.match_keys('{}', o2o.match_model_default(jsonb_object_agg('c_' || w.meaning, w.meaning))) AS all_meanings
FROM (SELECT DISTINCT split_part(t.test, ' ', 1) AS meaning FROM o2o.match_default_level() l, regexp_split_to_table(l.clauses, ' [|&] ') t (test)) w;
SELECT o2o.match_model_default('{"shoe": "size"}');
SELECT o2o.match_model_default('{"a": "surname", "b": "surname"}');
SELECT o2o.match_model_default('{"a": "gender"}');

-- What the measures say, through a model of one test each.
CREATE FUNCTION pg_temp.agrees(by text, at numeric, a text, b text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(s.label, 'nothing') FROM o2o.match_score(jsonb_build_object('v', a), jsonb_build_object('v', b), jsonb_build_object('prior', 0.5,
		'comparisons', jsonb_build_array(jsonb_build_object('name', 'v', 'levels', jsonb_build_array(jsonb_build_object('label', 'yes', 'when', jsonb_build_array(jsonb_build_array(
			jsonb_build_object('column', 'v', 'by', by, 'at', at))), 'm', 0.9, 'u', 0.1), '{"label": "no", "m": 0.1, "u": 0.9}'::jsonb))),
		'blocking', '[{"label": "v", "keys": [{"column": "v", "by": "value"}]}]'::jsonb)) s WHERE s.step = 1
$$;
SELECT t.*, pg_temp.agrees(by, at, a, b) AS ab, pg_temp.agrees(by, at, b, a) AS ba FROM (VALUES
	('equal', 1, 'Ａnn  Lee', 'ann lee'), ('jaro_winkler', 0.96, 'MARTHA', 'MARHTA'), ('jaro_winkler', 0.97, 'MARTHA', 'MARHTA'),
	('damerau_levenshtein', 1, 'CA', 'AC'), ('damerau_levenshtein', 0, 'CA', 'AC'),
	('date', 4, '1980-02-03', '19800203'), ('date', 4, '1980-02-03', '3.2.1980'), ('date', 3, '1980-02-03', '1980-03-02'), ('date', 3, '1777-09-09', '1777-89-09'), ('date', 1, '1980-02-03', 'unknown'),
	('date', 2, '1980-02-03', '1980-01-20'), ('year', 0, '1980-02-03', '1980-12-31'), ('year', 1, '1980-02-03', '1982-02-03'), ('date_parts', 2, '1959-04-07', '2008-04-07'), ('date_parts', 2, '1959-04-07', '2008-05-07'),
	('phone', 3, '+44 20 7946 0958', '+442079460958'), ('phone', 2, '020 7946 0958', '+442079460958'), ('phone', 1, '123', '123456'), ('email', 4, 'Ann@x.org', 'ann@X.org'), ('email', 3, 'a.nn+t@x.org', 'ann@x.org'), ('email', 4, 'ann', 'ann@x.org'),
	('words', 1, 'of bristol, city', 'Bristol (city of)'), ('words', 1, 'bristol', 'bristol, city of'), ('words_inside', 1, 'bristol', 'bristol, city of'), ('words_inside', 1, '--', 'bristol'),
	('beginning', 1, 'Rob', 'Robert'), ('beginning', 1, 'w.', 'William'), ('beginning', 1, 'Bob', 'Robert'), ('number', 5, '100', '105'), ('number', 4, '100', '105'), ('number', 4, 'x', '105'),
	('place', 1000, '121.4737,31.2304', '121.4790,31.2340'), ('place', 500, '121.4737,31.2304', '121.4790,31.2340'), ('place', 500, '121.4737 31.2304', '121.4790,31.2340')) t (by, at, a, b);

-- Chinese names: surnames are read as surnames, also those of two characters; given names by character.
SELECT name, o2o.pinyin(name) FROM (VALUES (1, '单田芳'), (2, '曾国藩'), (3, '仇英'), (4, '尉迟恭'), (5, '欧阳修'), (6, '张伟'), (7, '简单'), (8, '重庆'), (9, '万俟卨'), (10, '曾经有人'), (11, 'José 王'), (12, 'Zhang Wei'), (13, ''), (14, '曾')) t (n, name) ORDER BY n;
SELECT t.*, pg_temp.agrees(by, at, a, b) AS ab, pg_temp.agrees(by, at, b, a) AS ba FROM (VALUES
	('pinyin', 1, '张伟', '张玮'), ('pinyin', 1, '张伟', 'Zhang Wei'), ('pinyin', 1, '曾国藩', 'zengguofan'), ('pinyin', 1, '张伟', '李伟'), ('given_name', 1, '欧阳修文', '王修文'), ('given_name', 0.5, '王小明', '王晓明'), ('given_name', 0.3, '王小明', '王晓明'),
	('given_name', 1, '张伟', 'Zhang Wei'), ('jaro_winkler', 0.9, '张伟', '张玮')) t (by, at, a, b);
SELECT o2o.match_keys('{"n": "曾国藩"}', m) && o2o.match_keys('{"n": "Zeng Guofan"}', m) AS pinyin_blocks
FROM (SELECT '{"comparisons": [{"name": "n", "levels": [{"label": "e", "when": [[{"column": "n", "by": "equal"}]]}, {"label": "d"}]}], "blocking": [{"label": "n", "keys": [{"column": "n", "by": "pinyin"}]}]}'::jsonb AS m) x;

-- Errors.
\set VERBOSITY default
SELECT o2o.match_score('SELECT * FROM person', model) FROM model WHERE name = 'mixture';
SELECT o2o.match_candidates('SELECT 1 AS nr', model) FROM model WHERE name = 'hand';
SELECT o2o.match_candidates('SELECT 1 AS id', model) FROM model WHERE name = 'hand';
SELECT o2o.match_candidates('SELECT * FROM person UNION ALL SELECT * FROM person', model) FROM model WHERE name = 'hand';
SELECT o2o.match_candidates('SELECT NULL::bigint AS id, NULL AS name, NULL AS city, NULL AS gender', model) FROM model WHERE name = 'hand';
SELECT o2o.match_candidates('DELETE FROM person', model) FROM model WHERE name = 'hand';
SELECT o2o.match_candidates('DELETE FROM person RETURNING *', model) FROM model WHERE name = 'hand';
SELECT o2o.match_train('SELECT id, f1 AS name, f2 AS city, f3 AS gender FROM mixture', model, '{1}', '{2}', '{}') FROM model WHERE name = 'hand';
SELECT o2o.match_train('SELECT id, f1 AS name, f2 AS city, f3 AS gender FROM mixture', model, '{-1}', '{2}', '{t}') FROM model WHERE name = 'hand';
SELECT o2o.match_clusters('SELECT * FROM person', model, '{1}', '{}') FROM model WHERE name = 'hand';
SELECT o2o.match_find('[]', 'SELECT * FROM person', model) FROM model WHERE name = 'hand';
SELECT o2o.match_score('{"name": []}', '{}', model) FROM model WHERE name = 'hand';
SELECT o2o.match_score('SELECT * FROM person', model, 2) FROM model WHERE name = 'hand';
CREATE FUNCTION pg_temp.detail(model jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	RETURN o2o.match_keys('{}', model);
EXCEPTION WHEN invalid_parameter_value THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN detail;
END $$;
SELECT p.patch, pg_temp.detail(m.model || p.patch::jsonb) FROM model m, (VALUES (1, '{"comparisons": 1}'), (2, '{"comparisons": []}'), (3, '{"blocking": [{"label": "x", "keys": [{"column": "x", "by": "smell"}]}]}'),
	(4, '{"blocking": [{"label": "x", "keys": ["x"]}]}'), (5, '{"link": 2}'), (6, '{"review": 0.95}'), (7, '{"link": "x"}'), (8, '{"comparisons": [{"levels": []}]}'), (9, '{"comparisons": [{"name": "x", "levels": [{"label": "d"}]}]}'),
	(10, '{"comparisons": [{"name": "x", "levels": [{"label": "e"}, {"label": "d"}]}]}'), (11, '{"comparisons": [{"name": "x", "levels": [{"label": "e", "when": [[]]}, {"label": "d"}]}]}'),
	(12, '{"comparisons": [{"name": "x", "null": "maybe", "levels": [{"label": "e", "when": [[{"column": "x", "by": "equal"}]]}, {"label": "d"}]}]}')) p (n, patch)
WHERE m.name = 'hand' ORDER BY p.n;
SELECT pg_temp.detail('null'), pg_temp.detail('[1]'), pg_temp.detail('{}');
-- Memory is bounded.
SET maintenance_work_mem = '1MB';
SELECT o2o.match_candidates('SELECT n AS id, n AS name, n AS city, n AS gender FROM generate_series(1, 100000) n', model) FROM model WHERE name = 'hand';
RESET maintenance_work_mem;
