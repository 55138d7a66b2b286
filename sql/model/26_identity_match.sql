-- The identity room: match models, kept with their versions, and what probabilistic
-- matching finds among the customers: links, and pairs for a person to review.

CREATE TABLE IF NOT EXISTS o2o.match_model (
	model text NOT NULL CHECK (model ~ '^[a-z][a-z0-9_]*$'),
	version integer NOT NULL,
	spec jsonb NOT NULL,
	note text,
	saved_at timestamptz NOT NULL DEFAULT now(),
	saved_by text NOT NULL DEFAULT session_user,
	PRIMARY KEY (model, version)
);
COMMENT ON TABLE o2o.match_model IS 'Models of probabilistic matching. A version never changes: what was linked by it can be explained as long as it is kept.';
COMMENT ON COLUMN o2o.match_model.model IS 'Name of the model, [a-z][a-z0-9_]*';
COMMENT ON COLUMN o2o.match_model.version IS 'Version, from 1';
COMMENT ON COLUMN o2o.match_model.spec IS 'The model as match_train() takes and returns it: comparisons with levels, m, u and term frequencies, blocking rules, thresholds. Frequent values of columns stand in it';
COMMENT ON COLUMN o2o.match_model.note IS 'Why this version was made; NULL: not said';
COMMENT ON COLUMN o2o.match_model.saved_at IS 'When it was saved (start of the transaction)';
COMMENT ON COLUMN o2o.match_model.saved_by IS 'Login role that saved it';

CREATE OR REPLACE VIEW o2o.match_model_level AS
	SELECT m.model, m.version, c.n::integer AS comparison_no, c.spec ->> 'name' AS comparison, l.n::integer - 1 AS level, l.spec ->> 'label' AS label,
		(l.spec ->> 'm')::double precision AS m, (l.spec ->> 'u')::double precision AS u,
		log(2, nullif((l.spec ->> 'm')::numeric, 0) / nullif((l.spec ->> 'u')::numeric, 0))::double precision AS weight,
		coalesce(c.spec ->> 'null', 'no evidence') AS null_policy, (l.spec -> 'when')::text AS tests
	FROM o2o.match_model m,
		jsonb_array_elements(m.spec -> 'comparisons') WITH ORDINALITY c (spec, n),
		jsonb_array_elements(c.spec -> 'levels') WITH ORDINALITY l (spec, n);
COMMENT ON VIEW o2o.match_model_level IS 'The levels of the saved match models, one row per model, version, comparison and level.';
COMMENT ON COLUMN o2o.match_model_level.model IS 'Name of the model';
COMMENT ON COLUMN o2o.match_model_level.version IS 'Version of the model';
COMMENT ON COLUMN o2o.match_model_level.comparison_no IS 'Place of the comparison, from 1';
COMMENT ON COLUMN o2o.match_model_level.comparison IS 'Name of the comparison';
COMMENT ON COLUMN o2o.match_model_level.level IS 'Level, from 0, the best';
COMMENT ON COLUMN o2o.match_model_level.label IS 'What the level means';
COMMENT ON COLUMN o2o.match_model_level.m IS 'Share of the pairs of one person that have the level; NULL: not trained';
COMMENT ON COLUMN o2o.match_model_level.u IS 'Share of the pairs of two people that have the level; NULL: not trained';
COMMENT ON COLUMN o2o.match_model_level.weight IS 'log2(m / u), what the level says for one person, in bits; NULL: not trained';
COMMENT ON COLUMN o2o.match_model_level.null_policy IS 'What a missing value says: no evidence or disagree';
COMMENT ON COLUMN o2o.match_model_level.tests IS 'The tests of the level as JSON; NULL: it takes the rest';

CREATE OR REPLACE VIEW o2o.match_model_rule AS
	SELECT m.model, m.version, r.n::integer AS rule, r.spec ->> 'label' AS label, coalesce((r.spec ->> 'cap')::integer, 1000) AS cap, (r.spec -> 'keys')::text AS keys
	FROM o2o.match_model m, jsonb_array_elements(m.spec -> 'blocking') WITH ORDINALITY r (spec, n);
COMMENT ON VIEW o2o.match_model_rule IS 'The blocking rules of the saved match models, one row per model, version and rule.';
COMMENT ON COLUMN o2o.match_model_rule.model IS 'Name of the model';
COMMENT ON COLUMN o2o.match_model_rule.version IS 'Version of the model';
COMMENT ON COLUMN o2o.match_model_rule.rule IS 'Number of the rule, from 1, as match_score() returns it';
COMMENT ON COLUMN o2o.match_model_rule.label IS 'What the rule blocks with';
COMMENT ON COLUMN o2o.match_model_rule.cap IS 'Blocks of more records are left out';
COMMENT ON COLUMN o2o.match_model_rule.keys IS 'The keys as JSON';

CREATE OR REPLACE VIEW o2o.match_model_term AS
	SELECT m.model, m.version, c.spec ->> 'name' AS comparison, t.key AS value, t.value::double precision AS frequency
	FROM o2o.match_model m, jsonb_array_elements(m.spec -> 'comparisons') c (spec), jsonb_each_text(c.spec -> 'terms') t;
COMMENT ON VIEW o2o.match_model_term IS 'Term frequencies of the saved match models, one row per model, version, comparison and value.';
COMMENT ON COLUMN o2o.match_model_term.model IS 'Name of the model';
COMMENT ON COLUMN o2o.match_model_term.version IS 'Version of the model';
COMMENT ON COLUMN o2o.match_model_term.comparison IS 'Name of the comparison';
COMMENT ON COLUMN o2o.match_model_term.value IS 'Value, in lower case';
COMMENT ON COLUMN o2o.match_model_term.frequency IS 'Share of the records with a value that had this one';

CREATE OR REPLACE FUNCTION o2o.match_model_save(model text, spec jsonb, note text DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	saved integer;
BEGIN
	PERFORM o2o.match_keys('{}', match_model_save.spec);	-- reads all of it
	LOOP	-- until no other saves the same version
		INSERT INTO o2o.match_model (model, version, spec, note)
		SELECT match_model_save.model, coalesce(max(m.version), 0) + 1, match_model_save.spec, match_model_save.note
		FROM o2o.match_model m WHERE m.model = match_model_save.model
		ON CONFLICT DO NOTHING
		RETURNING version INTO saved;
		EXIT WHEN saved IS NOT NULL;
	END LOOP;
	RETURN saved;
END $$;
COMMENT ON FUNCTION o2o.match_model_save(text, jsonb, text) IS 'Saves a match model (spec as for match_train()) under a name, with a note, as its next version, which is returned. Errors: 22023 it is no model, 23514 an invalid name, 23502 no name.';

CREATE OR REPLACE FUNCTION o2o.match_model_get(model text, version integer DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found_spec jsonb;
BEGIN
	SELECT m.spec INTO found_spec FROM o2o.match_model m
	WHERE m.model = match_model_get.model AND (match_model_get.version IS NULL OR m.version = match_model_get.version)
	ORDER BY m.version DESC LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no such match model'
			USING ERRCODE = 'O2208', DETAIL = format('Model %s, version %s.', coalesce(quote_literal(match_model_get.model), 'NULL'), coalesce(match_model_get.version::text, 'the latest')),
				HINT = 'o2o.match_model lists them; identity_match_train() and match_model_save() make one.';
	END IF;
	RETURN found_spec;
END $$;
COMMENT ON FUNCTION o2o.match_model_get(text, integer) IS 'A saved match model, of a version or (NULL) the latest one, for match_score() and the other functions. Error: O2208 there is none.';

-- The traits of customers as records: the id is the lowest profile with a trait, the value the latest.
CREATE OR REPLACE FUNCTION o2o.match_trait_query(spec jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'SELECT min(t.profile_id) AS id' || coalesce(string_agg(format(
			', (array_agg(t.value ORDER BY t.observed_at DESC, t.source, t.profile_id) FILTER (WHERE t.name = %L))[1] AS %I', c.name, c.name), '' ORDER BY c.name), '') ||
		' FROM o2o.profile_trait t JOIN o2o.profile p ON p.profile_id = t.profile_id' ||
		format(' WHERE t.name = ANY (%L) AND NOT EXISTS (SELECT FROM o2o.profile_identifier i WHERE i.profile_id = t.profile_id AND i.is_shared) GROUP BY p.customer_id', coalesce(array_agg(c.name ORDER BY c.name), '{}'))
	FROM (
		SELECT v #>> '{}' AS name FROM jsonb_path_query(spec, 'lax $.comparisons[*].levels[*].when[*][*].column') v
		UNION SELECT v #>> '{}' FROM jsonb_path_query(spec, 'lax $.comparisons[*].levels[*].when[*][*].other') v
		UNION SELECT v #>> '{}' FROM jsonb_path_query(spec, 'lax $.comparisons[*].term_frequency') v
		UNION SELECT v #>> '{}' FROM jsonb_path_query(spec, 'lax $.blocking[*].keys[*].column') v
		UNION SELECT v #>> '{}' FROM jsonb_path_query(spec, 'lax $.one_per') v
	) c
$$;
COMMENT ON FUNCTION o2o.match_trait_query(jsonb) IS 'The query that reads customers as records for a match model whose columns are names of traits: one record per customer with such a trait, id being its lowest profile that has one, each column the latest value that a source gave. What was said of a shared identifier is left out: it links nobody.';

CREATE OR REPLACE FUNCTION o2o.identity_match_train(model text, spec jsonb, note text DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM o2o.match_keys('{}', spec);
	RETURN o2o.match_model_save(model, o2o.match_train(o2o.match_trait_query(spec), spec), note);
END $$;
COMMENT ON FUNCTION o2o.identity_match_train(text, jsonb, text) IS 'Trains a match model on the traits of the customers and saves it as the next version, which is returned: spec is what match_model_default() makes of {"name of a trait": "meaning"}, or a model of your own whose columns are names of traits. Each customer is one record with the latest value of each trait. Errors as in match_train() and match_model_save().';

CREATE OR REPLACE FUNCTION o2o.match_decide(pair bigint[], decision text, is_together boolean, weight double precision, event_id text, moment timestamptz) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	roots bigint[] := o2o.profile_customers(pair);
	refused text;
	recorded bigint;
BEGIN
	IF roots[1] = roots[2] THEN
		RETURN 'known';
	END IF;
	refused := o2o.profiles_conflict(o2o.customer_profiles(roots[1]), o2o.customer_profiles(roots[2]));
	IF refused = 'cannot_link' THEN
		RETURN 'kept apart';	-- somebody decided that
	END IF;
	refused := coalesce(refused, CASE WHEN match_decide.decision <> 'link' THEN 'match:review' WHEN NOT is_together THEN 'match:cluster' END);
	recorded := o2o.evidence_record(pair, CASE WHEN refused IS NULL THEN 'link' ELSE 'suppressed' END, 'match', 'match', refused, match_decide.event_id, moment);
	UPDATE o2o.identity_evidence e SET weight = match_decide.weight, event_id = match_decide.event_id
	WHERE e.profile_id = pair[1] AND e.evidence_id = recorded;
	IF refused IS NOT NULL THEN
		RETURN 'review';
	END IF;
	PERFORM o2o.customer_absorb(roots, '{}', pair[1], recorded, moment);
	RETURN 'linked';
END $$;
COMMENT ON FUNCTION o2o.match_decide(bigint[], text, boolean, double precision, text, timestamptz) IS 'What becomes of a pair of profiles (ascending) that a match model found, their customers'' locks being held: linked, where it is a link, its cluster is one (is_together) and no rule refuses it; review, where it goes to identity_review as suppressed evidence; kept apart, where somebody said so; known, where they are one customer. The evidence has rule and source match, the weight, and model/version as its event.';

CREATE OR REPLACE FUNCTION o2o.identity_match(model text, version integer DEFAULT NULL, dry_run boolean DEFAULT false)
RETURNS TABLE (profile_a bigint, profile_b bigint, weight double precision, probability double precision, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
#variable_conflict use_column
DECLARE
	spec jsonb := o2o.match_model_get(identity_match.model, identity_match.version);
	event_id text := (SELECT format('%s/%s', m.model, max(m.version)) FROM o2o.match_model m
		WHERE m.model = identity_match.model AND m.version = coalesce(identity_match.version, m.version) GROUP BY m.model);
	query text := o2o.match_trait_query(spec);
	moment timestamptz := now();
	pair record;
BEGIN
	DROP TABLE IF EXISTS pg_temp.match_pair, pg_temp.match_cluster;
	EXECUTE 'CREATE TEMP TABLE match_cluster ON COMMIT DROP AS
		WITH record AS (' || query || '),
		apart AS (
			SELECT x.id AS a, y.id AS b
			FROM o2o.identity_evidence e
				JOIN o2o.profile p ON p.profile_id = e.profiles[1] JOIN o2o.profile q ON q.profile_id = e.profiles[2]
				JOIN o2o.profile pr ON pr.customer_id = p.customer_id JOIN record x ON x.id = pr.profile_id
				JOIN o2o.profile qr ON qr.customer_id = q.customer_id JOIN record y ON y.id = qr.profile_id
			WHERE e.status = ''cannot_link'')
		SELECT c.id, c.cluster
		FROM o2o.match_clusters($1, $2, ARRAY(SELECT a FROM apart ORDER BY a, b), ARRAY(SELECT b FROM apart ORDER BY a, b)) c' USING query, spec;
	CREATE TEMP TABLE match_pair ON COMMIT DROP AS
	SELECT s.a, s.b, s.weight, s.probability, s.decision, x.cluster = y.cluster AS is_together
	FROM o2o.match_score(query, spec) s JOIN pg_temp.match_cluster x ON x.id = s.a JOIN pg_temp.match_cluster y ON y.id = s.b;
	IF NOT dry_run THEN
		PERFORM o2o.customer_lock(ARRAY(SELECT m.a FROM pg_temp.match_pair m UNION SELECT m.b FROM pg_temp.match_pair m));
	END IF;
	FOR pair IN SELECT * FROM pg_temp.match_pair m ORDER BY m.weight DESC, m.a, m.b LOOP
		profile_a := pair.a;
		profile_b := pair.b;
		weight := pair.weight;
		probability := pair.probability;
		outcome := CASE WHEN dry_run THEN CASE WHEN pair.decision = 'link' AND pair.is_together THEN 'link' ELSE 'review' END
			ELSE o2o.match_decide(ARRAY[pair.a, pair.b], pair.decision, pair.is_together, pair.weight, event_id, moment) END;
		RETURN NEXT;
	END LOOP;
	DROP TABLE pg_temp.match_pair, pg_temp.match_cluster;
END $$;
COMMENT ON FUNCTION o2o.identity_match(text, integer, boolean) IS 'Matches the customers by a saved model (version NULL: the latest) on their traits, and acts: pairs of the link threshold or more within one cluster of match_clusters() are merged, by evidence of rule match with its weight, where the rules of identify() allow it; the other pairs of the review threshold or more go to identity_review as suppressed evidence, for evidence_accept() and evidence_reject(). dry_run tells what it would do (link, review), before the rules are asked. Returns each pair, by falling weight: a profile of either customer, weight and probability, and the outcome: linked, review, kept apart (a person said so before), known (they are one customer). A merge by mistake goes back with customer_unmerge(). One transaction, which locks all customers of the pairs, ascending. Errors: O2208 no such model, and those of match_score().';
