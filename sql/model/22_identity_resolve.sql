-- The identity room: identify(), and merging customers. The real-time protocol and
-- its rules are C, in src/identity/resolve.c. Looking up stands in
-- 22_identity_lookup, undoing in 23, the bulk import in 24.

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
	resolved record;
BEGIN
	resolved := o2o.identity_observe(identify.identifiers, identify.source, identify.event_id, moment);
	identify.profile_id := resolved.profile_id;
	identify.customer_id := resolved.customer_id;
	identify.outcome := resolved.outcome;
	IF traits IS NOT NULL THEN
		IF jsonb_typeof(traits) <> 'object' THEN
			RAISE EXCEPTION 'traits must be an object'
				USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It is of type %s.', jsonb_typeof(traits)), HINT = 'Example: {"name": "Ann Lee"}.';
		END IF;
		PERFORM o2o.trait_record(identify.profile_id, identify.source, traits, moment);
	END IF;
END $$;
COMMENT ON FUNCTION o2o.identify(jsonb, text, jsonb, text, timestamptz) IS 'Who is that? identifiers: an object (kind → value or array of values, phones also in national form) or an array of identifier texts, at most 100; source: a registered source; traits: an object of what the source says of the person; event_id and occurred_at (NULL: now) of the event that showed them together. Returns profile_id (to store with facts), customer_id (of today) and outcome: new, known, attached (new identifiers for a known customer), merged (two customers are one now), suppressed (a rule refused a link; it is on record), anonymous (nothing identified anybody). Safe under any number of concurrent callers. Errors: 22P02 an invalid identifier, O2101 unknown source, O2205 too many identifiers, O2207 unregistered kind, 22023 occurred_at not finite, identifiers or traits of another shape; 40001 under REPEATABLE READ.';
