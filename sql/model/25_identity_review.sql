-- The identity room: what people decide. Splitting by hand, keeping apart, the
-- review of suppressed links, what holds a customer together, and identify() for
-- many events. How a customer came to be stands in 25_identity_history.

CREATE OR REPLACE FUNCTION o2o.customer_split(split_off bigint[], reason text) RETURNS TABLE (customer_id bigint, profiles bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	leaving bigint[] := ARRAY(SELECT DISTINCT u.id FROM unnest(split_off) u (id) WHERE u.id IS NOT NULL ORDER BY u.id);
	roots bigint[];
	staying bigint[];
	crossing bigint[];
	moment timestamptz := now();
BEGIN
	roots := o2o.customer_lock(leaving);
	staying := ARRAY(SELECT u.id FROM unnest(o2o.customer_profiles(roots[1])) u (id) WHERE NOT u.id = ANY (leaving) ORDER BY u.id);
	IF roots IS NULL OR NOT roots[1] = ALL (roots) OR cardinality(staying) = 0 THEN
		RAISE EXCEPTION 'profiles to split off must be some, and not all, of one customer'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Profiles %s of customers %s.', leaving, coalesce(roots, '{}'));
	END IF;
	crossing := o2o.identity_divide(roots[1], leaving, staying);
	RETURN QUERY
	SELECT * FROM o2o.identity_separate(crossing, ARRAY[leaving[1], staying[1]], roots[1], customer_split.reason, moment);
END $$;
COMMENT ON FUNCTION o2o.customer_split(bigint[], text) IS 'Splits profiles off their customer, with a reason: every link between them and the rest is retracted, what links them among themselves stays, and a later event does not merge the two again (cannot_link). Orders and points go with their profiles. Returns the customers that came out; where one side was held together by the other alone, it comes out in parts. Error: 22023 no profile, profiles of several customers, or all profiles of one.';

CREATE OR REPLACE FUNCTION o2o.customer_split(split_off o2o.identifier[], reason text) RETURNS TABLE (customer_id bigint, profiles bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM o2o.customer_split(ARRAY(SELECT o2o.person_profile(u.id) FROM unnest(split_off) u (id)), reason);
END $$;
COMMENT ON FUNCTION o2o.customer_split(o2o.identifier[], text) IS 'The same for the profiles of identifiers, such as customer_split(''{card:88001}''::identifier[], ''two people''). Error also: O2201 nobody has one of them.';

CREATE OR REPLACE FUNCTION o2o.customer_keep_apart(a bigint, b bigint, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	pair bigint[] := ARRAY[least(o2o.person_profile(a), o2o.person_profile(b)), greatest(a, b)];
	locked bigint[];
BEGIN
	IF a IS NULL OR b IS NULL THEN
		RAISE EXCEPTION 'keeping apart needs two persons' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	locked := o2o.customer_lock(pair);
	IF locked[1] = locked[2] THEN
		RAISE EXCEPTION 'the two are one customer'
			USING ERRCODE = 'O2202', DETAIL = format('Customer %s.', locked[1]),
				HINT = 'Split it first, with customer_split() or customer_unmerge().';
	END IF;
	PERFORM o2o.evidence_record(pair, 'cannot_link', 'manual', 'manual', customer_keep_apart.reason, NULL, now());
END $$;
COMMENT ON FUNCTION o2o.customer_keep_apart(bigint, bigint, text) IS 'Says that two customers (given by any profile or customer id) are two people: no event and no batch merges them (cannot_link). customer_merge() takes it back. Errors: O2201 no such profile, O2202 they are one customer, 22004 one of them is NULL.';

CREATE OR REPLACE FUNCTION o2o.customer_keep_apart(a o2o.identifier, b o2o.identifier, reason text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT o2o.customer_keep_apart(o2o.person_profile(a), o2o.person_profile(b), reason)
$$;
COMMENT ON FUNCTION o2o.customer_keep_apart(o2o.identifier, o2o.identifier, text) IS 'The same for customers given by an identifier each.';

CREATE OR REPLACE VIEW o2o.identity_review AS
	SELECT e.evidence_id, e.profiles[1] AS profile_a, e.profiles[2] AS profile_b,
		p.customer_id AS customer_a, q.customer_id AS customer_b, p.kind AS kind_a, q.kind AS kind_b,
		e.reason, e.source, e.event_id, e.occurred_at, e.last_seen_at, e.weight
	FROM o2o.identity_evidence e
		JOIN o2o.profile p ON p.profile_id = e.profiles[1]
		JOIN o2o.profile q ON q.profile_id = e.profiles[2]
	WHERE e.status = 'suppressed' AND e.review IS NULL AND p.customer_id <> q.customer_id;
COMMENT ON VIEW o2o.identity_review IS 'Links that a rule refused and nobody decided on: one row per pair of profiles. evidence_accept() merges the two, evidence_reject() keeps them apart. Live; times are instants.';
COMMENT ON COLUMN o2o.identity_review.evidence_id IS 'The refused link, for evidence_accept() and evidence_reject()';
COMMENT ON COLUMN o2o.identity_review.profile_a IS 'The profile with the lower id';
COMMENT ON COLUMN o2o.identity_review.profile_b IS 'The other profile';
COMMENT ON COLUMN o2o.identity_review.customer_a IS 'Customer of today of profile_a';
COMMENT ON COLUMN o2o.identity_review.customer_b IS 'Customer of today of profile_b';
COMMENT ON COLUMN o2o.identity_review.kind_a IS 'Kind of the identifier of profile_a';
COMMENT ON COLUMN o2o.identity_review.kind_b IS 'Kind of the identifier of profile_b';
COMMENT ON COLUMN o2o.identity_review.reason IS 'The rule: customer_cap, cannot_link, unique:<kind>, limit:<kind>, blocked:<kind>, time_to_live:<kind>; of a match also match:review (below the link threshold) and match:cluster (the clusters of the two disagree)';
COMMENT ON COLUMN o2o.identity_review.source IS 'Source of the event; match, of a match';
COMMENT ON COLUMN o2o.identity_review.event_id IS 'The event in its source; model/version, of a match; NULL: not given';
COMMENT ON COLUMN o2o.identity_review.occurred_at IS 'When the two were first seen together';
COMMENT ON COLUMN o2o.identity_review.last_seen_at IS 'When they were last seen together';
COMMENT ON COLUMN o2o.identity_review.weight IS 'Log-odds to base 2 that they are one person, of a match; NULL: of an event';

CREATE OR REPLACE FUNCTION o2o.evidence_decide(evidence_id bigint, decision text) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	pair bigint[];
BEGIN
	SELECT e.profiles INTO pair FROM o2o.identity_evidence e
	WHERE e.evidence_id = evidence_decide.evidence_id AND e.status = 'suppressed';
	IF FOUND THEN
		PERFORM o2o.customer_lock(pair);
		UPDATE o2o.identity_evidence e
		SET review = evidence_decide.decision, reviewed_at = now(), reviewed_by = session_user
		WHERE e.profile_id = pair[1] AND e.evidence_id = evidence_decide.evidence_id AND e.review IS NULL;
	END IF;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no such link to decide on'
			USING ERRCODE = 'O2203', DETAIL = format('Evidence %s.', coalesce(evidence_decide.evidence_id::text, 'NULL')),
				HINT = 'o2o.identity_review lists the refused links that nobody decided on.';
	END IF;
	RETURN pair;
END $$;
COMMENT ON FUNCTION o2o.evidence_decide(bigint, text) IS 'Notes the decision (accepted, rejected) on a suppressed link under the locks of its customers, and returns its two profiles. Error: O2203 there is no such link, or somebody decided before.';

CREATE OR REPLACE FUNCTION o2o.evidence_accept(evidence_id bigint, reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	pair bigint[] := o2o.evidence_decide(evidence_id, 'accepted');
BEGIN
	RETURN o2o.customer_merge(pair[1], pair[2], reason);
END $$;
COMMENT ON FUNCTION o2o.evidence_accept(bigint, text) IS 'Review: a refused link is right after all. Merges the two customers as customer_merge() does and returns the survivor. Errors: O2203 no such link or decided before, O2202 both together pass the cap.';

CREATE OR REPLACE FUNCTION o2o.evidence_reject(evidence_id bigint, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	pair bigint[] := o2o.evidence_decide(evidence_id, 'rejected');
BEGIN
	PERFORM o2o.customer_keep_apart(pair[1], pair[2], reason);
END $$;
COMMENT ON FUNCTION o2o.evidence_reject(bigint, text) IS 'Review: a refused link is wrong. The two are kept apart from now on, as customer_keep_apart() does. Errors: O2203 no such link or decided before, O2202 they are one customer by now.';

CREATE OR REPLACE FUNCTION o2o.identity_bridges(person bigint)
RETURNS TABLE (evidence_id bigint, profiles bigint[], part_sizes integer[], rule text, source text, at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	members bigint[] := o2o.customer_profiles(o2o.profile_customer(o2o.person_profile(person)));
BEGIN
	RETURN QUERY
	SELECT e.evidence_id, e.profiles, parts.sizes, e.rule, e.source, e.occurred_at
	FROM o2o.identity_evidence e, LATERAL (
			SELECT array_agg(s.size::integer ORDER BY s.size DESC) AS sizes
			FROM (
				SELECT count(*) AS size
				FROM (
					SELECT array_agg(pair.a) AS a, array_agg(pair.b) AS b
					FROM (
						SELECT m.id AS a, m.id AS b FROM unnest(members) m (id)
						UNION ALL
						SELECT l.profiles[1], u.id FROM o2o.identity_links(members) l, unnest(l.profiles) u (id)
						WHERE l.evidence_id <> e.evidence_id
					) pair
				) pairs, o2o.connected_components(pairs.a, pairs.b) c
				GROUP BY c.component
			) s
		) parts
	WHERE e.profile_id = ANY (members) AND e.status = 'link' AND cardinality(parts.sizes) > 1
	ORDER BY parts.sizes[2] DESC, e.evidence_id;
END $$;
COMMENT ON FUNCTION o2o.identity_bridges(bigint) IS 'The single pieces of evidence that hold a customer (given by any profile or customer id) together: taking one back would split it into parts of part_sizes profiles. The ones that hold the largest parts come first: the first place to look for a wrong merge. Error: O2201 no such profile.';

CREATE OR REPLACE FUNCTION o2o.identity_bridges(person o2o.identifier)
RETURNS TABLE (evidence_id bigint, profiles bigint[], part_sizes integer[], rule text, source text, at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM o2o.identity_bridges(o2o.person_profile(person));
END $$;
COMMENT ON FUNCTION o2o.identity_bridges(o2o.identifier) IS 'The same for a customer known by an identifier. Error: O2201 nobody has the identifier.';

CREATE OR REPLACE FUNCTION o2o.identify_many(identifiers jsonb[], source text, event_ids text[] DEFAULT NULL, occurred_at timestamptz[] DEFAULT NULL)
RETURNS TABLE (ordinal bigint, profile_id bigint, customer_id bigint, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	event record;
BEGIN
	IF cardinality(event_ids) <> cardinality(identifiers) OR cardinality(occurred_at) <> cardinality(identifiers) THEN
		RAISE EXCEPTION 'arrays of identify_many must have the same length'
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('identifiers has %s elements, event_ids %s, occurred_at %s.', cardinality(identifiers),
					coalesce(cardinality(event_ids)::text, 'none'), coalesce(cardinality(occurred_at)::text, 'none'));
	END IF;
	FOR event IN
		SELECT u.n, u.identifiers, u.event_id, u.at
		FROM unnest(identifiers, event_ids, occurred_at) WITH ORDINALITY u (identifiers, event_id, at, n)
		ORDER BY u.at, u.event_id, u.n
	LOOP
		ordinal := event.n;
		SELECT i.profile_id, i.customer_id, i.outcome INTO profile_id, customer_id, outcome
		FROM o2o.identify(event.identifiers, identify_many.source, event_id => event.event_id, occurred_at => event.at) i;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.identify_many(jsonb[], text, text[], timestamptz[]) IS 'identify() for many events of one source in one call and one transaction: parallel arrays of identifiers, event ids and times (NULL: none, now), taken in the order of time and event id. Returns a row per event with its place in the arrays (from 1). For millions use import_identity and identity_import(). Errors as identify(), and 22023 arrays of different lengths; 40P01 where another transaction takes the same people in another order: run it again.';
