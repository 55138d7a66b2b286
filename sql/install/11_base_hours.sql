-- Base: opening hours as people write them.

CREATE FUNCTION o2o.hours_times(times text) RETURNS TABLE (opens time, closes time)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part text;
	ends text[];
BEGIN
	IF lower(hours_times.times) IN ('off', 'closed', '-', '') THEN
		RETURN;
	END IF;
	FOREACH part IN ARRAY regexp_split_to_array(hours_times.times, '\s*,\s*') LOOP
		ends := regexp_match(part, '^(\d{1,2}:\d{2}(?::\d{2})?)\s*-\s*(\d{1,2}:\d{2}(?::\d{2})?)$');
		IF ends IS NULL THEN
			RAISE EXCEPTION 'opening hours not understood: "%"', part USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Write them as Mo-Fr 09:00-12:00,13:00-21:00; Sa 10:00-02:00; Su off; 2026-12-25 off.';
		END IF;
		opens := ends[1]::time;
		closes := ends[2]::time;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.hours_times(text) IS 'The intervals of one day in a text such as 09:00-12:00,13:00-21:00; no row for off, closed, - or nothing. Serves hours_parse(). Errors: 22023 another form, 22008 no such time.';

CREATE FUNCTION o2o.hours_parse(hours text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	names CONSTANT text[] := '{mo,tu,we,th,fr,sa,su}';
	part text;
	found text[];
	days integer[];
	span text[];
	weekly jsonb := '[]';
	exceptions jsonb := '[]';
	first_day integer;
	last_day integer;
BEGIN
	FOREACH part IN ARRAY regexp_split_to_array(lower(btrim(hours_parse.hours)), '\s*;\s*') LOOP
		IF part = '' THEN
			CONTINUE;
		END IF;
		found := regexp_match(part, '^(\d{4}-\d{2}-\d{2})\s+(\S.*)$');
		IF found IS NOT NULL THEN
			-- what comes later holds instead of what came before, day by day
			exceptions := coalesce((SELECT jsonb_agg(e.entry ORDER BY e.n) FROM jsonb_array_elements(exceptions) WITH ORDINALITY e (entry, n) WHERE e.entry -> 'day' <> to_jsonb(found[1]::date)), '[]')
				|| coalesce(
				(SELECT jsonb_agg(jsonb_build_object('day', found[1]::date, 'opens', t.opens, 'closes', t.closes)) FROM o2o.hours_times(found[2]) t),
				jsonb_build_array(jsonb_build_object('day', found[1]::date, 'opens', NULL, 'closes', NULL)));
			CONTINUE;
		END IF;
		IF part = '24/7' THEN
			part := 'mo-su 00:00-24:00';
		END IF;
		found := regexp_match(part, '^((?:mo|tu|we|th|fr|sa|su)(?:\s*[-,]\s*(?:mo|tu|we|th|fr|sa|su))*)\s+(.*\S)$');
		IF found IS NULL THEN
			RAISE EXCEPTION 'opening hours not understood: "%"', part USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Write them as Mo-Fr 09:00-12:00,13:00-21:00; Sa 10:00-02:00; Su off; 2026-12-25 off.';
		END IF;
		days := '{}';
		FOREACH part IN ARRAY string_to_array(regexp_replace(found[1], '\s', '', 'g'), ',') LOOP
			span := string_to_array(part, '-');
			IF cardinality(span) > 2 THEN
				RAISE EXCEPTION 'opening hours not understood: "%"', part USING ERRCODE = 'invalid_parameter_value',
					HINT = 'A span of weekdays has two ends, such as Mo-Fr.';
			END IF;
			first_day := array_position(names, span[1]);
			last_day := coalesce(array_position(names, span[2]), first_day);
			-- Fr-Mo goes over the end of the week
			days := days || ARRAY(SELECT (first_day - 1 + n) % 7 + 1 FROM generate_series(0, (last_day - first_day + 7) % 7) n);
		END LOOP;
		weekly := coalesce((SELECT jsonb_agg(w.entry || jsonb_build_object('weekday', k.weekday) ORDER BY w.n)
				FROM jsonb_array_elements(weekly) WITH ORDINALITY w (entry, n)
					CROSS JOIN LATERAL (SELECT jsonb_agg(d.day ORDER BY d.n) AS weekday FROM jsonb_array_elements(w.entry -> 'weekday') WITH ORDINALITY d (day, n) WHERE d.day::integer <> ALL (days)) k
				WHERE k.weekday IS NOT NULL), '[]')
			|| coalesce(
			(SELECT jsonb_agg(jsonb_build_object('weekday', to_jsonb(days), 'opens', t.opens, 'closes', t.closes)) FROM o2o.hours_times(found[2]) t), '[]');
	END LOOP;
	RETURN jsonb_build_object('hours', weekly, 'exceptions', exceptions);
END $$;
COMMENT ON FUNCTION o2o.hours_parse(text) IS 'Opening hours as people and OpenStreetMap write them, such as ''Mo-Fr 09:00-12:00,13:00-21:00; Sa 10:00-02:00; Su off; 2026-12-25 off; 2026-12-24 09:00-14:00'' or ''24/7'', as the JSON that location_import() takes: hours and exceptions. Weekdays Mo Tu We Th Fr Sa Su, spans (also over the end of the week) and lists; times H:MM or H:MM:SS, an end at or before its begin is on the next day, 24:00 is the end of the day; off, closed or - is closed. A later part holds instead of an earlier one on the days that it names, as in OpenStreetMap: Mo-Su 09:00-18:00; Su off is closed on Sundays. Case and spaces do not matter. Errors: 22023 another form, 22008 no such time or day.';

CREATE FUNCTION o2o.week_hours_valid(week_hours integer[]) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_week_hours_valid';
COMMENT ON FUNCTION o2o.week_hours_valid(integer[]) IS 'Whether these are weekly opening hours as location.week_hours has them: begin and end of each interval in seconds since Monday 00:00, each begin above the one before and below 604800, each interval one second to a day long; no nulls.';

CREATE FUNCTION o2o.week_hours(hours jsonb) RETURNS integer[]
LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce(array_agg(n.second ORDER BY t.opens, n.second), '{}')
	FROM (
		SELECT (d.weekday::integer - 1) * 86400 + extract(epoch FROM h.opens)::integer AS opens,
			extract(epoch FROM h.closes - h.opens)::integer + CASE WHEN h.closes <= h.opens THEN 86400 ELSE 0 END AS lasts
		FROM jsonb_to_recordset(week_hours.hours) h (weekday jsonb, opens time, closes time)
			CROSS JOIN jsonb_array_elements_text(CASE jsonb_typeof(h.weekday) WHEN 'array' THEN h.weekday ELSE jsonb_build_array(h.weekday) END) d (weekday)) i
		-- opening at 24:00 of a Sunday is Monday 00:00
		CROSS JOIN LATERAL (SELECT i.opens % 604800 AS opens) t
		CROSS JOIN LATERAL (VALUES (t.opens), (t.opens + i.lasts)) n (second);
END;
COMMENT ON FUNCTION o2o.week_hours(jsonb) IS 'Weekly opening hours as location.week_hours has them, from the hours of location_import(): [{"weekday": 1 or [1,2,3], "opens": "09:00", "closes": "21:00"}]; closing at or before opening is on the next day. Fractions of seconds are rounded.';
CREATE FUNCTION o2o.week_hours(hours text) RETURNS integer[]
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN o2o.week_hours(o2o.hours_parse(hours) -> 'hours');
COMMENT ON FUNCTION o2o.week_hours(text) IS 'Weekly opening hours as location.week_hours has them, from a text as hours_parse() takes it; days of exceptions in it are left out. Errors: as hours_parse().';

-- Of the extension, since it opens nothing: views may call it whoever reads them.
CREATE FUNCTION o2o.location_in_business(opened_on date, closed_on date, time_zone text, at timestamptz) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (opened_on IS NULL OR opened_on <= timezone(time_zone, at)::date)
	AND (closed_on IS NULL OR closed_on > timezone(time_zone, at)::date);
COMMENT ON FUNCTION o2o.location_in_business(date, date, text, timestamptz) IS 'True when a place exists at a moment: the local day is opened_on or later and before closed_on (NULL: no bound).';
