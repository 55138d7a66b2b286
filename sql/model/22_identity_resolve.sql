-- The identity room: the real-time protocol of identify() and its rules. Looking
-- up stands in 22_identity_lookup, undoing in 23, the bulk import in 24.

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
	cluster bigint := o2o.cluster_identifier();
	base bigint;
	posted bigint;
BEGIN
	SELECT b.base INTO base FROM o2o.change_base b WHERE b.system_identifier = cluster;
	IF NOT FOUND THEN
		-- The ledger is a room above this one, which may be missing.
		IF to_regclass('o2o.points_posting') IS NOT NULL THEN
			EXECUTE 'SELECT greatest((SELECT max(p.seq) FROM o2o.points_posting p), (SELECT max(h.horizon) FROM o2o.points_rollup_horizon h),
				(SELECT max(s.horizon) FROM o2o.points_snapshot s), (SELECT max(b.to_seq) FROM o2o.points_block b))' INTO posted;
		END IF;
		INSERT INTO o2o.change_base (system_identifier, base)
		SELECT cluster, coalesce(greatest(max(c.seq), posted), 0) FROM o2o.customer_change c
		ON CONFLICT DO NOTHING;
		SELECT b.base INTO base FROM o2o.change_base b WHERE b.system_identifier = cluster;
	END IF;
	RETURN base + pg_current_xact_id()::text::bigint;
END $$;
COMMENT ON FUNCTION o2o.change_seq() IS 'The change number of this transaction, the same for changes of customers (customer_change) and postings of points (points_posting). All its changes share it, and it is below the number of every transaction that starts after this one ends. In a new cluster, after dump and restore, it goes on above every number given before.';

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

CREATE OR REPLACE FUNCTION o2o.identity_resolve(identifiers o2o.identifier[], source text, event_id text, occurred_at timestamptz,
	OUT profile_id bigint, OUT customer_id bigint, OUT outcome text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
-- Every statement looks up a few keys. A plan kept from when the tables were
-- empty or never analysed must not scan them once they have grown.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
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
			PERFORM o2o.identifier_claim(admitted, seen_at);
		END IF;
		SELECT coalesce(array_agg(o2o.identifier_profile_then(i.profile_id, i.first_seen_at, seen_at) ORDER BY u.n), '{}'),
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
			PERFORM o2o.customer_lock_roots(customers);
			IF customers IS DISTINCT FROM (
					SELECT array_agg(p.customer_id ORDER BY u.n)
					FROM unnest(profiles) WITH ORDINALITY u (id, n)
						LEFT JOIN o2o.profile p ON p.profile_id = u.id)
				OR profiles IS DISTINCT FROM (
					SELECT coalesce(array_agg(o2o.identifier_profile_then(i.profile_id, i.first_seen_at, seen_at) ORDER BY u.n), '{}')
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
					link := o2o.evidence_record(seen, 'link', 'event', identity_resolve.source, NULL,
						identity_resolve.event_id, identity_resolve.occurred_at);
				END IF;
				IF cardinality(roots) <> 1 OR cardinality(newcomers) > 0 THEN
					identity_resolve.customer_id := o2o.customer_absorb(roots, newcomers, seen[1], link, moment);
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
