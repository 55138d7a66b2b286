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

CREATE OR REPLACE FUNCTION o2o.identity_replay(root bigint, blocked bigint[])
RETURNS TABLE (evidence_id bigint, profile_id bigint, first_profile_id bigint, reason text, part bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	members bigint[] := o2o.customer_profiles(root);
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
		WHERE e.profile_id = ANY (members) AND e.status = 'link'
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
COMMENT ON FUNCTION o2o.identity_replay(bigint, bigint[]) IS 'The links in force of a customer once more under the rules of today: those given by hand first, which no rule refuses, then in the order (occurred_at, source, event_id). Rows of two sorts: a profile that is refused (evidence_id, profile_id, the first of the set, reason), and at the end the parts that come out (part). blocked: profiles whose identifier identifies nobody by now.';

CREATE OR REPLACE FUNCTION o2o.identity_reconcile_plan(only_customers bigint[])
RETURNS TABLE (change text, customer_id bigint, other_customer_id bigint, profiles bigint[], evidence_id bigint, reason text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
#variable_conflict use_column
DECLARE
	blocked bigint[] := o2o.identity_blocked();
	root bigint;
	link record;
	refused record;
	a bigint[];
	b bigint[];
BEGIN
	-- What the customers that change would be: their profiles with the lowest of their group.
	DROP TABLE IF EXISTS pg_temp.reconcile_member;
	CREATE TEMP TABLE reconcile_member (profile_id bigint PRIMARY KEY, group_id bigint NOT NULL) ON COMMIT DROP;
	CREATE INDEX ON pg_temp.reconcile_member (group_id);
	FOR root IN
		SELECT s.customer_id FROM (
			SELECT p.customer_id FROM o2o.profile p WHERE p.profile_id = ANY (blocked)
			UNION
			SELECT p.customer_id FROM o2o.profile p
			GROUP BY p.customer_id
			HAVING count(*) > 1 AND o2o.kinds_conflict(array_agg(p.kind), array_agg(p.scope)) IS NOT NULL
		) s
		WHERE only_customers IS NULL OR s.customer_id = ANY (only_customers)
		ORDER BY s.customer_id
	LOOP
		FOR refused IN
			WITH replay AS MATERIALIZED (SELECT * FROM o2o.identity_replay(root, blocked) WITH ORDINALITY r (evidence_id, profile_id, first_profile_id, reason, part, n))
			SELECT p.part, r.evidence_id, r.reason
			FROM replay p LEFT JOIN LATERAL (
				SELECT q.evidence_id, q.reason FROM replay q
				WHERE q.profile_id = ANY (p.part) OR q.first_profile_id = ANY (p.part)
				ORDER BY q.profile_id = ANY (p.part) DESC, q.n LIMIT 1) r ON true
			WHERE p.part IS NOT NULL AND root <> ALL (p.part)
			ORDER BY p.part
		LOOP
			INSERT INTO pg_temp.reconcile_member SELECT u.id, root FROM unnest(o2o.customer_profiles(root)) u (id) ON CONFLICT DO NOTHING;
			UPDATE pg_temp.reconcile_member m SET group_id = refused.part[1] WHERE m.profile_id = ANY (refused.part);
			RETURN QUERY VALUES ('split', root, refused.part[1], refused.part, refused.evidence_id, refused.reason);
		END LOOP;
	END LOOP;
	FOR link IN
		SELECT e.evidence_id, e.profiles, e.reason
		FROM o2o.identity_evidence e
			JOIN o2o.profile p ON p.profile_id = e.profiles[1]
			JOIN o2o.profile q ON q.profile_id = e.profiles[2]
		-- What a match model left to people is not a matter of these rules.
		WHERE e.status = 'suppressed' AND e.review IS NULL AND e.reason NOT LIKE 'match:%' AND NOT e.profiles && blocked
			AND NOT EXISTS (SELECT FROM o2o.profile_identifier i WHERE i.profile_id = ANY (e.profiles) AND i.is_shared)
			AND (only_customers IS NULL OR (p.customer_id = ANY (only_customers) AND q.customer_id = ANY (only_customers)))
		ORDER BY e.occurred_at, e.source COLLATE "C", e.event_id COLLATE "C", e.evidence_id
	LOOP
		a := o2o.reconcile_group(link.profiles[1]);
		b := o2o.reconcile_group(link.profiles[2]);
		IF a[1] > b[1] THEN
			SELECT b, a INTO a, b;
		END IF;
		IF a[1] <> b[1] AND o2o.profiles_conflict(a, b) IS NULL THEN
			INSERT INTO pg_temp.reconcile_member SELECT u.id, a[1] FROM unnest(a || b) u (id)
			ON CONFLICT (profile_id) DO UPDATE SET group_id = excluded.group_id;
			RETURN QUERY VALUES ('merge', a[1], b[1], b, link.evidence_id, link.reason);
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.identity_reconcile_plan(bigint[]) IS 'What identity_reconcile() would do among some customers (NULL: all), in the order in which it does it.';

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
		FROM o2o.identity_replay(root, o2o.identity_blocked()) r
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

CREATE OR REPLACE FUNCTION o2o.identity_reconcile(dry_run boolean DEFAULT true)
RETURNS TABLE (change text, customer_id bigint, other_customer_id bigint, profiles bigint[], evidence_id bigint, reason text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	moment timestamptz := now();
	customers bigint[];
	split_last bigint;
	link record;
	fresh bigint;
BEGIN
	IF dry_run IS NOT FALSE THEN
		RETURN QUERY SELECT * FROM o2o.identity_reconcile_plan(NULL);
		RETURN;
	END IF;
	-- The customers of the plan are locked in order; then the plan is made again, of these alone, as they stand under the locks.
	customers := ARRAY(SELECT u.id FROM o2o.identity_reconcile_plan(NULL) p, unnest(ARRAY[p.customer_id, p.other_customer_id]) u (id));
	customers := o2o.customer_lock(customers);
	FOR change, customer_id, other_customer_id, profiles, evidence_id, reason IN
		SELECT * FROM o2o.identity_reconcile_plan(coalesce(customers, '{}'))
	LOOP
		IF change = 'split' THEN
			IF split_last IS DISTINCT FROM customer_id THEN
				PERFORM o2o.identity_reconcile_split(customer_id, moment);
				split_last := customer_id;
			END IF;
		ELSE
			UPDATE o2o.identity_evidence e
			SET status = 'retracted', retracted_at = moment, retracted_by = session_user, retract_reason = 'allowed by the rules of now'
			WHERE e.profile_id = ANY (o2o.customer_profiles(identity_reconcile.customer_id) || identity_reconcile.profiles)
				AND e.evidence_id = identity_reconcile.evidence_id
			RETURNING e.profiles, e.rule, e.source, e.weight, e.event_id, e.occurred_at INTO link;
			fresh := o2o.evidence_record(link.profiles, 'link', link.rule, link.source, NULL, link.event_id, link.occurred_at);
			UPDATE o2o.identity_evidence e SET weight = link.weight WHERE e.profile_id = link.profiles[1] AND e.evidence_id = fresh;
			PERFORM o2o.customer_absorb(ARRAY[customer_id, other_customer_id], '{}', link.profiles[1], fresh, moment);
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.identity_reconcile(boolean) IS 'Applies the rules of today to what was linked before: after identifier_kind, identifier_block or the setting identity.customer_cap were changed. Links of a customer that violates a rule are gone through again in the order (occurred_at, source, event_id); those that a rule of today refuses are taken back and kept as suppressed. Then suppressed links that nobody decided on, and no rule of today refuses, are linked, in the same order. What was decided by hand stays: merges, splits, rejected links; so does what a match model left to review. Returns a row per change, in this order: change (split or merge); customer_id, which is split, or survives; other_customer_id, which comes out, or is absorbed; profiles, of that one; evidence_id, the piece of evidence that is refused or accepted; reason, the rule that refuses it, or refused it before: customer_cap, unique:<kind>, limit:<kind>, cannot_link, blocked:<kind>. dry_run (default true): changes nothing, but makes a temporary table, which a standby refuses. Otherwise one transaction, with the customers locked in order; customers that others change meanwhile wait for the next call. A merge can be taken back with customer_unmerge(), a split with evidence_accept(). Errors: 40001 under REPEATABLE READ.';
