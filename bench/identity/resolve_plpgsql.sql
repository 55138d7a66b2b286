-- The protocol of identify() as it stood in PL/pgSQL, over the same tables: the
-- peer of the resolver in C. What only merges do (customer_absorb) is the model's own.
CREATE SCHEMA plpgsql_resolver;

CREATE FUNCTION plpgsql_resolver.source_country(source text) RETURNS text
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

CREATE FUNCTION plpgsql_resolver.identifier_scope(identifier o2o.identifier) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE o2o.identifier_kind(identifier)
	WHEN 'openid' THEN split_part(o2o.identifier_value(identifier), '/', 1)
	WHEN 'ref' THEN split_part(o2o.identifier_value(identifier), '/', 1)
	ELSE '' END;

CREATE FUNCTION plpgsql_resolver.identifier_profile_then(profile_id bigint, first_seen_at timestamptz, occurred_at timestamptz) RETURNS bigint
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

CREATE FUNCTION plpgsql_resolver.identity_admit(identifiers o2o.identifier[]) RETURNS o2o.identifier[]
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

CREATE FUNCTION plpgsql_resolver.customer_lock_roots(roots bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	root bigint;
BEGIN
	FOR root IN SELECT DISTINCT u.id FROM unnest(roots) u (id) WHERE u.id IS NOT NULL ORDER BY u.id LOOP
		PERFORM FROM o2o.customer c WHERE c.customer_id = root FOR NO KEY UPDATE;
		-- Who waits for the next one holds none that was absorbed meanwhile:
		-- a split may give such an id back at any time.
		IF o2o.profile_customer(root) <> root THEN
			RAISE EXCEPTION 'customers changed' USING ERRCODE = 'O2R01';
		END IF;
	END LOOP;
END $$;

CREATE FUNCTION plpgsql_resolver.identity_conflict(customers bigint[], new_kinds text[], new_scopes text[], new_count integer) RETURNS text
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

CREATE FUNCTION plpgsql_resolver.identifier_claim(identifiers o2o.identifier[], occurred_at timestamptz) RETURNS void
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

CREATE FUNCTION plpgsql_resolver.evidence_record(profiles bigint[], status text, rule text, source text, reason text, event_id text, occurred_at timestamptz) RETURNS bigint
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

CREATE FUNCTION plpgsql_resolver.identity_resolve(identifiers o2o.identifier[], source text, event_id text, occurred_at timestamptz,
	OUT profile_id bigint, OUT customer_id bigint, OUT outcome text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
-- Every statement looks up a few keys. A plan kept from when the tables were
-- empty or never analysed must not scan them once they have grown.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	admitted o2o.identifier[] := plpgsql_resolver.identity_admit(identifiers);
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
	link bigint;				-- evidence_id of the accepted set
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
			PERFORM plpgsql_resolver.identifier_claim(admitted, seen_at);
		END IF;
		SELECT coalesce(array_agg(plpgsql_resolver.identifier_profile_then(i.profile_id, i.first_seen_at, seen_at) ORDER BY u.n), '{}'),
			array_agg(o2o.identifier_kind(u.id) ORDER BY u.n),
			array_agg(plpgsql_resolver.identifier_scope(u.id) ORDER BY u.n)
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
			PERFORM plpgsql_resolver.customer_lock_roots(customers);
			IF customers IS DISTINCT FROM (
					SELECT array_agg(p.customer_id ORDER BY u.n)
					FROM unnest(profiles) WITH ORDINALITY u (id, n)
						LEFT JOIN o2o.profile p ON p.profile_id = u.id)
				OR profiles IS DISTINCT FROM (
					SELECT coalesce(array_agg(plpgsql_resolver.identifier_profile_then(i.profile_id, i.first_seen_at, seen_at) ORDER BY u.n), '{}')
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
					conflict := plpgsql_resolver.identity_conflict(roots, new_kinds || kinds[n], new_scopes || scopes[n], cardinality(newcomers) + 1);
					IF conflict IS NULL THEN
						accepted := accepted || profiles[n];
						newcomers := newcomers || profiles[n];
						new_kinds := new_kinds || kinds[n];
						new_scopes := new_scopes || scopes[n];
					END IF;
				ELSE
					conflict := plpgsql_resolver.identity_conflict(roots || customers[n], new_kinds, new_scopes, cardinality(newcomers));
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
					link := plpgsql_resolver.evidence_record(seen, 'link', 'event', identity_resolve.source, NULL,
						identity_resolve.event_id, identity_resolve.occurred_at);
				END IF;
				IF cardinality(roots) <> 1 OR cardinality(newcomers) > 0 THEN
					identity_resolve.customer_id := o2o.customer_absorb(roots, newcomers, seen[1], link, moment);
				END IF;
			ELSE
				identity_resolve.profile_id := nextval('o2o.profile_id_seq');
				identity_resolve.customer_id := identity_resolve.profile_id;
			END IF;
			PERFORM plpgsql_resolver.evidence_record(ARRAY[least(profiles[1], u.id), greatest(profiles[1], u.id)], 'suppressed', 'event',
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

CREATE FUNCTION plpgsql_resolver.identify(identifiers jsonb, source text, event_id text DEFAULT NULL,
	occurred_at timestamptz DEFAULT now(), OUT profile_id bigint, OUT customer_id bigint, OUT outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT * INTO identify.profile_id, identify.customer_id, identify.outcome
	FROM plpgsql_resolver.identity_resolve(
		o2o.identifiers_from_json(identify.identifiers, plpgsql_resolver.source_country(identify.source)),
		identify.source, identify.event_id, coalesce(identify.occurred_at, now()));
END $$;
