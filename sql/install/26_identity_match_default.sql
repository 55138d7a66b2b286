-- Identity: what a column means says how it is compared and what it blocks with.

-- A test is '<meaning> <measure> [<bound>] [of <meaning>]'; '&' joins tests of a clause, '|' clauses of a level.
CREATE FUNCTION o2o.match_default_level() RETURNS TABLE (comparison text, level integer, label text, clauses text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 60 SET search_path = pg_catalog, pg_temp AS $$
	VALUES
		('forename', 1, 'equal', 'forename equal'),
		('forename', 2, 'exchanged with the surname', 'forename equal of surname'),
		('forename', 3, 'alike', 'forename jaro_winkler 0.92'),
		('forename', 4, 'similar, or the beginning', 'forename jaro_winkler 0.8 | forename beginning'),
		('surname', 1, 'equal', 'surname equal'),
		('surname', 2, 'exchanged with the forename', 'surname equal of forename'),
		('surname', 3, 'alike', 'surname jaro_winkler 0.92'),
		('surname', 4, 'similar, or the beginning', 'surname jaro_winkler 0.8 | surname beginning'),
		('full_name', 1, 'equal', 'full_name equal'),
		('full_name', 2, 'same words, or same in pinyin', 'full_name words | full_name pinyin'),
		('full_name', 3, 'alike', 'full_name jaro_winkler 0.92 | full_name pinyin 0.92 & full_name given_name 0.5'),
		('full_name', 4, 'all words of the one in the other', 'full_name words_inside'),
		('full_name', 5, 'similar, or half the words', 'full_name jaro_winkler 0.8 | full_name words 0.5'),
		('birth_date', 1, 'equal', 'birth_date equal'),
		('birth_date', 2, 'one slip', 'birth_date date 3'),
		('birth_date', 3, 'two of year, month and day', 'birth_date date_parts 2'),
		('birth_date', 4, 'same year, or within a month', 'birth_date year 0 | birth_date date 2'),
		('email', 1, 'equal', 'email equal'),
		('email', 2, 'same but for dots and tag, or same local part', 'email email 2'),
		('email', 3, 'local parts alike', 'email email 1'),
		('phone', 1, 'equal', 'phone phone 3'),
		('phone', 2, 'same but for country or area', 'phone phone 2'),
		('phone', 3, 'one slip', 'phone phone 1'),
		('national_id', 1, 'equal', 'national_id equal'),
		('national_id', 2, 'one slip', 'national_id damerau_levenshtein 1'),
		('national_id', 3, 'two slips', 'national_id damerau_levenshtein 2'),
		('area', 1, 'postcode equal', 'postcode equal'),
		('area', 2, 'postcode one slip', 'postcode damerau_levenshtein 1'),
		('area', 3, 'city equal', 'city equal'),
		('area', 4, 'city alike, or part of the other', 'city jaro_winkler 0.88 | city words_inside'),
		('area', 5, 'region equal', 'region equal'),
		('street', 1, 'equal', 'street equal'),
		('street', 2, 'alike', 'street jaro_winkler 0.92'),
		('street', 3, 'similar, or half the words', 'street jaro_winkler 0.8 | street words 0.5'),
		('house_number', 1, 'equal', 'house_number equal'),
		('house_number', 2, 'one slip', 'house_number damerau_levenshtein 1'),
		('place', 1, 'within 50 m', 'place place 50'),
		('place', 2, 'within 500 m', 'place place 500'),
		('place', 3, 'within 5 km', 'place place 5000'),
		('gender', 1, 'equal', 'gender equal'),
		('occupation', 1, 'equal', 'occupation equal'),
		('occupation', 2, 'alike', 'occupation jaro_winkler 0.88 | occupation words_inside')
$$;

CREATE FUNCTION o2o.match_default_rule() RETURNS TABLE (ordinal integer, label text, keys text, cap integer)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
	VALUES
		(1, 'national id', 'national_id value', 1000),
		(2, 'e-mail', 'email value', 1000),
		(3, 'phone', 'phone phone', 1000),
		(4, 'birth date', 'birth_date value', 1000),
		(5, 'e-mail, local part', 'email email_local', 1000),
		(6, 'names by sound', 'forename sound & surname sound', 1000),
		(7, 'surname and postcode', 'surname sound & postcode value', 1000),
		(8, 'forename and postcode', 'forename sound & postcode value', 1000),
		(9, 'surname and birth year', 'surname sound & birth_date year', 1000),
		(10, 'forename and birth year', 'forename sound & birth_date year', 1000),
		(11, 'surname and birthday', 'surname prefix 3 & birth_date day', 1000),
		(12, 'surname and city', 'surname sound & city value', 1000),
		(13, 'street', 'street value', 1000),
		(14, 'rare postcode', 'postcode value', 50),
		(15, 'rare surname', 'surname value', 50),
		(16, 'rare forename', 'forename value', 50),
		(17, 'city and birth year', 'city value & birth_date year', 50),
		(18, 'full name in pinyin', 'full_name pinyin', 1000),
		(19, 'rare word of a full name', 'full_name words', 50),
		(20, 'full name and birth year', 'full_name sound & birth_date year', 1000),
		(21, 'full name and city', 'full_name prefix 4 & city value', 1000),
		(22, 'full name and postcode', 'full_name words & postcode value', 1000)
$$;

CREATE FUNCTION o2o.match_model_default(columns jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 SET search_path = pg_catalog, pg_temp
-- Rows by the dozen, which the planner takes for millions: compiling would take seconds.
SET jit = off AS $$
#variable_conflict use_column
DECLARE
	known text[] := ARRAY(
		SELECT DISTINCT w.word[1] FROM o2o.match_default_level() l, regexp_matches(l.clauses, '(?:^|[&|] )(\w+)', 'g') w (word)
		UNION SELECT 'source' ORDER BY 1);
	problem text;
	model jsonb;
BEGIN
	SELECT CASE WHEN NOT m.value = ANY (known) THEN format('%L is no meaning of a column', m.value) ELSE format('two columns mean %L', m.value) END INTO problem
	FROM jsonb_each_text(columns) m
	WHERE NOT m.value = ANY (known) OR EXISTS (SELECT FROM jsonb_each_text(columns) o WHERE o.value = m.value AND o.key <> m.key)
	ORDER BY m.key LIMIT 1;
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = problem, HINT = format('The meanings are %s, each of one column.', array_to_string(known, ', '));
	END IF;
	WITH meaning AS (SELECT m.value AS meaning, m.key AS "column" FROM jsonb_each_text(columns) m),
	test AS (
		SELECT l.comparison, l.level, l.label, c.n AS clause, t.n, p.parts, m."column", o."column" AS other
		FROM o2o.match_default_level() l,
			regexp_split_to_table(l.clauses, ' \| ') WITH ORDINALITY c (tests, n),
			regexp_split_to_table(c.tests, ' & ') WITH ORDINALITY t (test, n),
			regexp_match(t.test, '^(\w+) (\w+)(?: ([\d.]+))?(?: of (\w+))?$') p (parts)
			LEFT JOIN meaning m ON m.meaning = p.parts[1]
			LEFT JOIN meaning o ON o.meaning = p.parts[4]),
	clause AS (
		SELECT t.comparison, t.level, t.label, t.clause, jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
			'column', t."column", 'by', t.parts[2], 'at', t.parts[3]::numeric, 'other', t.other)) ORDER BY t.n) AS tests
		FROM test t
		GROUP BY t.comparison, t.level, t.label, t.clause
		HAVING bool_and(t."column" IS NOT NULL AND (t.parts[4] IS NULL OR t.other IS NOT NULL))),
	level AS (
		SELECT c.comparison, c.level, jsonb_build_object('label', c.label, 'when', jsonb_agg(c.tests ORDER BY c.clause)) AS spec
		FROM clause c GROUP BY c.comparison, c.level, c.label),
	comparison AS (
		SELECT l.comparison, jsonb_strip_nulls(jsonb_build_object('name', l.comparison, 'null', 'no evidence',
			'term_frequency', (SELECT m."column" FROM meaning m
				WHERE m.meaning = CASE l.comparison WHEN 'area' THEN 'postcode' ELSE l.comparison END
					AND l.comparison NOT IN ('gender', 'house_number', 'place')),
			'levels', jsonb_agg(l.spec ORDER BY l.level) || '[{"label": "different"}]')) AS spec
		FROM level l GROUP BY l.comparison),
	key AS (
		SELECT r.ordinal, r.label, r.cap, k.n, p.parts, m."column"
		FROM o2o.match_default_rule() r,
			regexp_split_to_table(r.keys, ' & ') WITH ORDINALITY k (key, n),
			regexp_match(k.key, '^(\w+) (\w+)(?: (\d+))?$') p (parts)
			LEFT JOIN meaning m ON m.meaning = p.parts[1]),
	rule AS (
		SELECT k.ordinal, jsonb_build_object('label', k.label, 'cap', k.cap, 'keys', jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
			'column', k."column", 'by', k.parts[2], 'length', k.parts[3]::integer)) ORDER BY k.n)) AS rule
		FROM key k GROUP BY k.ordinal, k.label, k.cap HAVING bool_and(k."column" IS NOT NULL))
	SELECT jsonb_strip_nulls(jsonb_build_object('columns', columns, 'link', 0.5, 'review', 0.1, 'cluster_cap', 100,
		'one_per', (SELECT m."column" FROM meaning m WHERE m.meaning = 'source'),
		'comparisons', (SELECT jsonb_agg(c.spec ORDER BY c.comparison) FROM comparison c),
		'blocking', (SELECT jsonb_agg(r.rule ORDER BY r.ordinal) FROM rule r)))
	INTO model;
	IF NOT model ?& '{comparisons,blocking}' THEN
		RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'these columns alone do not tell people apart', DETAIL = format('Meanings: %s.', columns),
			HINT = 'Give names, a birth date, an address, a phone, an e-mail address or a national id.';
	END IF;
	RETURN model;
END $$;

COMMENT ON FUNCTION o2o.match_default_level() IS 'The levels by which each meaning of a column is compared, one row each, best first; what none of them takes is ''different''. clauses: any of them (|), of which all tests (&) hold. A test is ''meaning measure [bound] [of other meaning]'', see match_train(); one whose meaning no column has falls away. Fields that say the same thing make one comparison: postcode, city and region are area.';
COMMENT ON FUNCTION o2o.match_default_rule() IS 'The blocking rules, one row each: keys are ''meaning part [length]'' joined by &, see match_train(); cap is the most records of a block. A rule applies where a column has each of its meanings.';
COMMENT ON FUNCTION o2o.match_model_default(jsonb) IS 'A model for match_train() from what the columns mean: columns is an object from column to meaning, such as {"dob": "birth_date"}. The meanings: forename, surname, full_name, birth_date, gender, email, phone, national_id, postcode, city, region, street, house_number, place (''longitude,latitude''), occupation, and source (of whose records no two are one person). Returns the model, untrained, to be changed at will. Thresholds: link 0.5, review 0.1. Errors: 22023 an unknown meaning, one of two columns, or too little to match by.';
