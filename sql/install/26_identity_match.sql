-- Identity: probabilistic matching (Fellegi and Sunter) on any table. A model is
-- JSON; records are given by a query; everything runs with the caller's rights.

CREATE FUNCTION o2o.pinyin(name text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50
AS 'MODULE_PATHNAME', 'o2o_pinyin';

CREATE FUNCTION o2o.match_estimate(records text, model jsonb, label_a bigint[], label_b bigint[], label_match boolean[])
RETURNS TABLE (kind text, comparison integer, level integer, value text, estimate double precision)
LANGUAGE c STABLE STRICT COST 100000 ROWS 1000
AS 'MODULE_PATHNAME', 'o2o_match_estimate';

CREATE FUNCTION o2o.match_train(records text, model jsonb, label_a bigint[] DEFAULT '{}', label_b bigint[] DEFAULT '{}', label_match boolean[] DEFAULT '{}') RETURNS jsonb
LANGUAGE sql STABLE STRICT COST 100000 SET jit = off
BEGIN ATOMIC
	WITH estimate AS MATERIALIZED (
		SELECT e.kind, e.comparison, e.level, e.value, e.estimate FROM o2o.match_estimate(records, model, label_a, label_b, label_match) e),
	term AS (
		SELECT e.comparison, jsonb_build_object('terms', coalesce(jsonb_object_agg(e.value, e.estimate) FILTER (WHERE e.kind = 'term'), '{}'),
			'term_floor', min(e.estimate) FILTER (WHERE e.kind = 'term_floor')) AS terms
		FROM estimate e WHERE e.kind IN ('term', 'term_floor') GROUP BY e.comparison),
	level AS (
		SELECT c.n AS comparison, jsonb_agg(l.level || jsonb_build_object('m', m.estimate, 'u', u.estimate) ORDER BY l.n) AS levels
		FROM jsonb_array_elements(model -> 'comparisons') WITH ORDINALITY c (comparison, n),
			jsonb_array_elements(c.comparison -> 'levels') WITH ORDINALITY l (level, n),
			estimate m, estimate u
		WHERE m.kind = 'm' AND m.comparison = c.n - 1 AND m.level = l.n - 1
			AND u.kind = 'u' AND u.comparison = c.n - 1 AND u.level = l.n - 1
		GROUP BY c.n)
	SELECT model || jsonb_build_object('prior', (SELECT e.estimate FROM estimate e WHERE e.kind = 'prior'), 'comparisons',
		(SELECT jsonb_agg(c.comparison || jsonb_build_object('levels', level.levels) || coalesce(term.terms, '{}') ORDER BY c.n)
		FROM jsonb_array_elements(model -> 'comparisons') WITH ORDINALITY c (comparison, n)
			JOIN level ON level.comparison = c.n
			LEFT JOIN term ON term.comparison = c.n - 1));
END;

CREATE FUNCTION o2o.match_candidates(records text, model jsonb) RETURNS TABLE (a bigint, b bigint, rule integer)
LANGUAGE c STABLE STRICT COST 100000 ROWS 100000
AS 'MODULE_PATHNAME', 'o2o_match_candidates';

CREATE FUNCTION o2o.match_blocking(records text, model jsonb)
RETURNS TABLE (rule integer, label text, blocks bigint, pairs bigint, largest bigint, skipped_blocks bigint, skipped_records bigint)
LANGUAGE c STABLE STRICT COST 100000 ROWS 10
AS 'MODULE_PATHNAME', 'o2o_match_blocking';

CREATE FUNCTION o2o.match_recall(records text, model jsonb, record bigint[], truth text[])
RETURNS TABLE (rule integer, label text, pairs bigint, true_pairs bigint, recall double precision, recall_so_far double precision)
LANGUAGE sql STABLE STRICT COST 200000 ROWS 10
BEGIN ATOMIC
	WITH found AS MATERIALIZED (
		SELECT c.rule, array_agg(c.a) AS a, array_agg(c.b) AS b
		FROM o2o.match_candidates(records, model) c
		GROUP BY c.rule)
	SELECT r.n::integer, r.rule ->> 'label', q.predicted_pairs, q.common_pairs, q.recall,
		sum(q.common_pairs) OVER (ORDER BY r.n)::double precision / nullif(q.true_pairs, 0)
	FROM jsonb_array_elements(model -> 'blocking') WITH ORDINALITY r (rule, n)
		LEFT JOIN found ON found.rule = r.n
		CROSS JOIN LATERAL o2o.pair_quality(coalesce(found.a, '{}'), coalesce(found.b, '{}'), record, truth) q
	ORDER BY r.n;
END;

CREATE FUNCTION o2o.match_score(records text, model jsonb, min_probability double precision DEFAULT NULL)
RETURNS TABLE (a bigint, b bigint, rule integer, weight double precision, probability double precision, decision text, levels integer[], weights double precision[])
LANGUAGE c STABLE COST 100000 ROWS 100000
AS 'MODULE_PATHNAME', 'o2o_match_score';

CREATE FUNCTION o2o.match_score(a jsonb, b jsonb, model jsonb)
RETURNS TABLE (step integer, comparison text, level integer, label text, m double precision, u double precision,
	weight double precision, term_weight double precision, total double precision, probability double precision)
LANGUAGE c IMMUTABLE STRICT COST 1000 ROWS 10
AS 'MODULE_PATHNAME', 'o2o_match_waterfall';

CREATE FUNCTION o2o.match_keys(record jsonb, model jsonb) RETURNS bigint[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'o2o_match_keys';

CREATE FUNCTION o2o.match_find(record jsonb, records text, model jsonb, min_probability double precision DEFAULT NULL)
RETURNS TABLE (id bigint, weight double precision, probability double precision, decision text, levels integer[], weights double precision[])
LANGUAGE c STABLE COST 10000 ROWS 10
AS 'MODULE_PATHNAME', 'o2o_match_find';

CREATE FUNCTION o2o.match_clusters(records text, model jsonb, apart_a bigint[] DEFAULT '{}', apart_b bigint[] DEFAULT '{}')
RETURNS TABLE (id bigint, cluster bigint, size integer, refused integer)
LANGUAGE c STABLE STRICT COST 100000 ROWS 100000
AS 'MODULE_PATHNAME', 'o2o_match_clusters';

COMMENT ON FUNCTION o2o.pinyin(text) IS 'The pinyin of Chinese text: syllables without tones between spaces, ''zeng guo fan''; other text stays as it is. Text of up to five Chinese characters is taken for a name, whose surname is read as a surname (单 shan, 曾 zeng, 尉迟 yu chi). By ICU, in the module o2o_pinyin, loaded at the first Chinese text. Errors: O2005 the module or its library is missing, 54000 more than 1024 bytes, 38000 ICU failed.';
COMMENT ON FUNCTION o2o.match_train(text, jsonb, bigint[], bigint[], boolean[]) IS 'Trains a model of Fellegi and Sunter on records, and returns it with its numbers. records: a query with a column id (bigint, each once) and the columns of the model, run with the caller''s rights, read only. model: an object of
comparisons: an array of {name, levels, null, term_frequency}. levels, best first: {label, when: [[test, …], …]}, any of the clauses, of which all tests hold; the last level takes the rest and has no when. A test: {column, by, at, other}. by, at least at (1 if not given): equal (1), jaro_winkler (0 to 1), date, phone, email (their agreement), date_parts (of year, month and day equal), words, words_inside (overlap, of either or of the shorter), beginning (1), pinyin (jaro_winkler of it), given_name (overlap of Chinese given names); at most at (0): damerau_levenshtein, year, number, place (metres between ''longitude,latitude''). other: the column of the other record, and the other way round. null: "no evidence" (default: where no test can be made the comparison says nothing) or "disagree" (it is the last level). term_frequency: the column whose frequent values say less when they are equal (first level).
blocking: an array of {label, keys: [{column, by, length}], cap}; records with all keys equal are compared, blocks of more than cap (1000) records are left out. by: value, prefix (of length characters), sound, year, day (month and day), phone (last 8 digits), email_local, words (each), pinyin.
link, review: probabilities from which on a pair is a link, or to be reviewed; cluster_cap (100), one_per (a column: no two records of one value in a cluster), sample_pairs (500000), seed (0).
u comes from pairs sampled by a hash of the id, less the matches among them; m from EM per blocking rule on counted patterns, of comparisons whose columns do not block, u held; m / u falls from level to level; the prior from all pairs of blocking. With labelled pairs (label_a[i], label_b[i], label_match[i]) m is what the matches have, and u what the others have if there are 100 or more. Equal records and model give equal bits, whatever their order. Memory: at most maintenance_work_mem. Values count in lower case, trimmed, their first 256 characters. Errors: 22023 an invalid model or query, a record twice; 42703 a column is missing; 22004 a record without id; 2202E labels of unequal lengths; 53200 more memory; O2005 Chinese names without o2o_pinyin. References: Fellegi and Sunter, A theory for record linkage, JASA 64 (1969); Winkler, Using the EM algorithm for weight computation, 1988.';
COMMENT ON FUNCTION o2o.match_estimate(text, jsonb, bigint[], bigint[], boolean[]) IS 'The numbers that match_train() puts into the model, arguments as there: kind prior; m and u of a comparison and level (from 0); term, the share of the records that have the value, for the 2000 most frequent ones that come twice or more; term_floor, what other values have.';
COMMENT ON FUNCTION o2o.match_candidates(text, jsonb) IS 'The pairs of records, a < b, that the blocking rules of a model find, each once, with the number of the first rule that finds it (from 1). records, model and errors as in match_train(); the model need not be trained. pair_quality() tells their recall.';
COMMENT ON FUNCTION o2o.match_blocking(text, jsonb) IS 'What each blocking rule of a model does: blocks of two records or more that are used, their pairs (before pairs of earlier rules are left out), the records of the largest block, and the blocks, and records in them, that are left out because they have more records than the rule''s cap. records, model and errors as in match_train().';
COMMENT ON FUNCTION o2o.match_recall(text, jsonb, bigint[], text[]) IS 'How many of the true pairs blocking finds: truth[i] is the label of record[i] (NULL: unlabelled, left out). A row for each blocking rule in its order: pairs that it finds first, between labelled records; those of them with one label; recall, these as a share of all pairs of one label; recall_so_far, the same for all rules up to it, so the last row has the recall of the whole. NULL where no two records have one label. What blocking misses no score brings back. records, model and errors as in match_candidates(); labels as in pair_quality().';
COMMENT ON FUNCTION o2o.match_score(text, jsonb, double precision) IS 'Scores the pairs that blocking finds. Returns those of min_probability (NULL: the model''s review) or more: a < b; rule, the first that found the pair; weight, the log-odds to base 2 that they are one person; probability; decision: link, review or none; levels, of each comparison from 0, -1 no evidence; weights, of each comparison with its term frequency. weight = log2(prior / (1 - prior)) + the weights, added in this order. Equal input gives equal bits. Errors as in match_train(); 22023 also: an untrained model.';
COMMENT ON FUNCTION o2o.match_score(jsonb, jsonb, jsonb) IS 'The waterfall of one pair: records as objects from column to value (a JSON string, number or boolean), and a trained model. A row for the prior (step 0) and for each comparison: its level (from 0; NULL: no evidence) with label, m and u; weight = log2(m / u); term_weight, what the frequency of the value adds; total, the sum so far; probability = 1 / (1 + 2 ^ -total). Errors: 22023 an invalid or untrained model, a value that is an array or object.';
COMMENT ON FUNCTION o2o.match_keys(jsonb, jsonb) IS 'The blocking keys of one record (an object from column to value) by all rules of a model, as numbers. Two records that share a key are candidates: keep the keys in a bigint[] column under a GIN index, and match_find() finds the candidates of one record at once. They depend on the model''s blocking alone; caps do not apply. Errors: 22023 an invalid model or record.';
COMMENT ON FUNCTION o2o.match_find(jsonb, text, jsonb, double precision) IS 'Who is that, in real time: scores one record (an object from column to value) against the records of a query, whose $1 are the blocking keys of the record, as match_keys() gives them: SELECT id, … FROM person WHERE match_keys && $1 LIMIT 1000. Returns the records of min_probability (NULL: the model''s review) or more by id; the columns are those of match_score(). Runs with the caller''s rights. Errors as in match_score().';
COMMENT ON FUNCTION o2o.match_clusters(text, jsonb, bigint[], bigint[]) IS 'Who is one person: clusters of the pairs of the model''s link probability or more. Links are taken by falling weight; two clusters become one if all pairs across them, scored whether blocking found them or not, have a mean weight above zero (half of the prior left out, each weight cut to -5 and 10), both together have at most cluster_cap records, none of the pairs (apart_a[i], apart_b[i]) is torn together, and no two records have the same value of one_per. So a single link between groups that else disagree, a bridge, joins nothing. Returns each record: its cluster (the lowest id), the cluster''s size, and refused, its links that did not join. records and errors as in match_train(), 2202E arrays of unequal lengths. Equal input gives equal bits. Reference: Sokal and Michener, A statistical method for evaluating systematic relationships, 1958 (average linkage).';
