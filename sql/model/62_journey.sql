-- The journeys room: months of the stream, and how touchpoints get into it, one by one and in bulk.

CREATE OR REPLACE FUNCTION o2o.journey_partition(first_month date, last_month date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	month record;
	made integer := 0;
BEGIN
	IF NOT coalesce(last_month - first_month <= 40 * 366, false) THEN
		RAISE EXCEPTION 'months must be given, and span 40 years at most' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	FOR month IN
		SELECT format('touchpoint_%s', to_char(m.first, 'YYYY_MM')) AS name, timezone('UTC', m.first) AS first,
			timezone('UTC', m.first + interval '1 month') AS next, to_char(m.first, 'YYYY-MM') AS label
		FROM generate_series(date_trunc('month', first_month::timestamp), date_trunc('month', last_month::timestamp), interval '1 month') m (first)
		WHERE to_regclass(format('o2o.touchpoint_%s', to_char(m.first, 'YYYY_MM'))) IS NULL
		ORDER BY m.first
	LOOP
		IF made = 0 THEN
			-- Nobody writes to the default partition while rows move out of it; the parent first, as every writer does.
			LOCK TABLE ONLY o2o.touchpoint IN SHARE UPDATE EXCLUSIVE MODE;
			LOCK TABLE o2o.touchpoint_default IN ACCESS EXCLUSIVE MODE;
			CONTINUE WHEN to_regclass(format('o2o.%I', month.name)) IS NOT NULL;
		END IF;
		EXECUTE format('CREATE TABLE o2o.%I (LIKE o2o.touchpoint INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)', month.name);
		EXECUTE format('COMMENT ON TABLE o2o.%I IS %L', month.name, format('Touchpoints of %s (UTC).', month.label));
		EXECUTE format('WITH moved AS (DELETE FROM o2o.touchpoint_default d WHERE d.occurred_at >= $1 AND d.occurred_at < $2 RETURNING d.*)'
			' INSERT INTO o2o.%I SELECT * FROM moved', month.name) USING month.first, month.next;
		EXECUTE format('ALTER TABLE o2o.touchpoint ATTACH PARTITION o2o.%I FOR VALUES FROM (%L) TO (%L)', month.name,
			to_char(timezone('UTC', month.first), 'YYYY-MM-DD') || ' 00:00:00+00', to_char(timezone('UTC', month.next), 'YYYY-MM-DD') || ' 00:00:00+00');
		made := made + 1;
	END LOOP;
	RETURN made;
END $$;
COMMENT ON FUNCTION o2o.journey_partition(date, date) IS 'Makes the monthly partitions of touchpoint from the month of the first date to that of the last (months of UTC, named touchpoint_YYYY_MM), where they are missing, and moves their rows out of the default partition. Returns how many were made. Writers of months without a partition wait meanwhile. Error: 22023 a date is missing or the span is over 40 years.';

CREATE OR REPLACE FUNCTION o2o.journey_partition_for(first_at timestamptz, last_at timestamptz) RETURNS integer
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(o2o.journey_partition(b.first_month, b.last_month), 0)
	FROM (SELECT greatest(timezone('UTC', first_at), timezone('UTC', now()) - interval '10 years')::date,
		least(timezone('UTC', last_at), timezone('UTC', now()) + interval '1 year')::date) b (first_month, last_month)
	WHERE b.first_month <= b.last_month
$$;
COMMENT ON FUNCTION o2o.journey_partition_for(timestamptz, timestamptz) IS 'The months that an import from first_at to last_at needs, from ten years ago to a year ahead; what lies outside, such as a mistyped year, stays in the default partition.';

CREATE OR REPLACE FUNCTION o2o.journey_partition_months(months date[]) RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(sum(o2o.journey_partition_for(timezone('UTC', m.month::timestamp), timezone('UTC', m.month::timestamp))), 0)
	FROM (SELECT DISTINCT u.month FROM unnest(months) u (month) ORDER BY 1) m
$$;
COMMENT ON FUNCTION o2o.journey_partition_months(date[]) IS 'Makes the partitions of these months (any day of each), as journey_partition_for() does; months between them are left alone, so that a single old row makes one partition.';

CREATE OR REPLACE FUNCTION o2o.touchpoint_record(identifiers jsonb, stage text, verb text, channel text, source text,
	location_id bigint DEFAULT NULL, sku text DEFAULT NULL, order_id bigint DEFAULT NULL, content text DEFAULT NULL,
	point o2o.geopoint DEFAULT NULL, occurred_at timestamptz DEFAULT NULL, event_id text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (touchpoint_id bigint, profile_id bigint, customer_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	moment timestamptz := coalesce(touchpoint_record.occurred_at, now());
	claim record;
BEGIN
	IF NOT coalesce(touchpoint_record.stage = ANY ('{search,attention,deal,use,share}'), false) OR touchpoint_record.verb IS NULL THEN
		RAISE EXCEPTION 'a touchpoint needs a verb, and a stage of search, attention, deal, use, share'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM o2o.order_check_place(touchpoint_record.source, touchpoint_record.channel, touchpoint_record.location_id);
	SELECT c.request_id, c.replay INTO claim
	FROM o2o.request_claim(coalesce(touchpoint_record.idempotency_key,
			'touchpoint/' || touchpoint_record.source || '/' || touchpoint_record.event_id),
		'touchpoint_record', jsonb_build_object('identifiers', touchpoint_record.identifiers, 'stage', touchpoint_record.stage,
			'verb', touchpoint_record.verb, 'channel', touchpoint_record.channel, 'source', touchpoint_record.source,
			'location_id', touchpoint_record.location_id, 'sku', touchpoint_record.sku, 'order_id', touchpoint_record.order_id,
			'content', touchpoint_record.content, 'point', touchpoint_record.point::text,
			'occurred_at', extract(epoch FROM touchpoint_record.occurred_at), 'event_id', touchpoint_record.event_id)) c;
	IF claim.replay IS NOT NULL THEN
		RETURN QUERY SELECT (claim.replay ->> 'touchpoint_id')::bigint, (claim.replay ->> 'profile_id')::bigint,
			(claim.replay ->> 'customer_id')::bigint;
		RETURN;
	END IF;
	SELECT r.profile_id, r.customer_id INTO profile_id, customer_id
	FROM o2o.identity_observe(touchpoint_record.identifiers, touchpoint_record.source, 'touchpoint/' || touchpoint_record.event_id, moment) r;
	touchpoint_id := nextval('o2o.touchpoint_id_seq');
	INSERT INTO o2o.touchpoint (profile_id, occurred_at, touchpoint_id, stage, verb, channel, source, event_id, location_id, sku, order_id, content, position)
	VALUES (touchpoint_record.profile_id, moment, touchpoint_record.touchpoint_id, touchpoint_record.stage, touchpoint_record.verb,
		touchpoint_record.channel, touchpoint_record.source, touchpoint_record.event_id, touchpoint_record.location_id,
		touchpoint_record.sku, touchpoint_record.order_id, touchpoint_record.content, touchpoint_record.point);
	IF touchpoint_record.idempotency_key IS NOT NULL OR touchpoint_record.event_id IS NOT NULL THEN
		PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('touchpoint_id', touchpoint_id,
			'profile_id', profile_id, 'customer_id', customer_id));
	END IF;
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION o2o.touchpoint_record(jsonb, text, text, text, text, bigint, text, bigint, text, o2o.geopoint, timestamptz, text, text) IS 'Records what a person did: identifiers as identify() takes them ({} for nobody known), stage (search, attention, deal, use, share), verb (such as product_viewed), channel, source, and optionally location, sku, order, content, point (''lon,lat''), occurred_at (default now), event_id of the source. With an idempotency_key (default touchpoint/<source>/<event_id>, none without an event_id) the same call again returns the first result. Returns the touchpoint, the profile and the customer of that moment. Errors: O2004 the key was used with other arguments, O2101, O2102, O2103 unknown source, channel, location, 22023 no such stage.';

CREATE OR REPLACE FUNCTION o2o.touchpoint_import(batch_id bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	bad record;
	written bigint;
BEGIN
	ANALYZE o2o.import_touchpoint;
	SELECT i.source, i.channel, i.stage, i.location INTO bad
	FROM (SELECT DISTINCT t.source, t.channel, t.stage, t.location
		FROM o2o.import_touchpoint t WHERE t.batch_id = touchpoint_import.batch_id) i
	WHERE NOT EXISTS (SELECT FROM o2o.source s WHERE s.source = i.source)
		OR NOT EXISTS (SELECT FROM o2o.channel c WHERE c.channel = i.channel)
		OR NOT i.stage = ANY ('{search,attention,deal,use,share}')
		OR (i.location IS NOT NULL AND NOT EXISTS (SELECT FROM o2o.location l WHERE l.source || '/' || l.source_id = i.location))
	ORDER BY i.source, i.channel, i.stage, i.location LIMIT 1;
	IF FOUND THEN
		PERFORM o2o.order_check_place(bad.source, bad.channel, NULL);
		IF NOT bad.stage = ANY ('{search,attention,deal,use,share}') THEN
			RAISE EXCEPTION 'unknown stage "%"', bad.stage USING ERRCODE = 'invalid_parameter_value',
				HINT = 'The stages are search, attention, deal, use, share.';
		END IF;
		RAISE EXCEPTION 'unknown location "%"', bad.location
			USING ERRCODE = 'O2103', HINT = 'Locations are given as <source>/<source_id>; register them with o2o.location_import().';
	END IF;
	PERFORM o2o.journey_partition_months(array_agg(DISTINCT date_trunc('month', timezone('UTC', t.occurred_at))::date))
	FROM o2o.import_touchpoint t WHERE t.batch_id = touchpoint_import.batch_id;

	-- Claimed under the keys that touchpoint_record uses: what is there already stays as it is.
	WITH keyed AS MATERIALIZED (
		SELECT t.source, t.event_id, o2o.request_key('touchpoint/' || t.source || '/' || t.event_id) AS request_id
		FROM o2o.import_touchpoint t
		WHERE t.batch_id = touchpoint_import.batch_id AND t.outcome IS NULL
	), claimed AS (
		INSERT INTO o2o.request AS r (request_id, operation, payload_hash)
		SELECT k.request_id, 'touchpoint_import', sha256(convert_to(touchpoint_import.batch_id::text, 'UTF8'))
		FROM keyed k ORDER BY k.request_id
		ON CONFLICT DO NOTHING
		RETURNING r.request_id
	)
	UPDATE o2o.import_touchpoint t SET outcome = 'skipped'
	FROM keyed k LEFT JOIN claimed c ON c.request_id = k.request_id
	WHERE c.request_id IS NULL AND t.batch_id = touchpoint_import.batch_id AND t.source = k.source AND t.event_id = k.event_id;

	INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers)
	SELECT t.batch_id, t.source, 'touchpoint/' || t.event_id, t.occurred_at, t.identifiers
	FROM o2o.import_touchpoint t WHERE t.batch_id = touchpoint_import.batch_id AND t.outcome IS NULL
	ON CONFLICT DO NOTHING;
	ANALYZE o2o.import_identity;
	PERFORM o2o.identity_import(touchpoint_import.batch_id);
	INSERT INTO o2o.touchpoint (profile_id, occurred_at, stage, verb, channel, source, event_id, location_id, sku, order_id, content, position)
	SELECT e.profile_id, t.occurred_at, t.stage, t.verb, t.channel, t.source, t.event_id, l.location_id, t.sku, o.order_id, t.content, t.position
	FROM o2o.import_touchpoint t
		JOIN o2o.import_identity e ON e.batch_id = t.batch_id AND e.source = t.source AND e.event_id = 'touchpoint/' || t.event_id
		LEFT JOIN o2o.location l ON l.source || '/' || l.source_id = t.location
		LEFT JOIN o2o.sales_order o ON o.source = t.source AND o.source_id = t.order_source_id
	WHERE t.batch_id = touchpoint_import.batch_id AND t.outcome IS NULL
	ORDER BY t.occurred_at, t.source, t.event_id;
	GET DIAGNOSTICS written = ROW_COUNT;
	UPDATE o2o.import_touchpoint t SET profile_id = e.profile_id, outcome = 'imported'
	FROM o2o.import_identity e
	WHERE t.batch_id = touchpoint_import.batch_id AND t.outcome IS NULL
		AND e.batch_id = t.batch_id AND e.source = t.source AND e.event_id = 'touchpoint/' || t.event_id;
	RETURN written;
END $$;
COMMENT ON FUNCTION o2o.touchpoint_import(bigint) IS 'Imports the touchpoints of a batch from import_touchpoint, all or nothing: identities in the order of time, then the rows and their months. What exists already under (source, event_id) is skipped. Fills profile_id and outcome (imported, skipped). Returns the number of touchpoints written. Errors: O2101, O2102, O2103 unknown source, channel, location, 22023 unknown stage.';
