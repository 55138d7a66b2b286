-- The identity room: who has an identifier, what it resolves to, the locks of
-- customers, marking identifiers shared. identify() stands in 22_identity_resolve;
-- registering and recycling identifiers in src/identity/resolve.c.

CREATE OR REPLACE FUNCTION o2o.profile_customer(profile_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN coalesce((SELECT p.customer_id FROM o2o.profile p WHERE p.profile_id = profile_customer.profile_id), profile_id);
END $$;
COMMENT ON FUNCTION o2o.profile_customer(bigint) IS 'The customer that a profile (or a customer id of any time) resolves to today; the id itself for an anonymous profile.';

CREATE OR REPLACE FUNCTION o2o.person_profile(person o2o.identifier) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	profile bigint := o2o.identifier_profile(person);
BEGIN
	IF profile IS NULL AND person IS NOT NULL THEN
		RAISE EXCEPTION 'no customer has this identifier'
			USING ERRCODE = 'O2201', DETAIL = format('Identifier %s.', o2o.identifier_mask(person)),
				HINT = 'Call identify() first, which registers new identifiers.';
	END IF;
	RETURN profile;
END $$;
COMMENT ON FUNCTION o2o.person_profile(o2o.identifier) IS 'The profile that an identifier means now. Error: O2201 nobody, or nobody any more, has it.';

CREATE OR REPLACE FUNCTION o2o.person_profile(person bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM o2o.profile p WHERE p.profile_id = person) AND person IS NOT NULL THEN
		RAISE EXCEPTION 'no customer or profile has this id'
			USING ERRCODE = 'O2201', DETAIL = format('Id %s.', person),
				HINT = 'Ids are those that identify() returned; an anonymous profile is no customer yet.';
	END IF;
	RETURN person;
END $$;
COMMENT ON FUNCTION o2o.person_profile(bigint) IS 'The same for a profile or customer id, which is returned as it is. Error: O2201 there is no such profile.';

CREATE OR REPLACE FUNCTION o2o.customer_lookup(person o2o.identifier) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT o2o.profile_customer(o2o.identifier_profile(person))
$$;
COMMENT ON FUNCTION o2o.customer_lookup(o2o.identifier) IS 'The customer who has an identifier now, such as customer_lookup(''card:88001''); NULL when nobody has it.';

CREATE OR REPLACE FUNCTION o2o.customer_lookup(person bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT p.customer_id FROM o2o.profile p WHERE p.profile_id = person
$$;
COMMENT ON FUNCTION o2o.customer_lookup(bigint) IS 'The customer that a profile id, or a customer id of any time, resolves to today; NULL when there is no such profile.';

CREATE OR REPLACE FUNCTION o2o.customer_profiles(customer_id bigint) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT coalesce(array_agg(p.profile_id ORDER BY p.profile_id), ARRAY[customer_profiles.customer_id])
		FROM o2o.profile p WHERE p.customer_id = customer_profiles.customer_id);
END $$;
COMMENT ON FUNCTION o2o.customer_profiles(bigint) IS 'The profiles of a customer, ascending; an anonymous profile is its own only member.';

CREATE OR REPLACE FUNCTION o2o.profile_customers(profile_ids bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT array_agg(coalesce(p.customer_id, u.id) ORDER BY u.n)
		FROM unnest(profile_ids) WITH ORDINALITY u (id, n)
			LEFT JOIN o2o.profile p ON p.profile_id = u.id);
END $$;
COMMENT ON FUNCTION o2o.profile_customers(bigint[]) IS 'profile_customer() of each profile, in the order of the input.';

CREATE OR REPLACE FUNCTION o2o.customer_lock(profile_ids bigint[]) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	roots bigint[];
BEGIN
	LOOP
		BEGIN
			roots := o2o.profile_customers(profile_ids);
			PERFORM o2o.customer_lock_roots(roots);
			IF o2o.profile_customers(profile_ids) IS NOT DISTINCT FROM roots THEN
				RETURN roots;
			END IF;
			-- A merge or unmerge came first. Leaving the block by an error rolls the
			-- subtransaction back, which frees the locks: a lower customer is never
			-- locked while a higher one is held.
			RAISE EXCEPTION 'customers changed' USING ERRCODE = 'O2R01';
		EXCEPTION WHEN SQLSTATE 'O2R01' THEN
			NULL;
		END;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.customer_lock(bigint[]) IS 'Locks the customers that the profiles resolve to, in ascending order, and returns them in the order of the input. They cannot merge, split or spend elsewhere until the transaction ends. Read their members in a later statement.';

CREATE OR REPLACE FUNCTION o2o.identity_setting(name text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT s.value FROM o2o.setting s WHERE s.name = 'identity.' || identity_setting.name);
END $$;
COMMENT ON FUNCTION o2o.identity_setting(text) IS 'Value of the setting identity.<name>.';

CREATE OR REPLACE FUNCTION o2o.identifier_is_overused(profile_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	own record;
	refused bigint;
	most bigint;
	members bigint[];
BEGIN
	SELECT p.customer_id, k.priority, k.shared_threshold INTO own
	FROM o2o.profile p JOIN o2o.identifier_kind k ON k.kind = p.kind
	WHERE p.profile_id = identifier_is_overused.profile_id AND k.shared_threshold IS NOT NULL;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	SELECT count(DISTINCT other.customer_id) INTO refused
	FROM o2o.identity_evidence e
		JOIN o2o.profile other ON other.profile_id = e.profiles[CASE WHEN e.profile_id = identifier_is_overused.profile_id THEN 2 ELSE 1 END]
	WHERE e.status = 'suppressed' AND e.rule = 'event'
		AND (e.profile_id = identifier_is_overused.profile_id OR e.profiles[2] = identifier_is_overused.profile_id)
		AND other.customer_id <> own.customer_id;
	-- It holds together no more people than the customer has values of one kind.
	SELECT max(s.n) INTO most
	FROM (
		SELECT count(*) AS n FROM o2o.profile p JOIN o2o.identifier_kind k ON k.kind = p.kind AND k.priority > own.priority
		WHERE p.customer_id = own.customer_id
		GROUP BY p.kind
	) s;
	IF refused >= own.shared_threshold OR refused + coalesce(most, 0) < own.shared_threshold THEN
		RETURN refused >= own.shared_threshold;
	END IF;
	members := o2o.customer_profiles(own.customer_id);
	SELECT max(s.parts) INTO most
	FROM (
		SELECT count(DISTINCT c.component) AS parts
		FROM (
			SELECT array_agg(pair.a) AS a, array_agg(pair.b) AS b
			FROM (
				SELECT m.id AS a, m.id AS b FROM unnest(members) m (id)
				UNION ALL
				SELECT r.profiles[1], u.id
				FROM o2o.identity_links(members) l, LATERAL (SELECT array_remove(l.profiles, identifier_is_overused.profile_id) AS profiles) r, unnest(r.profiles) u (id)
			) pair
		) pairs, o2o.connected_components(pairs.a, pairs.b) c
			JOIN o2o.profile p ON p.profile_id = c.node
			JOIN o2o.identifier_kind k ON k.kind = p.kind AND k.priority > own.priority
		GROUP BY p.kind
	) s;
	RETURN refused + coalesce(most, 0) >= own.shared_threshold;
END $$;
COMMENT ON FUNCTION o2o.identifier_is_overused(bigint) IS 'Whether the identifier of a profile was seen with as many different people as its kind''s shared_threshold: then it identifies nobody. People are the parts into which its customer falls without it, counted by those that have an identifier of one and the same kind of higher priority (of the kind for which they are the most), and the other customers that a rule refused to link with it.';

CREATE OR REPLACE FUNCTION o2o.identifier_mark_shared(profile_id bigint, moment timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	root bigint := o2o.profile_customer(identifier_mark_shared.profile_id);
	link record;
BEGIN
	-- Identifiers are locked before customers, and customers are locked here:
	-- who finds the row in other hands leaves the mark to the next event.
	PERFORM FROM o2o.profile_identifier i WHERE i.profile_id = identifier_mark_shared.profile_id AND NOT i.is_shared
	FOR NO KEY UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	UPDATE o2o.profile_identifier i SET is_shared = true, shared_at = identifier_mark_shared.moment WHERE i.profile_id = identifier_mark_shared.profile_id;
	-- What else was seen together stays together.
	FOR link IN
		UPDATE o2o.identity_evidence e
		SET status = 'retracted', retracted_at = identifier_mark_shared.moment, retracted_by = session_user, retract_reason = 'shared identifier'
		WHERE e.profile_id = ANY (o2o.customer_profiles(root)) AND e.status = 'link' AND identifier_mark_shared.profile_id = ANY (e.profiles)
		RETURNING array_remove(e.profiles, identifier_mark_shared.profile_id) AS profiles, e.rule, e.source, e.reason, e.event_id, e.occurred_at
	LOOP
		IF cardinality(link.profiles) > 1 THEN
			PERFORM o2o.evidence_record(link.profiles, 'link', link.rule, link.source, link.reason, link.event_id, link.occurred_at);
		END IF;
	END LOOP;
	PERFORM o2o.identity_repartition(root, identifier_mark_shared.moment);
	RETURN true;
END $$;
COMMENT ON FUNCTION o2o.identifier_mark_shared(bigint, timestamptz) IS 'Marks the identifier of a profile shared, takes its links back (each set is recorded again without it) and splits its customer, whose lock is held, where the identifier alone held it together. Its facts stay with its profile. Returns whether it was marked: not, where it is shared already or in other hands.';

CREATE OR REPLACE VIEW o2o.customer_ref AS
	SELECT split_part(o2o.identifier_value(i.identifier), '/', 1) AS source,
		substr(o2o.identifier_value(i.identifier), strpos(o2o.identifier_value(i.identifier), '/') + 1) AS source_id,
		p.customer_id
	FROM o2o.profile_identifier i JOIN o2o.profile p ON p.profile_id = i.profile_id
	WHERE p.kind = 'ref';
COMMENT ON VIEW o2o.customer_ref IS 'Records of source systems and the customer they belong to: one row per identifier ref:<source>/<id>.';
COMMENT ON COLUMN o2o.customer_ref.source IS 'Source system';
COMMENT ON COLUMN o2o.customer_ref.source_id IS 'Record number in the source system';
COMMENT ON COLUMN o2o.customer_ref.customer_id IS 'Customer of today';
