-- The identity room: how a customer came to be what it is, and what it was before.

CREATE OR REPLACE FUNCTION o2o.customer_at(person bigint, as_of timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN coalesce(
		(SELECT c.old_customer_id FROM o2o.customer_change c
		WHERE c.profile_id = person AND c.changed_at > as_of
		ORDER BY c.changed_at, c.seq, c.change_id LIMIT 1),
		(SELECT p.customer_id FROM o2o.profile p WHERE p.profile_id = person));
END $$;
COMMENT ON FUNCTION o2o.customer_at(bigint, timestamptz) IS 'The customer that a profile resolved to at a time, by the log of merges and unmerges; before the profile was made, its first customer. NULL: no such profile.';

CREATE OR REPLACE FUNCTION o2o.customer_at(person o2o.identifier, as_of timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.customer_at(o2o.person_profile(person), as_of);
END $$;
COMMENT ON FUNCTION o2o.customer_at(o2o.identifier, timestamptz) IS 'The same for the profile that an identifier means now. Error: O2201 nobody has the identifier.';

CREATE OR REPLACE FUNCTION o2o.customer_profiles_at(person bigint, as_of timestamptz)
RETURNS TABLE (profile_id bigint, label text, source text, created_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	root bigint := o2o.customer_at(o2o.person_profile(person), as_of);
BEGIN
	RETURN QUERY
	SELECT p.profile_id, o2o.profile_label(p.profile_id), p.source, p.created_at
	FROM o2o.profile p
	WHERE p.created_at <= as_of AND o2o.customer_at(p.profile_id, as_of) = root
		-- Whoever was of it then is of it still, or went from it.
		AND p.profile_id IN (
			SELECT q.profile_id FROM o2o.profile q WHERE q.customer_id = root
			UNION
			SELECT c.profile_id FROM o2o.customer_change c WHERE c.old_customer_id = root)
	ORDER BY p.profile_id;
END $$;
COMMENT ON FUNCTION o2o.customer_profiles_at(bigint, timestamptz) IS 'The profiles that were one customer, at a time, with a profile (or the profile with a customer''s id): profile_id, label (kind and masked end of the identifier of today), source and when it was made. None before the profile was made. Error: O2201 no such profile.';

CREATE OR REPLACE FUNCTION o2o.customer_profiles_at(person o2o.identifier, as_of timestamptz)
RETURNS TABLE (profile_id bigint, label text, source text, created_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM o2o.customer_profiles_at(o2o.person_profile(person), as_of);
END $$;
COMMENT ON FUNCTION o2o.customer_profiles_at(o2o.identifier, timestamptz) IS 'The same for the profile that an identifier means now. Error: O2201 nobody has the identifier.';

CREATE OR REPLACE FUNCTION o2o.identity_history(person bigint, as_of timestamptz DEFAULT now())
RETURNS TABLE (at timestamptz, what text, profiles bigint[], evidence_id bigint, merge_id bigint, rule text, source text, reason text, who text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	root bigint := o2o.profile_customer(o2o.person_profile(person));
	members bigint[] := o2o.customer_profiles(root);
	known bigint[];					-- they and whoever was one customer with some of them
BEGIN
	known := ARRAY(
		WITH past AS (
			SELECT root AS id UNION SELECT c.old_customer_id FROM o2o.customer_change c WHERE c.profile_id = ANY (members)
		)
		SELECT p.profile_id FROM o2o.profile p JOIN past ON past.id = p.customer_id
		UNION
		SELECT c.profile_id FROM o2o.customer_change c JOIN past ON past.id = c.old_customer_id);
	RETURN QUERY
	WITH evidence AS MATERIALIZED (
		SELECT * FROM o2o.identity_evidence e WHERE e.profile_id = ANY (known) AND e.profiles && members
		UNION ALL
		SELECT * FROM o2o.identity_evidence e
		WHERE e.status = 'suppressed' AND e.profiles[2] = ANY (members) AND e.profile_id <> ALL (known)
	), merge AS MATERIALIZED (
		SELECT m.* FROM o2o.identity_merge m
		WHERE (m.survivor_customer_id = ANY (known) OR m.absorbed_customer_id = ANY (known))
			AND (m.survivor_profiles && members OR m.absorbed_profiles && members)
	)
	SELECT h.* FROM (
		SELECT p.created_at, 'profile', ARRAY[p.profile_id], NULL::bigint, NULL::bigint, NULL, p.source, NULL, NULL
		FROM o2o.profile p WHERE p.profile_id = ANY (members)
		UNION ALL
		SELECT e.recorded_at, CASE e.status WHEN 'retracted' THEN 'evidence' WHEN 'link' THEN 'evidence' ELSE e.status END,
			e.profiles, e.evidence_id, NULL, e.rule, e.source, e.reason, e.recorded_by
		FROM evidence e
		UNION ALL
		SELECT e.retracted_at, 'retracted', e.profiles, e.evidence_id, NULL, e.rule, e.source, e.retract_reason, e.retracted_by
		FROM evidence e WHERE e.retracted_at IS NOT NULL
		UNION ALL
		SELECT e.reviewed_at, e.review, e.profiles, e.evidence_id, NULL, e.rule, e.source, e.reason, e.reviewed_by
		FROM evidence e WHERE e.reviewed_at IS NOT NULL
		UNION ALL
		SELECT m.merged_at, 'merged', ARRAY[m.survivor_customer_id, m.absorbed_customer_id], m.evidence_id, m.merge_id, NULL, NULL, NULL, m.merged_by
		FROM merge m
		UNION ALL
		SELECT m.undone_at, 'unmerged', ARRAY[m.survivor_customer_id, m.absorbed_customer_id], m.evidence_id, m.merge_id, NULL, NULL, m.undo_reason, m.undone_by
		FROM merge m WHERE m.undone_at IS NOT NULL
		UNION ALL
		SELECT i.valid_to, 'identifier gone', ARRAY[i.profile_id, i.successor_profile_id], NULL, NULL, NULL, NULL, i.reason, NULL
		FROM o2o.identifier_period i WHERE i.profile_id = ANY (members)
	) h (at, what, profiles, evidence_id, merge_id, rule, source, reason, who)
	WHERE h.at <= as_of
	ORDER BY h.at, h.what = 'profile' DESC, h.evidence_id, h.merge_id NULLS FIRST, h.what, h.profiles;
END $$;
COMMENT ON FUNCTION o2o.identity_history(bigint, timestamptz) IS 'How a customer of today (given by any profile or customer id) came to be, up to a time: a row per thing that was recorded of its profiles, in that order. what: profile (one was made), evidence (a link was recorded), suppressed, cannot_link, retracted, accepted or rejected (a decision on a suppressed one), merged and unmerged (profiles: the survivor''s and the absorbed customer''s id), identifier gone (expired or reassigned; profiles: of before and of after). rule, source, reason and who (login role) as far as they are known. Error: O2201 no such profile.';

CREATE OR REPLACE FUNCTION o2o.identity_history(person o2o.identifier, as_of timestamptz DEFAULT now())
RETURNS TABLE (at timestamptz, what text, profiles bigint[], evidence_id bigint, merge_id bigint, rule text, source text, reason text, who text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM o2o.identity_history(o2o.person_profile(person), as_of);
END $$;
COMMENT ON FUNCTION o2o.identity_history(o2o.identifier, timestamptz) IS 'The same for a customer known by an identifier. Error: O2201 nobody has the identifier.';
