-- The identity room: who is that? Looking up, locking, and the real-time
-- protocol of identify(). Undoing stands in 23, the bulk import in 24.

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
	root bigint;
BEGIN
	LOOP
		BEGIN
			roots := o2o.profile_customers(profile_ids);
			FOR root IN SELECT DISTINCT u.id FROM unnest(roots) u (id) ORDER BY u.id LOOP
				PERFORM FROM o2o.customer c WHERE c.customer_id = root FOR NO KEY UPDATE;
				-- Who waits for the next one holds none that was absorbed meanwhile:
				-- a split may give such an id back at any time.
				EXIT WHEN o2o.profile_customer(root) <> root;
			END LOOP;
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

CREATE OR REPLACE FUNCTION o2o.identifier_scope(identifier o2o.identifier) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE o2o.identifier_kind(identifier)
	WHEN 'openid' THEN split_part(o2o.identifier_value(identifier), '/', 1)
	WHEN 'ref' THEN split_part(o2o.identifier_value(identifier), '/', 1)
	ELSE '' END;
COMMENT ON FUNCTION o2o.identifier_scope(o2o.identifier) IS 'Within what a value of a unique kind is unique: the app of an openid, the source of a ref, else the whole kind ('''').';

CREATE OR REPLACE FUNCTION o2o.identity_admit(identifiers o2o.identifier[]) RETURNS o2o.identifier[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	unknown text;
	admitted o2o.identifier[];
BEGIN
	SELECT min(o2o.identifier_kind(u.id)) INTO unknown
	FROM unnest(identifiers) u (id)
	WHERE NOT EXISTS (SELECT FROM o2o.identifier_kind k WHERE k.kind = o2o.identifier_kind(u.id));
	IF unknown IS NOT NULL THEN
		RAISE EXCEPTION 'identifier kind "%" is not registered', unknown
			USING ERRCODE = 'O2207', HINT = 'Insert a row for it into o2o.identifier_kind.';
	END IF;
	SELECT array_agg(u.id ORDER BY k.priority DESC, u.id) INTO admitted
	FROM unnest(identifiers) u (id)
		JOIN o2o.identifier_kind k ON k.kind = o2o.identifier_kind(u.id)
	WHERE NOT EXISTS (
		SELECT FROM o2o.identifier_block b
		WHERE (b.kind = '*' OR b.kind = k.kind) AND o2o.identifier_value(u.id) ~ b.pattern);
	RETURN coalesce(admitted, '{}');
END $$;
COMMENT ON FUNCTION o2o.identity_admit(o2o.identifier[]) IS 'The identifiers that may identify somebody, highest priority first: blocked values are left out. Error: O2207 a kind has no row in identifier_kind.';

CREATE OR REPLACE FUNCTION o2o.identity_conflict(customers bigint[], new_kinds text[], new_scopes text[], new_count integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	members bigint[];
	reason text;
BEGIN
	SELECT array_agg(p.profile_id) INTO members FROM o2o.profile p WHERE p.customer_id = ANY (customers);
	IF coalesce(cardinality(members), 0) + new_count > o2o.identity_setting('customer_cap')::integer THEN
		RETURN 'customer_cap';
	END IF;
	IF EXISTS (
		SELECT FROM o2o.identity_evidence e
		WHERE e.profile_id = ANY (members) AND e.status = 'cannot_link' AND e.profiles <@ members)
	THEN
		RETURN 'cannot_link';
	END IF;
	SELECT CASE WHEN max(s.in_scope) > 1 AND bool_or(k.is_unique) THEN 'unique:' ELSE 'limit:' END || k.kind INTO reason
	FROM (
		SELECT m.kind, m.scope, count(*) AS in_scope
		FROM (
			SELECT p.kind, p.scope FROM o2o.profile p WHERE p.customer_id = ANY (customers)
			UNION ALL
			SELECT * FROM unnest(new_kinds, new_scopes)
		) m
		GROUP BY m.kind, m.scope
	) s
		JOIN o2o.identifier_kind k ON k.kind = s.kind
	GROUP BY k.kind, k.priority, k.max_per_customer
	HAVING sum(s.in_scope) > k.max_per_customer OR (bool_or(k.is_unique) AND max(s.in_scope) > 1)
	ORDER BY k.priority DESC
	LIMIT 1;
	RETURN reason;
END $$;
COMMENT ON FUNCTION o2o.identity_conflict(bigint[], text[], text[], integer) IS 'Which rule would be violated if these customers and so many new profiles (their kinds and scopes) were one customer: customer_cap, cannot_link, unique:<kind>, limit:<kind>, or NULL for none.';

CREATE OR REPLACE FUNCTION o2o.change_seq() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	cluster bigint := (SELECT c.system_identifier FROM pg_control_system() c);
	base bigint;
BEGIN
	SELECT b.base INTO base FROM o2o.change_base b WHERE b.system_identifier = cluster;
	IF NOT FOUND THEN
		INSERT INTO o2o.change_base (system_identifier, base)
		SELECT cluster, coalesce(max(c.seq), 0) FROM o2o.customer_change c
		ON CONFLICT DO NOTHING;
		SELECT b.base INTO base FROM o2o.change_base b WHERE b.system_identifier = cluster;
	END IF;
	RETURN base + pg_current_xact_id()::text::bigint;
END $$;
COMMENT ON FUNCTION o2o.change_seq() IS 'The change number of this transaction. All its changes share it, and it is below the number of every transaction that starts after this one ends.';

CREATE OR REPLACE FUNCTION o2o.customer_move(moved bigint[], old_customer_id bigint, new_customer_id bigint, cause text, moved_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	seq bigint := o2o.change_seq();
BEGIN
	UPDATE o2o.profile p SET customer_id = customer_move.new_customer_id WHERE p.profile_id = ANY (moved);
	INSERT INTO o2o.customer_change (profile_id, seq, old_customer_id, new_customer_id, cause, changed_at)
	SELECT u.id, seq, customer_move.old_customer_id, customer_move.new_customer_id, customer_move.cause, moved_at
	FROM unnest(moved) u (id);
END $$;
COMMENT ON FUNCTION o2o.customer_move(bigint[], bigint, bigint, text, timestamptz) IS 'Points the profiles to another customer and logs it. Both customers'' locks are held.';

CREATE OR REPLACE FUNCTION o2o.customer_absorb(roots bigint[], newcomers bigint[], evidence_profile_id bigint, evidence_id bigint, merged_at timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	survivor bigint := (SELECT min(u.id) FROM unnest(roots || newcomers) u (id));
	survivors bigint[];
	absorbed bigint[];
	root bigint;
BEGIN
	IF survivor = ANY (roots) THEN
		survivors := o2o.customer_profiles(survivor);
	ELSE
		survivors := newcomers;
	END IF;
	FOR root IN SELECT u.id FROM unnest(roots) u (id) WHERE u.id <> survivor ORDER BY u.id LOOP
		absorbed := o2o.customer_profiles(root);
		INSERT INTO o2o.identity_merge (survivor_customer_id, absorbed_customer_id, survivor_profiles, absorbed_profiles,
			evidence_profile_id, evidence_id, merged_at)
		VALUES (survivor, root, survivors, absorbed,
			customer_absorb.evidence_profile_id, customer_absorb.evidence_id, customer_absorb.merged_at);
		PERFORM o2o.customer_move(absorbed, root, survivor, 'merge', customer_absorb.merged_at);
		UPDATE o2o.customer c SET profile_count = 0, changed_at = customer_absorb.merged_at WHERE c.customer_id = root;
		survivors := survivors || absorbed;
	END LOOP;
	INSERT INTO o2o.customer AS c (customer_id, profile_count, created_at, changed_at)
	VALUES (survivor, (SELECT count(DISTINCT u.id) FROM unnest(survivors || newcomers) u (id)), customer_absorb.merged_at, customer_absorb.merged_at)
	ON CONFLICT (customer_id) DO UPDATE SET profile_count = excluded.profile_count, changed_at = excluded.changed_at;
	RETURN survivor;
END $$;
COMMENT ON FUNCTION o2o.customer_absorb(bigint[], bigint[], bigint, bigint, timestamptz) IS 'Makes one customer of locked customers (roots) and new profiles (newcomers, whose rows the caller writes): the lowest id survives, each other root is absorbed and logged with the evidence that did it. Returns the survivor.';

CREATE OR REPLACE FUNCTION o2o.evidence_record(profiles bigint[], status text, rule text, source text, reason text, event_id text, occurred_at timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	recorded bigint;
BEGIN
	INSERT INTO o2o.identity_evidence AS e (profile_id, profiles, status, rule, source, reason, event_id, occurred_at, last_seen_at)
	VALUES (evidence_record.profiles[1], evidence_record.profiles, evidence_record.status, evidence_record.rule, evidence_record.source,
		evidence_record.reason, evidence_record.event_id, evidence_record.occurred_at, evidence_record.occurred_at)
	ON CONFLICT (profile_id, profiles, rule, source, status) WHERE status <> 'retracted'
	DO UPDATE SET last_seen_at = greatest(e.last_seen_at, excluded.last_seen_at), reason = excluded.reason
	RETURNING e.evidence_id INTO recorded;
	RETURN recorded;
END $$;
COMMENT ON FUNCTION o2o.evidence_record(bigint[], text, text, text, text, text, timestamptz) IS 'Writes a piece of evidence (profiles ascending) or, where the same is on record, moves its last_seen_at. Returns its id.';

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

CREATE OR REPLACE FUNCTION o2o.identifier_claim(identifiers o2o.identifier[], occurred_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	stale record;
	fresh bigint;
BEGIN
	-- New identifiers first, in one order everywhere: the unique index makes
	-- writers of the same one wait for each other.
	INSERT INTO o2o.profile_identifier (identifier, profile_id, first_seen_at, last_seen_at)
	SELECT missing.id, nextval('o2o.profile_id_seq'), identifier_claim.occurred_at, identifier_claim.occurred_at
	FROM (
		SELECT u.id FROM unnest(identifiers) u (id)
		WHERE NOT EXISTS (SELECT FROM o2o.profile_identifier i WHERE i.identifier OPERATOR(o2o.=) u.id)
		ORDER BY u.id
	) missing
	ON CONFLICT DO NOTHING;
	-- Then those that were not seen for a day or longer, in the same order.
	FOR stale IN
		SELECT i.identifier, i.profile_id, i.first_seen_at, i.last_seen_at, k.time_to_live
		FROM o2o.profile_identifier i
			JOIN o2o.identifier_kind k ON k.kind = o2o.identifier_kind(i.identifier)
		WHERE i.identifier OPERATOR(o2o.=) ANY (identifiers)
			AND i.last_seen_at < identifier_claim.occurred_at - interval '1 day'
		ORDER BY i.identifier
	LOOP
		IF stale.last_seen_at + stale.time_to_live <= identifier_claim.occurred_at THEN
			fresh := nextval('o2o.profile_id_seq');
			UPDATE o2o.profile_identifier i
			SET profile_id = fresh, is_shared = false, first_seen_at = identifier_claim.occurred_at, last_seen_at = identifier_claim.occurred_at
			WHERE i.identifier OPERATOR(o2o.=) stale.identifier AND i.profile_id = stale.profile_id
				AND i.last_seen_at = stale.last_seen_at;
			IF FOUND THEN
				INSERT INTO o2o.identifier_period (profile_id, successor_profile_id, valid_from, valid_to, reason)
				VALUES (stale.profile_id, fresh, stale.first_seen_at, stale.last_seen_at + stale.time_to_live, 'expired');
			END IF;
		ELSE
			UPDATE o2o.profile_identifier i SET last_seen_at = identifier_claim.occurred_at
			WHERE i.identifier OPERATOR(o2o.=) stale.identifier AND i.last_seen_at < identifier_claim.occurred_at;
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.identifier_claim(o2o.identifier[], timestamptz) IS 'Registers new identifiers, each with a new profile id, moves last_seen_at of the others at most daily, and gives an identifier that was unseen for longer than its time to live to a new profile (recycled).';

CREATE OR REPLACE FUNCTION o2o.identifier_profile_then(profile_id bigint, first_seen_at timestamptz, occurred_at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	earlier record;
	then_id bigint := profile_id;
BEGIN
	WHILE occurred_at < first_seen_at LOOP
		SELECT p.profile_id, p.valid_from, p.valid_to INTO earlier
		FROM o2o.identifier_period p WHERE p.successor_profile_id = then_id;
		EXIT WHEN NOT FOUND OR earlier.valid_to <= occurred_at;
		then_id := earlier.profile_id;
		first_seen_at := earlier.valid_from;
	END LOOP;
	RETURN then_id;
END $$;
COMMENT ON FUNCTION o2o.identifier_profile_then(bigint, timestamptz, timestamptz) IS 'The profile that an identifier meant when something happened, given the profile it means today and since when: an event that arrives late belongs to who had a recycled number then.';

CREATE OR REPLACE FUNCTION o2o.identity_resolve(identifiers o2o.identifier[], source text, event_id text, occurred_at timestamptz,
	OUT profile_id bigint, OUT customer_id bigint, OUT outcome text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
-- Every statement looks up a few keys. A plan kept from when the tables were
-- empty or never analysed must not scan them once they have grown.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
	admitted o2o.identifier[] := o2o.identity_admit(identifiers);
	moment timestamptz := now();
	seen_at timestamptz := least(identity_resolve.occurred_at, moment);	-- a clock that is ahead must not keep an identifier from expiring
	calm boolean;				-- nothing to claim: all known and seen lately
	profiles bigint[];			-- of the identifiers that are not shared, by priority
	kinds text[];
	scopes text[];
	customers bigint[];			-- aligned with profiles; NULL: new
	accepted bigint[];
	newcomers bigint[];			-- accepted new profiles
	new_kinds text[];
	new_scopes text[];
	roots bigint[];				-- accepted customers that existed before
	refused bigint[];
	reasons text[];
	conflict text;
	seen bigint[];
	root bigint;
	n integer;
BEGIN
	IF NOT coalesce(isfinite(identity_resolve.occurred_at), false) THEN
		RAISE EXCEPTION 'the time of an event must be finite'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('occurred_at is %s.', coalesce(identity_resolve.occurred_at::text, 'NULL'));
	END IF;
	LOOP
		-- Steps 1 to 3: claim, then read again with a fresh snapshot.
		SELECT count(*) = cardinality(admitted) INTO calm
		FROM o2o.profile_identifier i
		WHERE i.identifier OPERATOR(o2o.=) ANY (admitted)
			AND i.last_seen_at >= seen_at - interval '1 day';
		IF NOT calm THEN
			PERFORM o2o.identifier_claim(admitted, seen_at);
		END IF;
		SELECT coalesce(array_agg(CASE WHEN i.first_seen_at <= seen_at THEN i.profile_id ELSE o2o.identifier_profile_then(i.profile_id, i.first_seen_at, seen_at) END ORDER BY u.n), '{}'),
			array_agg(o2o.identifier_kind(u.id) ORDER BY u.n),
			array_agg(o2o.identifier_scope(u.id) ORDER BY u.n)
		INTO profiles, kinds, scopes
		FROM unnest(admitted) WITH ORDINALITY u (id, n)
			JOIN o2o.profile_identifier i ON i.identifier OPERATOR(o2o.=) u.id AND NOT i.is_shared;
		IF cardinality(profiles) = 0 THEN
			identity_resolve.profile_id := nextval('o2o.profile_id_seq');
			identity_resolve.customer_id := identity_resolve.profile_id;
			outcome := 'anonymous';
			RETURN;
		END IF;
		SELECT array_agg(p.customer_id ORDER BY u.n) INTO customers
		FROM unnest(profiles) WITH ORDINALITY u (id, n)
			LEFT JOIN o2o.profile p ON p.profile_id = u.id;

		-- Everything known already: no lock, no write.
		identity_resolve.profile_id := profiles[1];
		identity_resolve.customer_id := customers[1];
		IF customers[1] = ALL (customers) THEN
			seen := ARRAY(SELECT DISTINCT u.id FROM unnest(profiles) u (id) ORDER BY u.id);
			IF cardinality(seen) = 1 OR EXISTS (
				SELECT FROM o2o.identity_evidence e
				WHERE e.profile_id = seen[1] AND e.profiles = seen AND e.rule = 'event'
					AND e.source = identity_resolve.source AND e.status = 'link'
					AND e.last_seen_at >= identity_resolve.occurred_at - interval '1 day')
			THEN
				outcome := 'known';
				RETURN;
			END IF;
		END IF;

		BEGIN
			-- Steps 4 and 5: lock the roots in ascending order; still the same?
			FOR root IN SELECT DISTINCT u.id FROM unnest(customers) u (id) WHERE u.id IS NOT NULL ORDER BY u.id LOOP
				PERFORM FROM o2o.customer c WHERE c.customer_id = root FOR NO KEY UPDATE;
				IF o2o.profile_customer(root) <> root THEN
					RAISE EXCEPTION 'customers changed' USING ERRCODE = 'O2R01';
				END IF;
			END LOOP;
			IF customers IS DISTINCT FROM (
					SELECT array_agg(p.customer_id ORDER BY u.n)
					FROM unnest(profiles) WITH ORDINALITY u (id, n)
						LEFT JOIN o2o.profile p ON p.profile_id = u.id)
				OR profiles IS DISTINCT FROM (
					SELECT coalesce(array_agg(CASE WHEN i.first_seen_at <= seen_at THEN i.profile_id ELSE o2o.identifier_profile_then(i.profile_id, i.first_seen_at, seen_at) END ORDER BY u.n), '{}')
					FROM unnest(admitted) WITH ORDINALITY u (id, n)
						JOIN o2o.profile_identifier i ON i.identifier OPERATOR(o2o.=) u.id AND NOT i.is_shared)
			THEN
				RAISE EXCEPTION 'customers changed' USING ERRCODE = 'O2R01';
			END IF;

			-- Step 6: the rules, from the highest priority down.
			accepted := ARRAY[profiles[1]];
			refused := '{}';
			reasons := '{}';
			IF customers[1] IS NULL THEN
				roots := '{}';
				newcomers := ARRAY[profiles[1]];
				new_kinds := ARRAY[kinds[1]];
				new_scopes := ARRAY[scopes[1]];
			ELSE
				roots := ARRAY[customers[1]];
				newcomers := '{}';
				new_kinds := '{}';
				new_scopes := '{}';
			END IF;
			FOR n IN 2 .. cardinality(profiles) LOOP
				IF customers[n] = ANY (roots) THEN
					accepted := accepted || profiles[n];
				ELSIF customers[n] IS NULL THEN
					conflict := o2o.identity_conflict(roots, new_kinds || kinds[n], new_scopes || scopes[n], cardinality(newcomers) + 1);
					IF conflict IS NULL THEN
						accepted := accepted || profiles[n];
						newcomers := newcomers || profiles[n];
						new_kinds := new_kinds || kinds[n];
						new_scopes := new_scopes || scopes[n];
					END IF;
				ELSE
					conflict := o2o.identity_conflict(roots || customers[n], new_kinds, new_scopes, cardinality(newcomers));
					IF conflict IS NULL THEN
						accepted := accepted || profiles[n];
						roots := roots || customers[n];
					END IF;
				END IF;
				IF conflict IS NOT NULL THEN
					refused := refused || profiles[n];
					reasons := reasons || conflict;
					conflict := NULL;
				END IF;
			END LOOP;
			IF cardinality(refused) > 0 AND o2o.identity_setting('on_conflict') = 'anonymous' THEN
				accepted := '{}';
				roots := '{}';
				newcomers := '{}';
			END IF;

			-- Step 7: write.
			INSERT INTO o2o.profile (profile_id, customer_id, kind, scope, source, created_at)
			SELECT u.id, CASE WHEN u.id = ANY (newcomers) THEN (SELECT min(m.id) FROM unnest(roots || newcomers) m (id)) ELSE u.id END,
				u.kind, u.scope, identity_resolve.source, moment
			FROM unnest(profiles, kinds, scopes, customers) u (id, kind, scope, customer)
			WHERE u.customer IS NULL
			ORDER BY u.id;
			INSERT INTO o2o.customer (customer_id, profile_count, created_at, changed_at)
			SELECT u.id, 1, moment, moment
			FROM unnest(profiles, customers) u (id, customer)
			WHERE u.customer IS NULL AND NOT u.id = ANY (newcomers)
			ORDER BY u.id;
			IF cardinality(accepted) > 0 THEN
				seen := ARRAY(SELECT DISTINCT u.id FROM unnest(accepted) u (id) ORDER BY u.id);
				identity_resolve.customer_id := roots[1];
				IF cardinality(seen) > 1 THEN
					root := o2o.evidence_record(seen, 'link', 'event', identity_resolve.source, NULL,
						identity_resolve.event_id, identity_resolve.occurred_at);
				END IF;
				IF cardinality(roots) <> 1 OR cardinality(newcomers) > 0 THEN
					identity_resolve.customer_id := o2o.customer_absorb(roots, newcomers, seen[1], root, moment);
				END IF;
			ELSE
				identity_resolve.profile_id := nextval('o2o.profile_id_seq');
				identity_resolve.customer_id := identity_resolve.profile_id;
			END IF;
			PERFORM o2o.evidence_record(ARRAY[least(profiles[1], u.id), greatest(profiles[1], u.id)], 'suppressed', 'event',
				identity_resolve.source, u.reason, identity_resolve.event_id, identity_resolve.occurred_at)
			FROM unnest(refused, reasons) u (id, reason)
			ORDER BY u.id;
			FOR n IN 1 .. cardinality(refused) LOOP
				IF o2o.identifier_is_overused(refused[n]) THEN
					PERFORM o2o.identifier_mark_shared(refused[n], moment);
				END IF;
			END LOOP;
			outcome := CASE WHEN cardinality(refused) > 0 THEN 'suppressed'
				WHEN cardinality(roots) > 1 THEN 'merged'
				WHEN cardinality(roots) = 0 THEN 'new'
				WHEN cardinality(newcomers) > 0 THEN 'attached'
				ELSE 'known' END;
			RETURN;
		EXCEPTION WHEN SQLSTATE 'O2R01' THEN
			NULL;	-- the locks are free again; look once more
		END;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.identity_resolve(o2o.identifier[], text, text, timestamptz) IS 'The heart of identify(): finds or makes the profiles of the identifiers, links what the rules allow, keeps the rest as suppressed evidence. profile_id is that of the highest-priority identifier, or a new anonymous one where no identifier identifies anybody. Protocol: claim identifiers in order, read again, lock customers ascending, check that they are unchanged (else free the locks and repeat), apply the rules under the lock, write. Deterministic: customers = connected components of the links in force. Errors: O2207 a kind has no row in identifier_kind, 22023 occurred_at is NULL or not finite.';

CREATE OR REPLACE FUNCTION o2o.source_country(source text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	country text;
BEGIN
	SELECT s.default_country INTO country FROM o2o.source s WHERE s.source = source_country.source;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'source "%" is not registered', source
			USING ERRCODE = 'O2101', HINT = 'Register it: SELECT o2o.source_register(source => …, name => …).';
	END IF;
	RETURN country;
END $$;
COMMENT ON FUNCTION o2o.source_country(text) IS 'Default country of a source''s national phone numbers, or NULL. Error: O2101 the source is not registered.';

CREATE OR REPLACE FUNCTION o2o.trait_record(profile_id bigint, source text, traits jsonb, observed_at timestamptz) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO o2o.profile_trait AS t (profile_id, source, name, value, observed_at)
	SELECT trait_record.profile_id, trait_record.source, j.key, j.value, trait_record.observed_at
	FROM jsonb_each_text(traits) j
	WHERE j.value IS NOT NULL AND j.value <> ''
	ORDER BY j.key
	ON CONFLICT (profile_id, source, name) DO UPDATE SET value = excluded.value, observed_at = excluded.observed_at
	WHERE t.observed_at <= excluded.observed_at AND (t.value <> excluded.value OR t.observed_at < excluded.observed_at - interval '1 day')
$$;
COMMENT ON FUNCTION o2o.trait_record(bigint, text, jsonb, timestamptz) IS 'Keeps the latest value of each trait (an object name → value) per profile and source; a value said again moves observed_at at most daily.';

CREATE OR REPLACE FUNCTION o2o.identify(identifiers jsonb, source text, traits jsonb DEFAULT NULL, event_id text DEFAULT NULL,
	occurred_at timestamptz DEFAULT now(), OUT profile_id bigint, OUT customer_id bigint, OUT outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	moment timestamptz := coalesce(identify.occurred_at, now());
BEGIN
	SELECT * INTO identify.profile_id, identify.customer_id, identify.outcome
	FROM o2o.identity_resolve(
		o2o.identifiers_from_json(identify.identifiers, o2o.source_country(identify.source)),
		identify.source, identify.event_id, moment);
	IF traits IS NOT NULL THEN
		PERFORM o2o.trait_record(identify.profile_id, identify.source, traits, moment);
	END IF;
END $$;
COMMENT ON FUNCTION o2o.identify(jsonb, text, jsonb, text, timestamptz) IS 'Who is that? identifiers: an object (kind → value or array of values, phones also in national form) or an array of identifier texts, at most 100; source: a registered source; traits: an object of what the source says of the person; event_id and occurred_at (NULL: now) of the event that showed them together. Returns profile_id (to store with facts), customer_id (of today) and outcome: new, known, attached (new identifiers for a known customer), merged (two customers are one now), suppressed (a rule refused a link; it is on record), anonymous (nothing identified anybody). Safe under any number of concurrent callers. Errors: 22P02 an invalid identifier, O2101 unknown source, O2205 too many identifiers, O2207 unregistered kind, 22023 occurred_at not finite; 40001 under REPEATABLE READ.';

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
