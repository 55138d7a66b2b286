-- The identity room: merging by hand, taking a merge back, explaining, the
-- stream of changes. The real-time protocol stands in 22.

CREATE OR REPLACE FUNCTION o2o.identity_links(members bigint[]) RETURNS TABLE (evidence_id bigint, profiles bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT e.evidence_id, e.profiles
	FROM o2o.identity_evidence e
	WHERE e.profile_id = ANY (members) AND e.status = 'link'
	ORDER BY e.evidence_id;
END $$;
COMMENT ON FUNCTION o2o.identity_links(bigint[]) IS 'The links in force among the profiles of one customer: evidence_id and the set.';

CREATE OR REPLACE FUNCTION o2o.identity_repartition(root bigint, changed_at timestamptz) RETURNS TABLE (customer_id bigint, profiles bigint[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	members bigint[] := o2o.customer_profiles(root);
	part record;
BEGIN
	FOR part IN
		SELECT c.component, array_agg(c.node ORDER BY c.node) AS nodes
		FROM (
			SELECT array_agg(pair.a) AS a, array_agg(pair.b) AS b
			FROM (
				SELECT m.id AS a, m.id AS b FROM unnest(members) m (id)
				UNION ALL
				SELECT l.profiles[1], u.id FROM o2o.identity_links(members) l, unnest(l.profiles) u (id)
			) pair
		) pairs, o2o.connected_components(pairs.a, pairs.b) c
		GROUP BY c.component
		ORDER BY c.component
	LOOP
		IF part.component <> root THEN
			PERFORM o2o.customer_move(part.nodes, root, part.component, 'unmerge', identity_repartition.changed_at);
		END IF;
		INSERT INTO o2o.customer (customer_id, profile_count, created_at, changed_at)
		VALUES (part.component, cardinality(part.nodes), identity_repartition.changed_at, identity_repartition.changed_at)
		ON CONFLICT ON CONSTRAINT customer_pkey DO UPDATE SET profile_count = excluded.profile_count, changed_at = excluded.changed_at;
		customer_id := part.component;
		profiles := part.nodes;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.identity_repartition(bigint, timestamptz) IS 'Splits a locked customer into the connected components of its links in force. Every part gets the id that it had when it stood alone: the lowest of its profile ids. Returns the parts.';

CREATE OR REPLACE FUNCTION o2o.identity_separate(retract bigint[], pair bigint[], root bigint, reason text, undone_at timestamptz)
RETURNS TABLE (customer_id bigint, profiles bigint[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	UPDATE o2o.identity_evidence e
	SET status = 'retracted', retracted_at = identity_separate.undone_at, retracted_by = session_user, retract_reason = identity_separate.reason
	WHERE e.profile_id = ANY (o2o.customer_profiles(root)) AND e.evidence_id = ANY (retract) AND e.status = 'link';
	RETURN QUERY SELECT * FROM o2o.identity_repartition(root, identity_separate.undone_at);
	IF o2o.profile_customer(pair[1]) <> o2o.profile_customer(pair[2]) THEN
		PERFORM o2o.evidence_record(ARRAY[least(pair[1], pair[2]), greatest(pair[1], pair[2])],
			'cannot_link', 'manual', 'manual', identity_separate.reason, NULL, identity_separate.undone_at);
	END IF;
END $$;
COMMENT ON FUNCTION o2o.identity_separate(bigint[], bigint[], bigint, text, timestamptz) IS 'Retracts evidence of a locked customer and splits the customer. Where the two profiles of the pair are apart then, they cannot be linked again by an event. Returns the customers that came out.';

CREATE OR REPLACE FUNCTION o2o.identity_divide(root bigint, left_side bigint[], right_side bigint[]) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	crossing bigint[];
BEGIN
	SELECT array_agg(l.evidence_id) INTO crossing
	FROM o2o.identity_links(o2o.customer_profiles(root)) l
	WHERE l.profiles && left_side AND l.profiles && right_side;
	PERFORM o2o.evidence_record(part.profiles, 'link', e.rule, e.source, e.reason, e.event_id, e.occurred_at)
	FROM o2o.identity_evidence e, LATERAL (
			SELECT array_agg(u.id ORDER BY u.id) AS profiles
			FROM unnest(e.profiles) u (id)
			WHERE u.id = ANY (left_side || right_side)
			GROUP BY u.id = ANY (left_side)
		) part
	WHERE e.profile_id = ANY (o2o.customer_profiles(root)) AND e.evidence_id = ANY (crossing) AND cardinality(part.profiles) > 1
	ORDER BY e.evidence_id, part.profiles;
	RETURN crossing;
END $$;
COMMENT ON FUNCTION o2o.identity_divide(bigint, bigint[], bigint[]) IS 'The links in force of a locked customer that hold profiles of both sides, for identity_separate() to retract. A set of three or more goes on saying what it says of each side: that is recorded as links of their own.';

CREATE OR REPLACE FUNCTION o2o.customer_unmerge(merge_id bigint, reason text) RETURNS TABLE (customer_id bigint, profiles bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	merge record;
	pair bigint[];
	locked bigint[];
	crossing bigint[];
	moment timestamptz := now();
BEGIN
	SELECT * INTO merge FROM o2o.identity_merge m WHERE m.merge_id = customer_unmerge.merge_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no such merge'
			USING ERRCODE = 'O2203', DETAIL = format('Merge %s.', coalesce(customer_unmerge.merge_id::text, 'NULL')),
				HINT = 'o2o.identity_merge lists the merges.';
	END IF;
	-- The two that the evidence of the merge brought together, one of each side.
	-- An identifier that became shared since then was taken out of it.
	SELECT ARRAY[
		coalesce(min(u.id) FILTER (WHERE u.id = ANY (merge.survivor_profiles) AND NOT s.is_shared), min(u.id) FILTER (WHERE u.id = ANY (merge.survivor_profiles))),
		coalesce(min(u.id) FILTER (WHERE u.id = ANY (merge.absorbed_profiles) AND NOT s.is_shared), min(u.id) FILTER (WHERE u.id = ANY (merge.absorbed_profiles)))]
	INTO pair
	FROM o2o.identity_evidence e, unnest(e.profiles) u (id),
		LATERAL (SELECT EXISTS (SELECT FROM o2o.profile_identifier i WHERE i.profile_id = u.id AND i.is_shared) AS is_shared) s
	WHERE e.profile_id = merge.evidence_profile_id AND e.evidence_id = merge.evidence_id;
	locked := o2o.customer_lock(pair);
	UPDATE o2o.identity_merge m
	SET undone_at = moment, undone_by = session_user, undo_reason = customer_unmerge.reason
	WHERE m.survivor_customer_id = merge.survivor_customer_id AND m.merge_id = merge.merge_id AND m.undone_at IS NULL;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'this merge was undone before'
			USING ERRCODE = 'O2204', DETAIL = format('Merge %s.', merge.merge_id),
				HINT = 'o2o.identity_merge says when, by whom and why.';
	END IF;
	-- Where other evidence was taken back meanwhile, the two are apart already.
	IF locked[1] = locked[2] THEN
		crossing := o2o.identity_divide(locked[1], merge.survivor_profiles, merge.absorbed_profiles);
	END IF;
	RETURN QUERY SELECT * FROM o2o.identity_separate(crossing, pair, locked[1], customer_unmerge.reason, moment);
	IF locked[1] <> locked[2] THEN
		RETURN QUERY SELECT locked[2], o2o.customer_profiles(locked[2]);
	ELSIF o2o.profile_customer(pair[1]) = o2o.profile_customer(pair[2]) THEN
		RAISE EXCEPTION 'the customers are still connected by other evidence'
			USING ERRCODE = 'O2206', DETAIL = format('Evidence in force: %s.', (
					SELECT string_agg(l.evidence_id::text, ', ') FROM o2o.identity_links(o2o.customer_profiles(o2o.profile_customer(pair[1]))) l)),
				HINT = 'Take back the later merges or pieces of evidence first; identity_explain() shows the path.';
	END IF;
END $$;
COMMENT ON FUNCTION o2o.customer_unmerge(bigint, text) IS 'Takes a merge back: the evidence that holds the two sides together is retracted (a set of three or more goes on holding what it showed of one side), both get the ids they had before, every order and every point is where it was, and a later event does not merge them again (cannot_link). Returns the customers that came out, with their profiles. Errors: O2203 no such merge, O2204 undone before, O2206 other evidence still connects the sides (nothing is changed; evidence_retract() takes such a piece back).';

CREATE OR REPLACE FUNCTION o2o.evidence_retract(evidence_id bigint, reason text) RETURNS TABLE (customer_id bigint, profiles bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	evidence record;
	locked bigint[];
BEGIN
	SELECT * INTO evidence FROM o2o.identity_evidence e
	WHERE e.evidence_id = evidence_retract.evidence_id AND e.status = 'link';
	IF FOUND THEN
		-- Somebody else may take it back while this call waits.
		locked := o2o.customer_lock(ARRAY[evidence.profile_id]);
		PERFORM FROM o2o.identity_evidence e
		WHERE e.profile_id = evidence.profile_id AND e.evidence_id = evidence.evidence_id AND e.status = 'link';
	END IF;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no such evidence in force'
			USING ERRCODE = 'O2203', DETAIL = format('Evidence %s.', coalesce(evidence_retract.evidence_id::text, 'NULL')),
				HINT = 'o2o.identity_evidence lists the evidence; links in force have the status link.';
	END IF;
	RETURN QUERY
	SELECT * FROM o2o.identity_separate(ARRAY[evidence.evidence_id], evidence.profiles[1:2], locked[1], evidence_retract.reason, now());
END $$;
COMMENT ON FUNCTION o2o.evidence_retract(bigint, text) IS 'Takes one piece of evidence back: for links that came by import, where no merge was logged, and for what holds a merge that is to be undone. Where nothing else connects its first two profiles, they are two customers from now on and a later event does not merge them again. Returns the customers that came out, one where other evidence still holds them together. Error: O2203 no such evidence in force.';

CREATE OR REPLACE FUNCTION o2o.customer_merge(a bigint, b bigint, reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	pair bigint[] := ARRAY[least(o2o.person_profile(a), o2o.person_profile(b)), greatest(a, b)];
	locked bigint[];
	members bigint[];
	moment timestamptz := now();
BEGIN
	IF a IS NULL OR b IS NULL THEN
		RAISE EXCEPTION 'a merge needs two persons' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF pair[1] = pair[2] THEN
		RETURN o2o.profile_customer(pair[1]);
	END IF;
	locked := o2o.customer_lock(pair);
	members := o2o.customer_profiles(locked[1]) || o2o.customer_profiles(locked[2]);
	-- What a person decides now stands above what was decided before.
	UPDATE o2o.identity_evidence e
	SET status = 'retracted', retracted_at = moment, retracted_by = session_user, retract_reason = customer_merge.reason
	WHERE e.profile_id = ANY (members) AND e.status = 'cannot_link' AND e.profiles <@ members;
	IF locked[1] <> locked[2] AND cardinality(members) > o2o.identity_setting('customer_cap')::integer THEN
		RAISE EXCEPTION 'a customer may not have so many profiles'
			USING ERRCODE = 'O2202', DETAIL = format('Both together have %s profiles, the cap is %s.', cardinality(members), o2o.identity_setting('customer_cap')),
				HINT = 'The setting identity.customer_cap in o2o.setting holds the cap.';
	END IF;
	PERFORM o2o.evidence_record(pair, 'link', 'manual', 'manual', customer_merge.reason, NULL, moment);
	IF locked[1] <> locked[2] THEN
		RETURN o2o.customer_absorb(locked, '{}', pair[1], (
			SELECT e.evidence_id FROM o2o.identity_evidence e
			WHERE e.profile_id = pair[1] AND e.profiles = pair AND e.rule = 'manual' AND e.status = 'link'), moment);
	END IF;
	RETURN locked[1];
END $$;
COMMENT ON FUNCTION o2o.customer_merge(bigint, bigint, text) IS 'Merges two customers (given by any profile or customer id) by hand, with a reason; an earlier cannot_link between them is taken back. Returns the surviving customer. Undo: customer_unmerge(). Errors: O2201 no such profile, O2202 the two together pass the cap, 22004 one is NULL.';

CREATE OR REPLACE FUNCTION o2o.customer_merge(a o2o.identifier, b o2o.identifier, reason text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT o2o.customer_merge(o2o.person_profile(a), o2o.person_profile(b), reason)
$$;
COMMENT ON FUNCTION o2o.customer_merge(o2o.identifier, o2o.identifier, text) IS 'The same for customers given by an identifier each.';

CREATE OR REPLACE FUNCTION o2o.identifier_reassign(identifier o2o.identifier, reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old record;
	fresh bigint := nextval('o2o.profile_id_seq');
	moment timestamptz := now();
BEGIN
	PERFORM FROM o2o.profile_identifier i
	WHERE i.identifier OPERATOR(o2o.=) identifier_reassign.identifier
	FOR NO KEY UPDATE;
	IF identifier_reassign.identifier IS NULL THEN
		RAISE EXCEPTION 'there is no identifier to reassign' USING ERRCODE = 'null_value_not_allowed';
	ELSIF NOT FOUND THEN
		PERFORM o2o.person_profile(identifier_reassign.identifier);
	END IF;
	-- In a later statement: it may have gone to another profile while this call waited.
	SELECT i.profile_id, i.first_seen_at, p.kind, p.scope, p.source INTO old
	FROM o2o.profile_identifier i JOIN o2o.profile p ON p.profile_id = i.profile_id
	WHERE i.identifier OPERATOR(o2o.=) identifier_reassign.identifier;
	UPDATE o2o.profile_identifier i SET profile_id = fresh, is_shared = false, shared_at = NULL, first_seen_at = moment, last_seen_at = moment
	WHERE i.identifier OPERATOR(o2o.=) identifier_reassign.identifier;
	INSERT INTO o2o.identifier_period (profile_id, successor_profile_id, valid_from, valid_to, reason)
	VALUES (old.profile_id, fresh, old.first_seen_at, moment, identifier_reassign.reason);
	INSERT INTO o2o.profile (profile_id, customer_id, kind, scope, source, created_at)
	VALUES (fresh, fresh, old.kind, old.scope, old.source, moment);
	INSERT INTO o2o.customer (customer_id, profile_count, created_at, changed_at) VALUES (fresh, 1, moment, moment);
	RETURN fresh;
END $$;
COMMENT ON FUNCTION o2o.identifier_reassign(o2o.identifier, text) IS 'Says that an identifier belongs to somebody else from now on, such as a recycled phone number or a card handed on: it means a new profile (returned), and the new owner sees neither orders nor points of the old one, whose history stays. reason is free text. Errors: O2201 nobody has the identifier, 22004 it is NULL.';

CREATE OR REPLACE FUNCTION o2o.identity_explain(a bigint, b bigint)
RETURNS TABLE (step integer, "from" text, "to" text, rule text, source text, at timestamptz, weight double precision, evidence_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	root bigint := o2o.profile_customer(a);
	reached bigint[] := ARRAY[a];
	via_profile bigint[] := ARRAY[NULL::bigint];	-- aligned with reached
	via_evidence bigint[] := ARRAY[NULL::bigint];
	path bigint[] := '{}';							-- positions in reached, from b back to a
	link record;
	node bigint;
	i integer := 1;
BEGIN
	IF root <> o2o.profile_customer(b) OR a = b THEN
		RETURN;
	END IF;
	-- Breadth first from a: each set of evidence reaches all of its profiles.
	WHILE i <= cardinality(reached) AND NOT b = ANY (reached) LOOP
		FOR link IN
			SELECT l.evidence_id, l.profiles FROM o2o.identity_links(o2o.customer_profiles(root)) l
			WHERE reached[i] = ANY (l.profiles)
			ORDER BY l.evidence_id
		LOOP
			FOREACH node IN ARRAY link.profiles LOOP
				IF NOT node = ANY (reached) THEN
					reached := reached || node;
					via_profile := via_profile || reached[i];
					via_evidence := via_evidence || link.evidence_id;
				END IF;
			END LOOP;
		END LOOP;
		i := i + 1;
	END LOOP;
	i := array_position(reached, b);
	WHILE i > 1 LOOP
		path := i || path;
		i := array_position(reached, via_profile[i]);
	END LOOP;
	RETURN QUERY
	SELECT p.n::integer, o2o.profile_label(via_profile[p.at]), o2o.profile_label(reached[p.at]),
		e.rule, e.source, e.occurred_at, e.weight, e.evidence_id
	FROM unnest(path) WITH ORDINALITY p (at, n)
		JOIN o2o.identity_evidence e ON e.evidence_id = via_evidence[p.at] AND e.profile_id = ANY (o2o.customer_profiles(root))
	ORDER BY p.n;
END $$;
COMMENT ON FUNCTION o2o.identity_explain(bigint, bigint) IS 'Why two profiles are one customer: the shortest path of evidence from one to the other: step, from and to (kind and masked end of the identifier), rule (event, match, period, manual), source, at (when it was seen), weight (log-odds to base 2, of a match; NULL: certain), evidence_id (for evidence_retract()). No row when they are different customers or the same profile.';

CREATE OR REPLACE FUNCTION o2o.identity_explain(a o2o.identifier, b o2o.identifier)
RETURNS TABLE (step integer, "from" text, "to" text, rule text, source text, at timestamptz, weight double precision, evidence_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM o2o.identity_explain(o2o.person_profile(a), o2o.person_profile(b));
END $$;
COMMENT ON FUNCTION o2o.identity_explain(o2o.identifier, o2o.identifier) IS 'The same for two identifiers, such as identity_explain(''unionid:oX1'', ''card:88001''). Error: O2201 nobody has one of them.';

CREATE OR REPLACE FUNCTION o2o.profile_label(profile_id bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(
		(SELECT o2o.identifier_mask(i.identifier) FROM o2o.profile_identifier i WHERE i.profile_id = profile_label.profile_id),
		(SELECT p.kind || ' (no longer in use)' FROM o2o.profile p WHERE p.profile_id = profile_label.profile_id),
		'anonymous')
$$;
COMMENT ON FUNCTION o2o.profile_label(bigint) IS 'What to call a profile without showing the identifier: kind and masked end.';

CREATE OR REPLACE FUNCTION o2o.customer_changes(since_seq bigint DEFAULT 0)
RETURNS TABLE (seq bigint, profile_id bigint, old_customer_id bigint, new_customer_id bigint, cause text, changed_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	horizon bigint;
BEGIN
	SELECT b.base + pg_snapshot_xmin(pg_current_snapshot())::text::bigint INTO horizon
	FROM o2o.change_base b WHERE b.system_identifier = (SELECT c.system_identifier FROM pg_control_system() c);
	RETURN QUERY
	SELECT c.seq, c.profile_id, c.old_customer_id, c.new_customer_id, c.cause, c.changed_at
	FROM o2o.customer_change c
	WHERE c.seq > since_seq
		-- A transaction still open may yet write a number at or above the horizon.
		AND (horizon IS NULL OR c.seq < horizon)
	ORDER BY c.seq, c.change_id;
END $$;
COMMENT ON FUNCTION o2o.customer_changes(bigint) IS 'For warehouses: profiles that went from one customer to another since a number: seq, profile_id, old and new customer, cause (merge, unmerge), when. Rows of one transaction share seq; keep the highest seq that you got and pass it next time, none is missed or repeated, also across dump and restore.';

CREATE OR REPLACE FUNCTION o2o.identity_verify() RETURNS TABLE ("check" text, customer_id bigint, detail text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT 'partition = components of the evidence in force', p.customer_id,
		format('profile %s: component %s', p.profile_id, coalesce(c.component, p.profile_id))
	FROM o2o.profile p
		LEFT JOIN (
			SELECT f.node, f.component
			FROM (
				SELECT array_agg(l.profiles[1]) AS a, array_agg(l.id) AS b
				FROM (
					SELECT (array_agg(u.id) OVER set_) AS profiles, u.id
					FROM o2o.identity_evidence e, unnest(e.profiles) u (id)
					WHERE e.status = 'link'
					WINDOW set_ AS (PARTITION BY e.evidence_id ORDER BY u.id)
				) l
			) pairs, o2o.connected_components(pairs.a, pairs.b) f
		) c ON c.node = p.profile_id
	WHERE p.customer_id <> coalesce(c.component, p.profile_id);
	RETURN QUERY
	SELECT 'profile_count = number of profiles', coalesce(c.customer_id, p.customer_id),
		format('counted %s, recorded %s', coalesce(p.n, 0), c.profile_count)
	FROM o2o.customer c
		FULL JOIN (SELECT q.customer_id, count(*) AS n FROM o2o.profile q GROUP BY q.customer_id) p ON p.customer_id = c.customer_id
	WHERE coalesce(p.n, 0) IS DISTINCT FROM c.profile_count::bigint;
	RETURN QUERY
	SELECT 'identifier has a profile', NULL::bigint, format('profile %s', i.profile_id)
	FROM o2o.profile_identifier i
	WHERE NOT EXISTS (SELECT FROM o2o.profile p WHERE p.profile_id = i.profile_id);
	RETURN QUERY
	SELECT 'shared identifier links nobody', p.customer_id, format('profile %s, evidence %s', p.profile_id, e.evidence_id)
	FROM o2o.identity_evidence e, unnest(e.profiles) u (id)
		JOIN o2o.profile_identifier i ON i.profile_id = u.id AND i.is_shared
		JOIN o2o.profile p ON p.profile_id = u.id
	WHERE e.status = 'link' AND e.rule <> 'manual';
	RETURN QUERY
	SELECT 'cannot_link keeps apart', p.customer_id, format('profiles %s and %s', e.profiles[1], e.profiles[2])
	FROM o2o.identity_evidence e
		JOIN o2o.profile p ON p.profile_id = e.profiles[1]
		JOIN o2o.profile q ON q.profile_id = e.profiles[2] AND q.customer_id = p.customer_id
	WHERE e.status = 'cannot_link';
END $$;
COMMENT ON FUNCTION o2o.identity_verify() IS 'No row when identity is consistent: customers equal the connected components of the links in force, counts agree, each identifier has a profile, no event in force links a shared one, and no two profiles that cannot link are one customer. Returns check, customer, detail otherwise.';
