-- The identity room: the set-based bulk import. It obeys the rules of
-- identity_resolve(): what forms one group without violating any rule is taken
-- as a whole; every other group goes through identity_resolve() event by event,
-- in the order (occurred_at, source, event_id).

CREATE OR REPLACE FUNCTION o2o.identity_import_stage(batch_id bigint, after_at timestamptz, after_source text, after_event_id text, max_rows bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
#variable_conflict use_column
BEGIN
	DROP TABLE IF EXISTS pg_temp.import_event, pg_temp.import_raw, pg_temp.import_value, pg_temp.import_node;
	CREATE TEMP TABLE import_event ON COMMIT DROP AS
	SELECT row_number() OVER (ORDER BY r.occurred_at, r.source, r.event_id) AS n,
		r.source, r.event_id, r.occurred_at, least(r.occurred_at, now()) AS seen_at, r.identifiers, s.default_country
	FROM o2o.import_identity r JOIN o2o.source s ON s.source = r.source
	WHERE r.batch_id = identity_import_stage.batch_id AND r.profile_id IS NULL AND r.outcome IS NULL
		AND (r.occurred_at, r.source, r.event_id) > (identity_import_stage.after_at, identity_import_stage.after_source, identity_import_stage.after_event_id)
	ORDER BY r.occurred_at, r.source, r.event_id
	LIMIT max_rows;

	-- Each value once, read by what reads the input of identify(), so that both take the same.
	CREATE TEMP TABLE import_raw ON COMMIT DROP AS
	SELECT d.input, o2o.identifiers_from_json_or_null(d.input, d.default_country) AS ids, d.events
	FROM (
		SELECT x.input, e.default_country, array_agg(e.n) AS events
		FROM pg_temp.import_event e, LATERAL (
			SELECT jsonb_build_object(j.key, jsonb_build_array(v.v)) AS input
			FROM jsonb_each(CASE jsonb_typeof(e.identifiers) WHEN 'object' THEN e.identifiers END) j,
				jsonb_array_elements(CASE jsonb_typeof(j.value) WHEN 'array' THEN j.value ELSE jsonb_build_array(j.value) END) v (v)
			UNION ALL
			SELECT jsonb_build_array(a.v)
			FROM jsonb_array_elements(CASE jsonb_typeof(e.identifiers) WHEN 'array' THEN e.identifiers END) a (v)
			UNION ALL
			SELECT e.identifiers WHERE jsonb_typeof(e.identifiers) NOT IN ('object', 'array')
		) x
		GROUP BY x.input, e.default_country
	) d;
	INSERT INTO o2o.import_problem (batch_id, source, source_id, problem)
	SELECT identity_import_stage.batch_id, e.source, e.event_id, format('invalid identifier of kind "%s"',
		coalesce((SELECT k.key FROM jsonb_object_keys(CASE jsonb_typeof(r.input) WHEN 'object' THEN r.input END) k (key)), '(none)'))
	FROM pg_temp.import_raw r, unnest(r.events) u (n) JOIN pg_temp.import_event e ON e.n = u.n
	WHERE r.ids IS NULL;
	INSERT INTO o2o.import_problem (batch_id, source, source_id, problem)
	SELECT identity_import_stage.batch_id, e.source, e.event_id, format('identifier kind "%s" is not registered', o2o.identifier_kind(r.ids[1]))
	FROM pg_temp.import_raw r, unnest(r.events) u (n) JOIN pg_temp.import_event e ON e.n = u.n
	WHERE cardinality(r.ids) = 1
		AND NOT EXISTS (SELECT FROM o2o.identifier_kind k WHERE k.kind = o2o.identifier_kind(r.ids[1]));

	CREATE TEMP TABLE import_value ON COMMIT DROP AS
	SELECT DISTINCT u.n, r.ids[1] AS id, k.kind, k.priority, k.time_to_live
	FROM pg_temp.import_raw r
		JOIN o2o.identifier_kind k ON k.kind = o2o.identifier_kind(r.ids[1])
		CROSS JOIN unnest(r.events) u (n)
	WHERE cardinality(r.ids) = 1 AND NOT EXISTS (
		SELECT FROM o2o.identifier_block b
		WHERE (b.kind = '*' OR b.kind = k.kind) AND o2o.identifier_value(r.ids[1]) ~ b.pattern);

	CREATE TEMP TABLE import_node ON COMMIT DROP AS
	SELECT d.id, d.kind, d.priority, o2o.identifier_scope(d.id) AS scope, d.first_seen_at, d.last_seen_at, d.first_n,
		coalesce(i.profile_id, nextval('o2o.profile_id_seq')) AS profile_id, i.profile_id IS NULL AS is_new,
		coalesce(i.is_shared AND NOT x.expires, false) AS is_shared, p.customer_id, x.expires
	FROM (
		SELECT g.id, g.kind, g.priority, g.time_to_live, min(g.seen_at) AS first_seen_at, max(g.seen_at) AS last_seen_at,
			min(g.n) AS first_n, bool_or(g.earlier_at + g.time_to_live <= g.seen_at + interval '2 days') AS rests
		FROM (
			-- Single calls move last_seen_at at most daily: who rests nearly as long as the time to live is left to them.
			SELECT v.*, e.seen_at, lag(e.seen_at) OVER (PARTITION BY v.id ORDER BY e.n) AS earlier_at
			FROM pg_temp.import_value v JOIN pg_temp.import_event e ON e.n = v.n
		) g
		GROUP BY g.id, g.kind, g.priority, g.time_to_live
		ORDER BY min(g.n), g.priority DESC, g.id
	) d
		LEFT JOIN o2o.profile_identifier i ON i.identifier OPERATOR(o2o.=) d.id
		LEFT JOIN o2o.profile p ON p.profile_id = i.profile_id
		CROSS JOIN LATERAL (SELECT coalesce(d.rests OR i.last_seen_at + d.time_to_live <= d.first_seen_at, false)
			-- It may have meant somebody else then.
			OR (d.first_seen_at < i.first_seen_at
				AND EXISTS (SELECT FROM o2o.identifier_period q WHERE q.successor_profile_id = i.profile_id)) AS expires) x;
	ANALYZE pg_temp.import_event, pg_temp.import_value, pg_temp.import_node;
END $$;
COMMENT ON FUNCTION o2o.identity_import_stage(bigint, timestamptz, text, text, bigint) IS 'First step of identity_import_events(): the events of a batch that are open, after a place in the order (occurred_at, source, event_id), at most max_rows (NULL: all), their normalised identifiers, and one node per identifier with its profile (of today, or a new id), in temporary tables. Values that are no identifier are noted in import_problem and left out.';

CREATE OR REPLACE FUNCTION o2o.identity_import_group() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
#variable_conflict use_column
BEGIN
	DROP TABLE IF EXISTS pg_temp.import_member, pg_temp.import_group, pg_temp.import_count, pg_temp.import_whole;
	CREATE TEMP TABLE import_member ON COMMIT DROP AS
	SELECT c.node AS profile_id, c.component
	FROM (
		SELECT array_agg(pair.a) AS a, array_agg(pair.b) AS b
		FROM (
			SELECT first_value(m.profile_id) OVER (PARTITION BY v.n ORDER BY m.profile_id) AS a, m.profile_id AS b
			FROM pg_temp.import_value v JOIN pg_temp.import_node m ON m.id OPERATOR(o2o.=) v.id AND NOT m.is_shared
			UNION ALL
			SELECT p.customer_id, p.profile_id
			FROM o2o.profile p
			WHERE p.customer_id IN (SELECT m.customer_id FROM pg_temp.import_node m WHERE NOT m.is_shared)
		) pair
	) pairs, o2o.connected_components(pairs.a, pairs.b) c;
	ANALYZE pg_temp.import_member;

	-- Which groups may be taken as a whole?
	CREATE TEMP TABLE import_group ON COMMIT DROP AS
	SELECT g.component, max(g.customer_id) AS customer_id, count(*) AS size,
		count(DISTINCT g.customer_id) < 2				-- a merge is logged one by one
			AND coalesce(max(g.customer_id) = g.component, true)
			AND o2o.kinds_conflict(array_agg(g.kind), array_agg(g.scope)) IS NULL
			AND NOT coalesce(bool_or(g.expires), false) AS is_whole
	FROM (
		SELECT m.component, p.customer_id, n.expires, coalesce(p.kind, n.kind) AS kind, coalesce(p.scope, n.scope) AS scope
		FROM pg_temp.import_member m
			LEFT JOIN o2o.profile p ON p.profile_id = m.profile_id
			LEFT JOIN pg_temp.import_node n ON n.profile_id = m.profile_id
	) g
	GROUP BY g.component;
	CREATE TEMP TABLE import_count ON COMMIT DROP AS
	SELECT m.component, coalesce(p.kind, n.kind) AS kind, count(*) AS n
	FROM pg_temp.import_member m
		LEFT JOIN o2o.profile p ON p.profile_id = m.profile_id
		LEFT JOIN pg_temp.import_node n ON n.profile_id = m.profile_id
	GROUP BY 1, 2;
	ANALYZE pg_temp.import_group, pg_temp.import_count;
	-- Where an identifier may turn out to be shared, it matters who came first.
	UPDATE pg_temp.import_group g SET is_whole = false
	FROM (
		SELECT strong.component
		FROM pg_temp.import_count strong
			JOIN o2o.identifier_kind k ON k.kind = strong.kind
			JOIN pg_temp.import_count weak ON weak.component = strong.component
			JOIN o2o.identifier_kind w ON w.kind = weak.kind AND w.priority < k.priority
			JOIN pg_temp.import_group o ON o.component = strong.component AND o.is_whole
		WHERE strong.n > 1 AND strong.n + CASE WHEN o.customer_id IS NULL THEN 0 ELSE (
				SELECT count(*) FROM pg_temp.import_member m, LATERAL (
					SELECT FROM o2o.identity_evidence e WHERE e.status = 'suppressed' AND e.profile_id = m.profile_id
					UNION ALL
					SELECT FROM o2o.identity_evidence e WHERE e.status = 'suppressed' AND e.profiles[2] = m.profile_id) e
				WHERE m.component = strong.component) END >= w.shared_threshold
	) crowd
	WHERE crowd.component = g.component;
	CREATE TEMP TABLE import_whole ON COMMIT DROP AS
	SELECT n.*, m.component
	FROM pg_temp.import_node n
		JOIN pg_temp.import_member m ON m.profile_id = n.profile_id
		JOIN pg_temp.import_group g ON g.component = m.component AND g.is_whole
	WHERE NOT n.is_shared;
	ANALYZE pg_temp.import_whole;
END $$;
COMMENT ON FUNCTION o2o.identity_import_group() IS 'Second step of identity_import(): the groups that the staged events form together with the customers of today, and which of them violate no rule (is_whole); import_whole has the nodes of those.';

CREATE OR REPLACE FUNCTION o2o.identity_import_write(moment timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	expected bigint;
	written bigint;
	changed bigint;
	known record;
BEGIN
	INSERT INTO o2o.profile_identifier (identifier, profile_id, first_seen_at, last_seen_at)
	SELECT w.id, w.profile_id, w.first_seen_at, w.last_seen_at
	FROM pg_temp.import_whole w
	WHERE w.is_new
	ORDER BY w.id
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS written = ROW_COUNT;
	FOR known IN
		SELECT n.id, n.last_seen_at FROM pg_temp.import_node n
		WHERE NOT n.is_new AND (n.is_shared OR EXISTS (SELECT FROM pg_temp.import_whole w WHERE w.profile_id = n.profile_id))
		ORDER BY n.id
	LOOP
		UPDATE o2o.profile_identifier i SET last_seen_at = known.last_seen_at
		WHERE i.identifier OPERATOR(o2o.=) known.id AND i.last_seen_at < known.last_seen_at;
	END LOOP;
	PERFORM o2o.customer_lock_roots(ARRAY(SELECT g.customer_id FROM pg_temp.import_group g WHERE g.is_whole));
	SELECT count(*) FILTER (WHERE w.is_new), count(*) FILTER (
		WHERE i.profile_id IS DISTINCT FROM w.profile_id OR p.customer_id IS DISTINCT FROM w.customer_id OR i.is_shared)
	INTO expected, changed
	FROM pg_temp.import_whole w
		LEFT JOIN o2o.profile_identifier i ON i.identifier OPERATOR(o2o.=) w.id
		LEFT JOIN o2o.profile p ON p.profile_id = i.profile_id;
	IF written <> expected OR changed > 0 THEN
		RAISE EXCEPTION 'customers changed' USING ERRCODE = 'O2R01';
	END IF;

	INSERT INTO o2o.profile (profile_id, customer_id, kind, scope, source, created_at)
	SELECT w.profile_id, w.component, w.kind, w.scope, e.source, moment
	FROM pg_temp.import_whole w JOIN pg_temp.import_event e ON e.n = w.first_n
	WHERE w.is_new
	ORDER BY w.profile_id;
	INSERT INTO o2o.customer (customer_id, profile_count, created_at, changed_at)
	SELECT g.component, g.size, moment, moment
	FROM pg_temp.import_group g
	WHERE g.is_whole
	ORDER BY g.component
	ON CONFLICT (customer_id) DO UPDATE SET profile_count = excluded.profile_count, changed_at = excluded.changed_at;
	INSERT INTO o2o.identity_evidence AS e (profile_id, profiles, status, rule, source, event_id, occurred_at, last_seen_at)
	SELECT s.profiles[1], s.profiles, 'link', 'event', s.source, (array_agg(s.event_id ORDER BY s.occurred_at, s.event_id))[1], min(s.occurred_at), max(s.occurred_at)
	FROM (
		SELECT ev.source, ev.event_id, ev.occurred_at, array_agg(n.profile_id ORDER BY n.profile_id) AS profiles
		FROM pg_temp.import_value v
			JOIN pg_temp.import_event ev ON ev.n = v.n
			JOIN pg_temp.import_whole n ON n.id OPERATOR(o2o.=) v.id
		GROUP BY ev.n, ev.source, ev.event_id, ev.occurred_at
		HAVING count(*) > 1
	) s
	GROUP BY s.profiles, s.source
	ORDER BY min(s.occurred_at), s.source, s.profiles
	ON CONFLICT (profile_id, profiles, rule, source, status) WHERE status <> 'retracted'
	DO UPDATE SET last_seen_at = greatest(e.last_seen_at, excluded.last_seen_at);
END $$;
COMMENT ON FUNCTION o2o.identity_import_write(timestamptz) IS 'Third step of identity_import(): writes the groups that violate no rule, under the locks of their customers. Raises O2R01, which identity_import() answers by starting over, when another session was there first.';

CREATE OR REPLACE FUNCTION o2o.identity_import_events(batch_id bigint, after_at timestamptz, after_source text, after_event_id text, max_rows bigint, is_analyzed boolean,
	OUT events bigint, OUT last_at timestamptz, OUT last_source text, OUT last_event_id text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
#variable_conflict use_column
DECLARE
	moment timestamptz := now();
	event record;
	resolved record;
BEGIN
	LOOP
		BEGIN
			PERFORM o2o.identity_import_stage(batch_id, after_at, after_source, after_event_id, max_rows);
			PERFORM o2o.identity_import_group();
			PERFORM o2o.identity_import_write(moment);
			EXIT;
		EXCEPTION WHEN SQLSTATE 'O2R01' THEN
			NULL;
		END;
	END LOOP;
	SELECT count(*) INTO events FROM pg_temp.import_event;
	SELECT e.occurred_at, e.source, e.event_id INTO last_at, last_source, last_event_id
	FROM pg_temp.import_event e ORDER BY e.n DESC LIMIT 1;
	IF is_analyzed THEN
		-- What follows must not plan for the tables as they were before the load.
		ANALYZE o2o.profile_identifier, o2o.profile, o2o.customer, o2o.identity_evidence;
	END IF;

	UPDATE o2o.import_identity r SET profile_id = top.profile_id, outcome = 'imported'
	FROM (
		SELECT DISTINCT ON (v.n) e.source, e.event_id, n.profile_id
		FROM pg_temp.import_value v
			JOIN pg_temp.import_event e ON e.n = v.n
			JOIN pg_temp.import_whole n ON n.id OPERATOR(o2o.=) v.id
		ORDER BY v.n, v.priority DESC, v.id
	) top
	WHERE r.batch_id = identity_import_events.batch_id AND r.source = top.source AND r.event_id = top.event_id;
	FOR event IN
		SELECT e.source, e.event_id, e.occurred_at, array_agg(v.id ORDER BY v.id) AS identifiers
		FROM pg_temp.import_event e
			JOIN pg_temp.import_value v ON v.n = e.n
			JOIN o2o.import_identity r ON r.batch_id = identity_import_events.batch_id AND r.source = e.source AND r.event_id = e.event_id
		WHERE r.profile_id IS NULL
		GROUP BY e.n, e.source, e.event_id, e.occurred_at
		ORDER BY e.n
	LOOP
		SELECT * INTO resolved FROM o2o.identity_resolve(event.identifiers, event.source, event.event_id, event.occurred_at);
		UPDATE o2o.import_identity r SET profile_id = resolved.profile_id, outcome = resolved.outcome
		WHERE r.batch_id = identity_import_events.batch_id AND r.source = event.source AND r.event_id = event.event_id;
	END LOOP;
	UPDATE o2o.import_identity r SET profile_id = fresh.profile_id, outcome = 'anonymous'
	FROM (
		SELECT e.source, e.event_id, nextval('o2o.profile_id_seq') AS profile_id
		FROM pg_temp.import_event e
		WHERE NOT EXISTS (SELECT FROM pg_temp.import_value v WHERE v.n = e.n)
	) fresh
	WHERE r.batch_id = identity_import_events.batch_id AND r.source = fresh.source AND r.event_id = fresh.event_id
		AND r.profile_id IS NULL;

	INSERT INTO o2o.profile_trait AS t (profile_id, source, name, value, observed_at)
	SELECT DISTINCT ON (r.profile_id, r.source, j.key) r.profile_id, r.source, j.key, j.value, r.occurred_at
	FROM o2o.import_identity r
		JOIN pg_temp.import_event e ON e.source = r.source AND e.event_id = r.event_id
		CROSS JOIN jsonb_each_text(r.traits) j
	WHERE r.batch_id = identity_import_events.batch_id AND j.value <> ''
	ORDER BY r.profile_id, r.source, j.key, r.occurred_at DESC, r.event_id DESC
	ON CONFLICT (profile_id, source, name) DO UPDATE SET value = excluded.value, observed_at = excluded.observed_at
	WHERE t.observed_at <= excluded.observed_at AND (t.value <> excluded.value OR t.observed_at < excluded.observed_at - interval '1 day');
	DROP TABLE pg_temp.import_event, pg_temp.import_raw, pg_temp.import_value, pg_temp.import_node,
		pg_temp.import_member, pg_temp.import_group, pg_temp.import_count, pg_temp.import_whole;
END $$;
COMMENT ON FUNCTION o2o.identity_import_events(bigint, timestamptz, text, text, bigint, boolean) IS 'Resolves open events of a batch, as identity_import_stage() takes them, and analyzes the tables after the load where that is wanted. Returns their number and the place of the last one.';

CREATE OR REPLACE FUNCTION o2o.identity_import(batch_id bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	unknown text;
BEGIN
	PERFORM FROM o2o.import_batch b WHERE b.batch_id = identity_import.batch_id FOR UPDATE;
	SELECT min(r.source) INTO unknown FROM o2o.import_identity r
	WHERE r.batch_id = identity_import.batch_id AND r.profile_id IS NULL AND r.outcome IS NULL
		AND NOT EXISTS (SELECT FROM o2o.source s WHERE s.source = r.source);
	IF unknown IS NOT NULL THEN
		PERFORM o2o.source_country(unknown);
	END IF;
	SELECT min(r.source || '/' || r.event_id) INTO unknown FROM o2o.import_identity r
	WHERE r.batch_id = identity_import.batch_id AND r.profile_id IS NULL AND r.outcome IS NULL
		AND NOT isfinite(r.occurred_at);
	IF unknown IS NOT NULL THEN
		RAISE EXCEPTION 'the time of an event must be finite'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Event %s.', unknown);
	END IF;
	RETURN (SELECT e.events FROM o2o.identity_import_events(identity_import.batch_id, '-infinity', '', '', NULL, true) e);
END $$;
COMMENT ON FUNCTION o2o.identity_import(bigint) IS 'Resolves the events of a batch in import_identity that have no profile yet, set by set, under the same rules as identify(), and fills their profile_id and outcome (imported, or what identify() says for events that a rule concerned). Values that are no identifier go to import_problem; the rest of the event is taken. Returns the number of events. Safe to repeat. Errors: O2101 a source is not registered, 22023 an event''s time is not finite.';
