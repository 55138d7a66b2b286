-- The identity room: who has an identifier, what it resolves to, the locks of
-- customers, marking identifiers shared. identify() stands in 22_identity_resolve;
-- registering and recycling identifiers in src/identity/resolve.c.

CREATE OR REPLACE FUNCTION o2o.identifier_profile(identifier o2o.identifier, as_of timestamptz DEFAULT now()) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT i.profile_id
		FROM o2o.profile_identifier i
			JOIN o2o.identifier_kind k ON k.kind = o2o.identifier_kind(i.identifier)
		WHERE i.identifier OPERATOR(o2o.=) identifier_profile.identifier
			AND NOT i.is_shared
			AND (k.time_to_live IS NULL OR i.last_seen_at + k.time_to_live > as_of));
END $$;
COMMENT ON FUNCTION o2o.identifier_profile(o2o.identifier, timestamptz) IS 'The profile that an identifier means at as_of, or NULL: never seen, shared, or unseen for longer than its kind''s time to live.';

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
BEGIN
	RETURN (
		SELECT count(DISTINCT other.customer_id) >= k.shared_threshold
		FROM o2o.profile p
			JOIN o2o.identifier_kind k ON k.kind = p.kind
			JOIN o2o.identity_evidence e ON e.status = 'suppressed' AND e.rule = 'event'
				AND (e.profile_id = p.profile_id OR e.profiles[2] = p.profile_id)
			JOIN o2o.profile other ON other.profile_id = e.profiles[CASE WHEN e.profile_id = p.profile_id THEN 2 ELSE 1 END]
		WHERE p.profile_id = identifier_is_overused.profile_id
		GROUP BY k.shared_threshold);
END $$;
COMMENT ON FUNCTION o2o.identifier_is_overused(bigint) IS 'Whether the identifier of a profile was refused for as many different customers as its kind''s shared_threshold: then it identifies nobody.';

CREATE OR REPLACE FUNCTION o2o.identifier_mark_shared(profile_id bigint, moment timestamptz) RETURNS void
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
		RETURN;
	END IF;
	UPDATE o2o.profile_identifier i SET is_shared = true WHERE i.profile_id = identifier_mark_shared.profile_id;
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
END $$;
COMMENT ON FUNCTION o2o.identifier_mark_shared(bigint, timestamptz) IS 'Marks the identifier of a profile shared, takes its links back (each set is recorded again without it) and splits its customer, whose lock is held, where the identifier alone held it together. Its facts stay with its profile.';

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
