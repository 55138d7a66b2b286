-- The identity room: customers under rules that were changed. The rules bind what
-- is linked from then on; identity_reconcile() applies them to what was linked before.

CREATE OR REPLACE FUNCTION o2o.identity_blocked() RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN ARRAY(
		SELECT DISTINCT i.profile_id
		FROM o2o.profile_identifier i JOIN o2o.identifier_block b ON b.kind IN ('*', o2o.identifier_kind(i.identifier))
		WHERE o2o.identifier_value(i.identifier) ~ b.pattern
		ORDER BY i.profile_id);
END $$;
COMMENT ON FUNCTION o2o.identity_blocked() IS 'The profiles whose identifier identifies nobody by the rows of identifier_block of today.';

CREATE OR REPLACE FUNCTION o2o.identity_period_holds(a bigint, b bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN EXISTS (
		SELECT FROM o2o.identifier_period q
			JOIN o2o.profile p ON p.profile_id = q.profile_id
			JOIN o2o.identifier_kind k ON k.kind = p.kind
		WHERE q.profile_id IN (a, b) AND q.successor_profile_id IN (a, b)
			AND (k.time_to_live IS NULL OR q.last_seen_at + k.time_to_live > coalesce(
				(SELECT n.valid_from FROM o2o.identifier_period n WHERE n.profile_id = q.successor_profile_id),
				(SELECT i.first_seen_at FROM o2o.profile_identifier i WHERE i.profile_id = q.successor_profile_id))));
END $$;
COMMENT ON FUNCTION o2o.identity_period_holds(bigint, bigint) IS 'Whether two profiles are one identifier before and after it expired, and it would not have expired by its kind''s time to live of today.';

CREATE OR REPLACE FUNCTION o2o.identity_replay(members bigint[], blocked bigint[], shared bigint[])
RETURNS TABLE (evidence_id bigint, profile_id bigint, first_profile_id bigint, reason text, part bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	component bigint[] := members;			-- aligned with members: lowest profile of its component
	link record;
	first bigint[];
	other bigint[];
	i integer;
BEGIN
	FOR link IN
		SELECT e.evidence_id, e.rule, array_agg(u.id ORDER BY u.id = ANY (blocked) AND e.rule <> 'manual', k.priority DESC, u.id) AS profiles
		FROM o2o.identity_evidence e, unnest(e.profiles) u (id)
			JOIN o2o.profile p ON p.profile_id = u.id
			JOIN o2o.identifier_kind k ON k.kind = p.kind
		WHERE e.profile_id = ANY (members || shared) AND e.status = 'link' AND u.id = ANY (members)
		GROUP BY e.profile_id, e.evidence_id
		ORDER BY e.rule <> 'manual', e.occurred_at, e.source COLLATE "C", e.event_id COLLATE "C", e.evidence_id
	LOOP
		FOR i IN 2 .. cardinality(link.profiles) LOOP
			first := ARRAY(SELECT m.id FROM unnest(members, component) m (id, c) WHERE m.c = component[array_position(members, link.profiles[1])] ORDER BY m.id);
			other := ARRAY(SELECT m.id FROM unnest(members, component) m (id, c) WHERE m.c = component[array_position(members, link.profiles[i])] ORDER BY m.id);
			reason := NULL;
			IF link.rule <> 'manual' THEN
				IF link.profiles[i] = ANY (blocked) THEN
					reason := 'blocked:' || (SELECT p.kind FROM o2o.profile p WHERE p.profile_id = link.profiles[i]);
				ELSIF link.rule = 'period' AND NOT o2o.identity_period_holds(link.profiles[1], link.profiles[i]) THEN
					reason := 'time_to_live:' || (SELECT p.kind FROM o2o.profile p WHERE p.profile_id = link.profiles[i]);
				ELSIF first[1] <> other[1] THEN
					reason := o2o.profiles_conflict(first, other);
				END IF;
			END IF;
			IF reason IS NULL THEN
				component := ARRAY(SELECT CASE WHEN m.c IN (first[1], other[1]) THEN least(first[1], other[1]) ELSE m.c END
					FROM unnest(component) WITH ORDINALITY m (c, n) ORDER BY m.n);
			ELSE
				evidence_id := link.evidence_id;
				profile_id := link.profiles[i];
				first_profile_id := link.profiles[1];
				RETURN NEXT;
			END IF;
		END LOOP;
	END LOOP;
	evidence_id := NULL;
	profile_id := NULL;
	first_profile_id := NULL;
	reason := NULL;
	FOR part IN
		SELECT array_agg(m.id ORDER BY m.id) FROM unnest(members, component) m (id, c) GROUP BY m.c ORDER BY m.c
	LOOP
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.identity_replay(bigint[], bigint[], bigint[]) IS 'The links in force among the profiles of a customer once more under the rules of today: those given by hand first, which no rule refuses, then in the order (occurred_at, source, event_id). Rows of two sorts: a profile that is refused (evidence_id, profile_id, the first of the set, reason), and at the end the parts that come out (part). blocked: profiles whose identifier identifies nobody by now; shared: profiles beside the members that sets still hold, and that are about to be marked shared.';

CREATE OR REPLACE FUNCTION o2o.identity_linkable(only_customers bigint[], without bigint[], unshared bigint[])
RETURNS TABLE (profile_id bigint, evidence_id bigint, reason text, source text, event_id text, occurred_at timestamptz, profiles bigint[], is_revived boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT e.profile_id, e.evidence_id, e.reason, e.source, e.event_id, e.occurred_at,
		array_agg(u.id ORDER BY k.priority DESC, u.id), false
	FROM o2o.identity_evidence e, unnest(e.profiles) u (id)
		JOIN o2o.profile p ON p.profile_id = u.id
		JOIN o2o.identifier_kind k ON k.kind = p.kind
	-- What a match model left to people is not a matter of these rules.
	WHERE e.status = 'suppressed' AND e.review IS NULL AND e.reason NOT LIKE 'match:%' AND NOT e.profiles && without
		AND NOT EXISTS (SELECT FROM o2o.profile_identifier i WHERE i.profile_id = ANY (e.profiles) AND i.is_shared AND i.profile_id <> ALL (unshared))
		AND (e.rule <> 'period' OR o2o.identity_period_holds(e.profiles[1], e.profiles[2]))
	GROUP BY e.profile_id, e.evidence_id
	HAVING only_customers IS NULL OR bool_and(p.customer_id = ANY (only_customers))
	UNION ALL
	SELECT e.profile_id, e.evidence_id, 'shared:' || (SELECT q.kind FROM o2o.profile q WHERE q.profile_id = ANY (e.profiles) AND q.profile_id = ANY (unshared) ORDER BY q.profile_id LIMIT 1),
		e.source, e.event_id, e.occurred_at, array_agg(u.id ORDER BY k.priority DESC, u.id), true
	FROM o2o.identity_evidence e, unnest(e.profiles) u (id)
		JOIN o2o.profile p ON p.profile_id = u.id
		JOIN o2o.identifier_kind k ON k.kind = p.kind
	WHERE e.status = 'retracted' AND e.retract_reason = 'shared identifier' AND e.profiles && unshared AND u.id <> ALL (without)
		AND NOT EXISTS (SELECT FROM o2o.profile_identifier i WHERE i.profile_id = u.id AND i.is_shared AND i.profile_id <> ALL (unshared))
	GROUP BY e.profile_id, e.evidence_id
	HAVING count(*) > 1 AND (only_customers IS NULL OR bool_and(p.customer_id = ANY (only_customers)))
	UNION ALL
	SELECT NULL, NULL, 'time_to_live:' || p.kind, n.source, NULL, i.valid_to, ARRAY[i.profile_id, i.successor_profile_id], false
	FROM o2o.identifier_period i
		JOIN o2o.profile p ON p.profile_id = i.profile_id
		JOIN o2o.profile n ON n.profile_id = i.successor_profile_id
	WHERE p.customer_id <> n.customer_id AND i.last_seen_at IS NOT NULL AND o2o.identity_period_holds(i.profile_id, i.successor_profile_id)
		AND NOT ARRAY[i.profile_id, i.successor_profile_id] && without
		AND NOT EXISTS (SELECT FROM o2o.identity_evidence e WHERE e.profile_id IN (i.profile_id, i.successor_profile_id) AND e.rule = 'period' AND e.status = 'suppressed'
			AND e.profiles @> ARRAY[i.profile_id, i.successor_profile_id])
		AND NOT EXISTS (SELECT FROM o2o.profile_identifier q WHERE q.profile_id = i.successor_profile_id AND q.is_shared)
		AND (only_customers IS NULL OR (p.customer_id = ANY (only_customers) AND n.customer_id = ANY (only_customers)));
END $$;
COMMENT ON FUNCTION o2o.identity_linkable(bigint[], bigint[], bigint[]) IS 'What identity_reconcile() may link, among some customers (NULL: all): pairs that a rule refused and nobody decided on; sets that detection took back (is_revived) from identifiers that are ordinary again (unshared, their profiles); identifiers before and after they expired by a time to live that is longer by now (evidence_id NULL). profiles: of the set, highest priority first, without those that may link nobody (without: blocked, or about to be shared).';

CREATE OR REPLACE FUNCTION o2o.identity_reconcile_plan(only_customers bigint[], only_profiles bigint[])
RETURNS TABLE (change text, customer_id bigint, other_customer_id bigint, profiles bigint[], evidence_id bigint, reason text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
#variable_conflict use_column
DECLARE
	blocked bigint[] := o2o.identity_blocked();
	shared bigint[] := '{}';
	unshared bigint[] := '{}';
	part record;
	link record;
	refused record;
	a bigint[];
	b bigint[];
	linked bigint[];
	joined bigint[];
	rule text;
	id bigint;
BEGIN
	-- What the customers that change would be: their profiles with the lowest of their group.
	DROP TABLE IF EXISTS pg_temp.reconcile_member;
	CREATE TEMP TABLE reconcile_member (profile_id bigint PRIMARY KEY, group_id bigint NOT NULL) ON COMMIT DROP;
	CREATE INDEX ON pg_temp.reconcile_member (group_id);
	FOR link IN SELECT * FROM o2o.identity_shared_plan(only_customers, only_profiles) LOOP
		IF link.change = 'share' THEN
			shared := shared || link.profile_id;
		ELSE
			unshared := unshared || link.profile_id;
		END IF;
		RETURN QUERY VALUES ('look', NULL::bigint, NULL::bigint, link.members, NULL::bigint, NULL),
			(link.change, link.customer_id, NULL, ARRAY[link.profile_id], NULL, 'shared:' || link.kind);
	END LOOP;
	-- Customers without those that become shared.
	INSERT INTO pg_temp.reconcile_member (profile_id, group_id)
	SELECT c.node, c.component
	FROM (
		SELECT array_agg(pair.a) AS a, array_agg(pair.b) AS b
		FROM (
			SELECT p.profile_id AS a, p.profile_id AS b
			FROM o2o.profile p WHERE p.customer_id IN (SELECT q.customer_id FROM o2o.profile q WHERE q.profile_id = ANY (shared))
			UNION ALL
			SELECT first_value(u.id) OVER (PARTITION BY e.evidence_id), u.id
			FROM o2o.profile p JOIN o2o.identity_evidence e ON e.profile_id = p.profile_id AND e.status = 'link', unnest(e.profiles) u (id)
			WHERE p.customer_id IN (SELECT q.customer_id FROM o2o.profile q WHERE q.profile_id = ANY (shared)) AND u.id <> ALL (shared)
		) pair
		HAVING count(*) > 0
	) pairs, o2o.connected_components(pairs.a, pairs.b) c;
	RETURN QUERY
	SELECT 'split', g.customer_id, g.group_id, g.profiles, NULL::bigint, 'shared:' || (
		SELECT q.kind FROM o2o.profile q WHERE q.customer_id = g.customer_id AND q.profile_id = ANY (shared)
		ORDER BY q.profile_id = ANY (g.profiles) DESC, q.profile_id LIMIT 1)
	FROM (
		SELECT p.customer_id, m.group_id, array_agg(m.profile_id ORDER BY m.profile_id) AS profiles
		FROM pg_temp.reconcile_member m JOIN o2o.profile p ON p.profile_id = m.profile_id
		GROUP BY p.customer_id, m.group_id
	) g
	WHERE g.group_id <> g.customer_id
	ORDER BY g.customer_id, g.group_id;
	FOR part IN
		SELECT s.group_id, array_agg(s.profile_id ORDER BY s.profile_id) AS members
		FROM (
			SELECT coalesce(m.group_id, p.customer_id) AS group_id, p.profile_id, p.kind, p.scope, EXISTS (
				SELECT FROM o2o.identity_evidence e WHERE e.profile_id = p.profile_id AND e.status = 'link' AND e.rule = 'period'
					AND NOT o2o.identity_period_holds(e.profiles[1], e.profiles[2])) AS is_over
			FROM o2o.profile p LEFT JOIN pg_temp.reconcile_member m ON m.profile_id = p.profile_id
			WHERE only_customers IS NULL OR p.customer_id = ANY (only_customers)
		) s
		GROUP BY s.group_id
		HAVING count(*) > 1 AND (bool_or(s.is_over) OR bool_or(s.profile_id = ANY (blocked)) OR o2o.kinds_conflict(array_agg(s.kind), array_agg(s.scope)) IS NOT NULL)
		ORDER BY s.group_id
	LOOP
		FOR refused IN
			WITH replay AS MATERIALIZED (SELECT * FROM o2o.identity_replay(part.members, blocked, shared) WITH ORDINALITY r (evidence_id, profile_id, first_profile_id, reason, part, n))
			SELECT p.part, r.evidence_id, r.reason
			FROM replay p LEFT JOIN LATERAL (
				SELECT q.evidence_id, q.reason FROM replay q
				WHERE q.profile_id = ANY (p.part) OR q.first_profile_id = ANY (p.part)
				ORDER BY q.profile_id = ANY (p.part) DESC, q.n LIMIT 1) r ON true
			WHERE p.part IS NOT NULL AND part.group_id <> ALL (p.part)
			ORDER BY p.part
		LOOP
			INSERT INTO pg_temp.reconcile_member SELECT u.id, part.group_id FROM unnest(part.members) u (id) ON CONFLICT DO NOTHING;
			UPDATE pg_temp.reconcile_member m SET group_id = refused.part[1] WHERE m.profile_id = ANY (refused.part);
			RETURN QUERY VALUES ('split', part.group_id, refused.part[1], refused.part, refused.evidence_id, refused.reason);
		END LOOP;
	END LOOP;
	FOR link IN
		SELECT * FROM o2o.identity_linkable(only_customers, blocked || shared, unshared) c
		ORDER BY c.occurred_at, c.source COLLATE "C", c.event_id COLLATE "C", c.evidence_id
	LOOP
		a := o2o.reconcile_group(link.profiles[1]);
		linked := link.profiles[1:1];
		joined := '{}';
		FOREACH id IN ARRAY link.profiles[2:] LOOP
			b := o2o.reconcile_group(id);
			rule := NULL;
			IF id <> ALL (a) THEN
				rule := o2o.profiles_conflict(CASE WHEN a[1] < b[1] THEN a ELSE b END, CASE WHEN a[1] < b[1] THEN b ELSE a END);
				IF rule IS NULL THEN
					a := ARRAY(SELECT u.id FROM unnest(a || b) u (id) ORDER BY u.id);
					joined := joined || id;
				ELSIF link.is_revived THEN
					RETURN QUERY VALUES ('refuse', link.profile_id, NULL::bigint, ARRAY[least(linked[1], id), greatest(linked[1], id)], link.evidence_id, rule);
				END IF;
			END IF;
			IF rule IS NULL THEN
				linked := linked || id;
			END IF;
		END LOOP;
		CONTINUE WHEN cardinality(joined) = 0 AND (NOT link.is_revived OR cardinality(linked) = 1);
		RETURN QUERY VALUES ('link', link.profile_id, NULL::bigint, ARRAY(SELECT u.id FROM unnest(linked) u (id) ORDER BY u.id), link.evidence_id, link.reason);
		FOREACH id IN ARRAY joined LOOP
			a := o2o.reconcile_group(linked[1]);
			-- As long as nobody is locked, others may bring together what is looked at.
			CONTINUE WHEN id = ANY (a);
			b := o2o.reconcile_group(id);
			IF a[1] > b[1] THEN
				SELECT b, a INTO a, b;
			END IF;
			INSERT INTO pg_temp.reconcile_member SELECT DISTINCT u.id, a[1] FROM unnest(a || b) u (id)
			ON CONFLICT (profile_id) DO UPDATE SET group_id = excluded.group_id;
			RETURN QUERY VALUES ('merge', a[1], b[1], b, link.evidence_id, link.reason);
		END LOOP;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.identity_reconcile_plan(bigint[], bigint[]) IS 'What identity_reconcile() would do among some customers (NULL: all), and to some identifiers (their profiles, NULL: all), in the order in which it does it. Beside the changes that it returns: look, profiles whose customers are looked at together; link, a set (profiles) comes in force, by evidence that was suppressed or taken back (NULL: of an identifier that expired), before its merges; refuse, a pair of such a set is refused by a rule; of these two customer_id is the profile_id of the evidence.';

CREATE OR REPLACE FUNCTION o2o.reconcile_group(profile_id bigint) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	planned bigint := (SELECT m.group_id FROM pg_temp.reconcile_member m WHERE m.profile_id = reconcile_group.profile_id);
BEGIN
	IF planned IS NULL THEN
		RETURN o2o.customer_profiles(o2o.profile_customer(profile_id));
	END IF;
	RETURN ARRAY(SELECT m.profile_id FROM pg_temp.reconcile_member m WHERE m.group_id = planned ORDER BY m.profile_id);
END $$;
COMMENT ON FUNCTION o2o.reconcile_group(bigint) IS 'The profiles, ascending, that would be one customer with a profile by the plan made so far.';

CREATE OR REPLACE FUNCTION o2o.identity_reconcile_split(root bigint, moment timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	link record;
	refused record;
	pair bigint[];
	recorded bigint;
BEGIN
	FOR link IN
		SELECT e.profile_id, e.evidence_id, e.profiles, e.rule, e.source, e.reason, e.weight, e.event_id, e.occurred_at,
			array_agg(r.profile_id) AS refused, array_agg(r.first_profile_id) AS firsts, array_agg(r.reason) AS reasons
		FROM o2o.identity_replay(o2o.customer_profiles(root), o2o.identity_blocked(), '{}') r
			JOIN o2o.identity_evidence e ON e.profile_id = ANY (o2o.customer_profiles(root)) AND e.evidence_id = r.evidence_id
		GROUP BY e.profile_id, e.evidence_id
		ORDER BY e.evidence_id
	LOOP
		UPDATE o2o.identity_evidence e
		SET status = 'retracted', retracted_at = moment, retracted_by = session_user, retract_reason = 'refused by the rules of now: ' || link.reasons[1]
		WHERE e.profile_id = link.profile_id AND e.evidence_id = link.evidence_id;
		-- What else was seen together stays together.
		IF cardinality(link.profiles) - cardinality(link.refused) > 1 THEN
			PERFORM o2o.evidence_record(ARRAY(SELECT u.id FROM unnest(link.profiles) u (id) WHERE u.id <> ALL (link.refused) ORDER BY u.id),
				'link', link.rule, link.source, link.reason, link.event_id, link.occurred_at);
		END IF;
		FOR refused IN SELECT u.profile_id, u.first, u.reason FROM unnest(link.refused, link.firsts, link.reasons) u (profile_id, first, reason) ORDER BY u.profile_id LOOP
			pair := ARRAY[least(refused.first, refused.profile_id), greatest(refused.first, refused.profile_id)];
			recorded := o2o.evidence_record(pair, 'suppressed', link.rule, link.source, refused.reason, link.event_id, link.occurred_at);
			UPDATE o2o.identity_evidence e SET weight = link.weight WHERE e.profile_id = pair[1] AND e.evidence_id = recorded;
		END LOOP;
	END LOOP;
	PERFORM o2o.identity_repartition(root, moment);
END $$;
COMMENT ON FUNCTION o2o.identity_reconcile_split(bigint, timestamptz) IS 'Takes back what the rules of today refuse of the links of a locked customer, keeps it as suppressed evidence, and splits the customer.';

CREATE OR REPLACE FUNCTION o2o.identity_reconcile_link(linked bigint[], by_profile bigint, by_evidence bigint, reason text, moment timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old record;
	fresh bigint;
BEGIN
	IF by_evidence IS NULL THEN
		RETURN o2o.evidence_record(linked, 'link', 'period', p.source, identity_reconcile_link.reason, NULL, q.valid_to)
		FROM o2o.identifier_period q JOIN o2o.profile p ON p.profile_id = q.successor_profile_id
		WHERE q.profile_id = ANY (linked) AND q.successor_profile_id = ANY (linked);
	END IF;
	-- What a suppressed link stood for is in force; what detection took back stays on record as it was.
	UPDATE o2o.identity_evidence e
	SET status = 'retracted', retracted_at = moment, retracted_by = session_user, retract_reason = 'allowed by the rules of now'
	WHERE e.profile_id = by_profile AND e.evidence_id = by_evidence AND e.status = 'suppressed';
	SELECT e.rule, e.source, e.weight, e.event_id, e.occurred_at INTO old
	FROM o2o.identity_evidence e
	WHERE e.profile_id = by_profile AND e.evidence_id = by_evidence;
	fresh := o2o.evidence_record(linked, 'link', old.rule, old.source, NULL, old.event_id, old.occurred_at);
	UPDATE o2o.identity_evidence e SET weight = old.weight WHERE e.profile_id = linked[1] AND e.evidence_id = fresh;
	RETURN fresh;
END $$;
COMMENT ON FUNCTION o2o.identity_reconcile_link(bigint[], bigint, bigint, text, timestamptz) IS 'Puts a set of profiles of locked customers in force that a suppressed or retracted piece of evidence (its key) showed (NULL: an identifier that expired and would not today). Returns the number of the link.';

CREATE OR REPLACE FUNCTION o2o.identity_reconcile(dry_run boolean DEFAULT true)
RETURNS TABLE (change text, customer_id bigint, other_customer_id bigint, profiles bigint[], evidence_id bigint, reason text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	moment timestamptz := now();
	planned bigint[];
	customers bigint[];
	known o2o.identifier;
	split_last bigint;
	linked bigint[];
	fresh bigint;
BEGIN
	IF dry_run IS NOT FALSE THEN
		RETURN QUERY SELECT * FROM o2o.identity_reconcile_plan(NULL, NULL) p WHERE p.change NOT IN ('look', 'link', 'refuse');
		RETURN;
	END IF;
	-- The identifiers and then the customers of the plan are locked in order; then the plan is made again, of these alone, as they stand under the locks.
	SELECT array_agg(u.id), array_agg(p.profiles[1]) FILTER (WHERE p.change IN ('share', 'unshare')) INTO customers, planned
	FROM o2o.identity_reconcile_plan(NULL, NULL) p, unnest(ARRAY[p.customer_id, p.other_customer_id] || CASE WHEN p.change IN ('look', 'refuse') THEN p.profiles END) u (id);
	FOR known IN SELECT i.identifier FROM o2o.profile_identifier i WHERE i.profile_id = ANY (planned) ORDER BY i.identifier LOOP
		PERFORM FROM o2o.profile_identifier i WHERE i.identifier OPERATOR(o2o.=) known FOR NO KEY UPDATE;
	END LOOP;
	customers := o2o.customer_lock(customers);
	FOR change, customer_id, other_customer_id, profiles, evidence_id, reason IN
		SELECT * FROM o2o.identity_reconcile_plan(coalesce(customers, '{}'), coalesce(planned, '{}'))
	LOOP
		CASE change
			WHEN 'look' THEN
				NULL;
			WHEN 'share' THEN
				PERFORM o2o.identifier_mark_shared(profiles[1], moment);
			WHEN 'unshare' THEN
				UPDATE o2o.profile_identifier i SET is_shared = false, shared_at = NULL WHERE i.profile_id = identity_reconcile.profiles[1];
			WHEN 'split' THEN
				-- Marking an identifier shared split its customer.
				IF reason NOT LIKE 'shared:%' AND split_last IS DISTINCT FROM customer_id THEN
					PERFORM o2o.identity_reconcile_split(customer_id, moment);
					split_last := customer_id;
				END IF;
			WHEN 'refuse' THEN
				PERFORM o2o.evidence_record(identity_reconcile.profiles, 'suppressed', e.rule, e.source, identity_reconcile.reason, e.event_id, e.occurred_at)
				FROM o2o.identity_evidence e WHERE e.profile_id = identity_reconcile.customer_id AND e.evidence_id = identity_reconcile.evidence_id;
			WHEN 'link' THEN
				linked := profiles;
				fresh := o2o.identity_reconcile_link(linked, customer_id, identity_reconcile.evidence_id, identity_reconcile.reason, moment);
			WHEN 'merge' THEN
				PERFORM o2o.customer_absorb(ARRAY[customer_id, other_customer_id], '{}', linked[1], fresh, moment);
		END CASE;
		IF change NOT IN ('look', 'link', 'refuse') THEN
			RETURN NEXT;
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.identity_reconcile(boolean) IS 'Applies the rules of today to what was linked before: after identifier_kind, identifier_block or the setting identity.customer_cap were changed. First shared identifiers: what was seen together is gone through again in the order (occurred_at, source, event_id), as if the shared_threshold of today had always been so; identifiers that would be shared are marked, those that would not be are ordinary again, and the links that detection took back come in force, as far as the other rules allow. What was marked shared by hand stays. Events after an identifier was marked left no trace of it, so they bring nobody together before they happen again; nor do repeats of one set on later days count as events of their own. Then links of a customer that violates a rule are gone through again in the same order; those that a rule of today refuses are taken back and kept as suppressed. Then suppressed links that nobody decided on, and no rule of today refuses, are linked, in the same order. A longer time_to_live makes one customer of those who had an identifier before and after it expired, where it would not expire today; a shorter one takes that back. It does not divide the time of an identifier that never expired: facts of all that time are its profile''s, and who had it when stays; whoever is unseen for the new time to live loses it at the next event. What was decided by hand stays: merges, splits, rejected links; so does what a match model left to review. Returns a row per change, in this order: change (share, unshare, split or merge); customer_id, of the identifier, which is split, or survives; other_customer_id, which comes out, or is absorbed (NULL: share, unshare); profiles, of that one, or of the identifier; evidence_id, the piece of evidence that is refused or accepted (NULL: none, or many); reason, the rule that refuses it, or refused it before: shared:<kind>, time_to_live:<kind>, customer_cap, unique:<kind>, limit:<kind>, cannot_link, blocked:<kind>. dry_run (default true): changes nothing, but makes a temporary table, which a standby refuses. Otherwise one transaction, with the identifiers and customers locked in order; customers that others change meanwhile wait for the next call. A merge can be taken back with customer_unmerge(), a split with evidence_accept(), a share or unshare by the old threshold and another call. Errors: 40001 under REPEATABLE READ.';
