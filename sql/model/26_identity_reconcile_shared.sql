-- The identity room: which identifiers would be shared by the rules of now, had
-- they always held; for identity_reconcile(). Marking at an event stands in 22.

CREATE OR REPLACE FUNCTION o2o.identity_sets_joined(numbers bigint[], ids bigint[], members bigint[], without bigint[]) RETURNS TABLE (node bigint, part bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT c.node, c.component
	FROM (
		SELECT array_agg(pair.a) AS a, array_agg(pair.b) AS b
		FROM (
			SELECT m.id AS a, m.id AS b FROM unnest(members) m (id)
			UNION ALL
			SELECT first_value(s.id) OVER (PARTITION BY s.n), s.id FROM unnest(numbers, ids) s (n, id) WHERE s.id <> ALL (without)
		) pair
	) pairs, o2o.connected_components(pairs.a, pairs.b) c;
END $$;
COMMENT ON FUNCTION o2o.identity_sets_joined(bigint[], bigint[], bigint[], bigint[]) IS 'The parts that sets of profiles make of members: profile and lowest of its part. A set is the ids with the same number at the same place; those of without are left out of every set.';

CREATE OR REPLACE FUNCTION o2o.identity_shared_replay(members bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	link record;
	person record;
	sets bigint[] := '{}';				-- numbers and members of the sets so far
	ids bigint[] := '{}';
	before integer;						-- so many of these before the event at hand
	refused_a bigint[] := '{}';			-- pairs refused so far
	refused_b bigint[] := '{}';
	seen text[] := '{}';
	shown bigint[];						-- by the event at hand
	refused bigint[];					-- at the event at hand
	shared bigint[] := '{}';
	profiles bigint[];
	suspects bigint[];
	suspect bigint;
BEGIN
	FOR link IN
		SELECT e.evidence_id, e.status, e.rule, e.source, e.profiles,
			lag(e.event) OVER w IS DISTINCT FROM e.event AS is_first, lead(e.event) OVER w IS DISTINCT FROM e.event AS is_last
		FROM (
			SELECT v.evidence_id, v.status, v.rule, v.source, v.event_id, v.occurred_at,
				ROW (v.occurred_at, v.source, coalesce(v.event_id, v.evidence_id::text)) AS event, array_agg(u.id ORDER BY k.priority DESC, i.identifier, u.id) AS profiles
			FROM o2o.identity_evidence v, unnest(v.profiles) u (id)
				JOIN o2o.profile p ON p.profile_id = u.id
				JOIN o2o.identifier_kind k ON k.kind = p.kind
				LEFT JOIN o2o.profile_identifier i ON i.profile_id = u.id
			WHERE v.profile_id = ANY (members)
				AND (v.status = 'link' OR (v.status = 'suppressed' AND v.rule = 'event')
					OR (v.status = 'retracted' AND v.retract_reason = 'shared identifier' AND EXISTS (
						SELECT FROM o2o.profile_identifier q WHERE q.profile_id = ANY (v.profiles) AND q.is_shared AND q.shared_at IS NOT NULL)))
			GROUP BY v.profile_id, v.evidence_id
		) e
		WINDOW w AS (ORDER BY e.occurred_at, e.source COLLATE "C", coalesce(e.event_id, e.evidence_id::text) COLLATE "C", e.status = 'suppressed', e.evidence_id)
		ORDER BY e.occurred_at, e.source COLLATE "C", coalesce(e.event_id, e.evidence_id::text) COLLATE "C", e.status = 'suppressed', e.evidence_id
	LOOP
		IF link.is_first THEN
			shown := '{}';
			refused := '{}';
			before := cardinality(sets);
		END IF;
		-- What was marked by hand stays out of all of it.
		profiles := ARRAY(SELECT u.id FROM unnest(link.profiles) WITH ORDINALITY u (id, n)
			WHERE u.id <> ALL (shared) AND NOT EXISTS (SELECT FROM o2o.profile_identifier i WHERE i.profile_id = u.id AND i.is_shared AND i.shared_at IS NULL)
			ORDER BY u.n);
		IF cardinality(profiles) > 1 THEN
			IF link.status = 'suppressed' THEN
				refused_a := refused_a || profiles[1];
				refused_b := refused_b || profiles[2];
				refused := refused || profiles[2];
				shown := shown || profiles;
			ELSIF link.source || profiles::text <> ALL (seen) THEN
				-- Seen before, it would be known at once.
				seen := seen || (link.source || profiles::text);
				sets := sets || array_fill(link.evidence_id, ARRAY[cardinality(profiles)]);
				ids := ids || profiles;
				IF link.rule = 'event' THEN
					shown := shown || profiles;
				END IF;
			END IF;
		END IF;
		CONTINUE WHEN NOT link.is_last OR cardinality(shown) = 0;
		WITH part AS MATERIALIZED (
			SELECT j.node, j.part, k.kind, k.priority, k.shared_threshold
			FROM o2o.identity_sets_joined(sets, ids, members, shared) j
				JOIN o2o.profile p ON p.profile_id = j.node
				JOIN o2o.identifier_kind k ON k.kind = p.kind
		), kinds AS (
			SELECT part.part, part.kind, part.priority, count(*) AS n FROM part GROUP BY part.part, part.kind, part.priority
		)
		SELECT array_agg(part.node ORDER BY part.priority DESC, i.identifier, part.node) INTO suspects
		FROM part LEFT JOIN o2o.profile_identifier i ON i.profile_id = part.node
		WHERE part.node = ANY (shown) AND part.shared_threshold IS NOT NULL
			-- An event of one customer brings nobody together.
			AND (cardinality(refused) > 0
				OR (SELECT count(DISTINCT j.part) > 1 FROM o2o.identity_sets_joined(sets[:before], ids[:before], members, shared) j WHERE j.node = ANY (shown)))
			AND (part.node = ANY (refused) OR EXISTS (SELECT FROM kinds WHERE kinds.part = part.part AND kinds.priority > part.priority AND kinds.n > 1));
		FOREACH suspect IN ARRAY coalesce(suspects, '{}') LOOP
			SELECT k.priority, k.shared_threshold INTO person
			FROM o2o.profile p JOIN o2o.identifier_kind k ON k.kind = p.kind WHERE p.profile_id = suspect;
			IF (WITH joined AS MATERIALIZED (
					SELECT j.node, j.part FROM o2o.identity_sets_joined(sets, ids, members, shared) j
				), own AS MATERIALIZED (
					SELECT joined.node FROM joined WHERE joined.part = (SELECT o.part FROM joined o WHERE o.node = suspect)
				)
				SELECT coalesce((
						SELECT max(s.parts) FROM (
							SELECT count(DISTINCT j.part) AS parts
							FROM o2o.identity_sets_joined(sets, ids, members, shared || suspect) j
								JOIN own ON own.node = j.node
								JOIN o2o.profile p ON p.profile_id = j.node
								JOIN o2o.identifier_kind k ON k.kind = p.kind AND k.priority > person.priority
							GROUP BY p.kind) s), 0)
					+ (SELECT count(DISTINCT coalesce(joined.part, p.customer_id))
						FROM unnest(refused_a, refused_b) r (a, b)
							JOIN o2o.profile p ON p.profile_id = CASE WHEN r.a = suspect THEN r.b ELSE r.a END
							LEFT JOIN joined ON joined.node = p.profile_id
						WHERE suspect IN (r.a, r.b) AND p.profile_id NOT IN (SELECT own.node FROM own))) >= person.shared_threshold
			THEN
				shared := shared || suspect;
			END IF;
		END LOOP;
	END LOOP;
	RETURN ARRAY(SELECT u.id FROM unnest(shared) u (id) WHERE EXISTS (SELECT FROM o2o.profile_identifier i WHERE i.profile_id = u.id) ORDER BY u.id);
END $$;
COMMENT ON FUNCTION o2o.identity_shared_replay(bigint[]) IS 'The profiles, ascending, whose identifiers would have been marked shared by the shared_threshold of today: what was seen together is gone through once more in the order (occurred_at, source, event_id), links that detection took back included, and at each event of more than one customer it is asked of its identifiers, from the highest priority down, what identifier_is_overused() asks. members: all profiles of some customers. What was marked shared by hand (shared_at NULL) is left out.';

CREATE OR REPLACE FUNCTION o2o.identity_shared_plan(only_customers bigint[], only_profiles bigint[])
RETURNS TABLE (change text, customer_id bigint, profile_id bigint, kind text, members bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	found bigint[];
BEGIN
	FOR members IN
		WITH marked AS MATERIALIZED (
			SELECT i.profile_id, p.customer_id FROM o2o.profile_identifier i JOIN o2o.profile p ON p.profile_id = i.profile_id
			WHERE i.is_shared AND i.shared_at IS NOT NULL
		), joined AS (
			-- Detection held them apart: they are looked at together.
			SELECT m.customer_id AS a, q.customer_id AS b
			FROM o2o.identity_evidence e, unnest(e.profiles) s (id)
				JOIN marked m ON m.profile_id = s.id, unnest(e.profiles) u (id)
				JOIN o2o.profile q ON q.profile_id = u.id
			WHERE e.status = 'retracted' AND e.retract_reason = 'shared identifier'
		), counted AS (
			SELECT p.customer_id, p.kind, k.priority, k.shared_threshold, count(*) AS n
			FROM o2o.profile p JOIN o2o.identifier_kind k ON k.kind = p.kind
			GROUP BY p.customer_id, p.kind, k.priority, k.shared_threshold
		), refused AS (
			SELECT p.customer_id, count(*) AS n
			FROM o2o.identity_evidence e, unnest(e.profiles) u (id) JOIN o2o.profile p ON p.profile_id = u.id
			WHERE e.status = 'suppressed' AND e.rule = 'event'
			GROUP BY p.customer_id
		), crowd AS (
			SELECT weak.customer_id
			FROM counted weak
				LEFT JOIN counted strong ON strong.customer_id = weak.customer_id AND strong.priority > weak.priority
				LEFT JOIN refused ON refused.customer_id = weak.customer_id
			WHERE weak.shared_threshold IS NOT NULL AND coalesce(strong.n, 0) + coalesce(refused.n, 0) >= weak.shared_threshold
		), grouped AS (
			SELECT c.node, c.component
			FROM (
				SELECT array_agg(pair.a) AS a, array_agg(pair.b) AS b
				FROM (
					TABLE joined
					UNION ALL SELECT m.customer_id, m.customer_id FROM marked m
					UNION ALL SELECT DISTINCT crowd.customer_id, crowd.customer_id FROM crowd
				) pair
			) pairs, o2o.connected_components(pairs.a, pairs.b) c
		)
		SELECT array_agg(p.profile_id ORDER BY p.profile_id)
		FROM grouped g JOIN o2o.profile p ON p.customer_id = g.node
		GROUP BY g.component
		HAVING only_customers IS NULL OR bool_and(g.node = ANY (only_customers))
		ORDER BY g.component
	LOOP
		found := o2o.identity_shared_replay(members);
		RETURN QUERY
		SELECT CASE WHEN i.is_shared THEN 'unshare' ELSE 'share' END, p.customer_id, p.profile_id, p.kind, members
		FROM o2o.profile_identifier i JOIN o2o.profile p ON p.profile_id = i.profile_id
		WHERE i.profile_id = ANY (members) AND i.is_shared <> (i.profile_id = ANY (found)) AND (NOT i.is_shared OR i.shared_at IS NOT NULL)
			AND (only_profiles IS NULL OR i.profile_id = ANY (only_profiles))
		ORDER BY i.is_shared, i.profile_id;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.identity_shared_plan(bigint[], bigint[]) IS 'Identifiers that identity_reconcile() would mark shared, or make ordinary again (change: share, unshare), with customer and profile, and all profiles of the customers that are looked at together (members), among some customers (NULL: all) and some profiles (NULL: all).';
