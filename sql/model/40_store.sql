-- The stores room: registering places with their hours, open or closed, nearest stores.
-- The types and distance operators are the extension's (sql/install/4x, src/geo); the tables stand in the base room.

CREATE INDEX IF NOT EXISTS location_position_idx ON o2o.location USING spgist (position);

CREATE OR REPLACE FUNCTION o2o.day_hours_contain(at timestamptz, time_zone text, day date, opens time, closes time) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN at >= timezone(time_zone, day + opens)
	AND at < timezone(time_zone, day + closes + CASE WHEN closes <= opens THEN interval '1 day' ELSE interval '0' END);
COMMENT ON FUNCTION o2o.day_hours_contain(timestamptz, text, date, time, time) IS 'True when the moment lies in the opening hours that begin on this local day of the time zone: from opens (included) to closes (excluded); closes at or before opens means on the next day. Local times are turned into moments, so a day of 23 or 25 hours is right; a local time that occurs twice means the second one, one that is skipped means as much later.';

CREATE OR REPLACE FUNCTION o2o.opening_contains(at timestamptz, time_zone text, weekday smallint, except_days date[],
	day date, opens time, closes time) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN day IS NOT NULL THEN o2o.day_hours_contain(at, time_zone, day, opens, closes)
	ELSE (date_part('isodow', timezone(time_zone, at)) = weekday
			AND NOT timezone(time_zone, at)::date = ANY (except_days)
			AND o2o.day_hours_contain(at, time_zone, timezone(time_zone, at)::date, opens, closes))
		OR (date_part('isodow', timezone(time_zone, at) - interval '1 day') = weekday
			AND NOT timezone(time_zone, at)::date - 1 = ANY (except_days)
			AND o2o.day_hours_contain(at, time_zone, timezone(time_zone, at)::date - 1, opens, closes))
	END;
COMMENT ON FUNCTION o2o.opening_contains(timestamptz, text, smallint, date[], date, time, time) IS 'True when a row of location_opening holds the moment: a single day''s hours, or weekly hours that began on the local day of the moment or on the day before (past midnight), unless that day is one of except_days.';

CREATE OR REPLACE FUNCTION o2o.location_in_business(opened_on date, closed_on date, time_zone text, at timestamptz) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (opened_on IS NULL OR opened_on <= timezone(time_zone, at)::date)
	AND (closed_on IS NULL OR closed_on > timezone(time_zone, at)::date);
COMMENT ON FUNCTION o2o.location_in_business(date, date, text, timestamptz) IS 'True when a place exists at a moment: the local day is opened_on or later and before closed_on (NULL: no bound).';

CREATE OR REPLACE VIEW o2o.location_opening AS
SELECT l.location_id, l.time_zone, h.weekday,
	ARRAY(SELECT e.day FROM o2o.location_hours_exception e WHERE e.location_id = l.location_id ORDER BY e.day) AS except_days,
	NULL::date AS day, h.opens, h.closes
FROM o2o.location l JOIN o2o.location_hours h ON h.location_id = l.location_id
UNION ALL
SELECT l.location_id, l.time_zone, NULL, NULL, e.day, e.opens, e.closes
FROM o2o.location l JOIN o2o.location_hours_exception e ON e.location_id = l.location_id
WHERE e.opens IS NOT NULL;
COMMENT ON VIEW o2o.location_opening IS 'Opening hours of places in local time: one row per weekly interval and per exception with hours. Live. Asked with opening_contains(at, time_zone, weekday, except_days, day, opens, closes).';
COMMENT ON COLUMN o2o.location_opening.location_id IS 'Place';
COMMENT ON COLUMN o2o.location_opening.time_zone IS 'IANA time zone of opens and closes';
COMMENT ON COLUMN o2o.location_opening.weekday IS 'ISO weekday (1 Monday to 7 Sunday) of weekly hours; NULL for a single day';
COMMENT ON COLUMN o2o.location_opening.except_days IS 'Local days on which the weekly hours do not hold; NULL for a single day';
COMMENT ON COLUMN o2o.location_opening.day IS 'Local day of an exception; NULL for weekly hours';
COMMENT ON COLUMN o2o.location_opening.opens IS 'Local time at which it opens';
COMMENT ON COLUMN o2o.location_opening.closes IS 'Local time at which it closes; at or before opens: on the next day';

CREATE OR REPLACE FUNCTION o2o.store_is_open(location_id bigint, at timestamptz DEFAULT now()) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	place record;
BEGIN
	SELECT l.opened_on, l.closed_on, l.time_zone INTO place
	FROM o2o.location l WHERE l.location_id = store_is_open.location_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown location %', store_is_open.location_id
			USING ERRCODE = 'O2103', HINT = 'The locations are the rows of o2o.location.';
	END IF;
	RETURN o2o.location_in_business(place.opened_on, place.closed_on, place.time_zone, store_is_open.at)
		AND EXISTS (SELECT FROM o2o.location_opening o
			WHERE o.location_id = store_is_open.location_id
				AND o2o.opening_contains(store_is_open.at, o.time_zone, o.weekday, o.except_days, o.day, o.opens, o.closes));
END $$;
COMMENT ON FUNCTION o2o.store_is_open(bigint, timestamptz) IS 'True when the place is open at the moment: weekly hours and exceptions in its own time zone, past midnight, over changes of daylight saving time. A place without hours is never open. Error: O2103 unknown location.';

CREATE OR REPLACE FUNCTION o2o.stores_nearest(point o2o.geopoint, k integer DEFAULT 10, max_m double precision DEFAULT NULL,
	open_at timestamptz DEFAULT NULL, services text[] DEFAULT NULL, roles text[] DEFAULT NULL)
RETURNS TABLE (store_id bigint, name text, distance_m double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF point IS NULL OR k IS NULL OR k < 0 OR NOT coalesce(max_m >= 0 AND max_m < 'infinity', true) THEN
		RAISE EXCEPTION 'a search for stores needs a point, k of zero or more, and a finite distance'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	-- The index gives the order by distance; ties at the cut are kept, so that the lowest ids among them win.
	-- Beyond max_m every place is let through and taken out afterwards: the first k of them end the search.
	-- The hours are a scalar subquery, asked place by place: EXISTS would become a join with the hours of all.
	RETURN QUERY
	SELECT found.location_id, found.name, found.distance_m
	FROM (
		SELECT l.location_id, l.name, l.position OPERATOR(o2o.<->) stores_nearest.point AS distance_m
		FROM o2o.location l
		WHERE l.position IS NOT NULL
			AND (l.position OPERATOR(o2o.<->) stores_nearest.point > stores_nearest.max_m
				OR (l.kind IN ('store', 'counter', 'warehouse')
					AND l.roles @> coalesce(stores_nearest.roles, '{shop}')
					AND (stores_nearest.services IS NULL OR l.services @> stores_nearest.services)
					AND o2o.location_in_business(l.opened_on, l.closed_on, l.time_zone, coalesce(stores_nearest.open_at, now()))
					AND (stores_nearest.open_at IS NULL OR (
						SELECT true FROM o2o.location_opening o
						WHERE o.location_id = l.location_id
							AND o2o.opening_contains(stores_nearest.open_at, o.time_zone, o.weekday, o.except_days, o.day, o.opens, o.closes)
						LIMIT 1))))
		ORDER BY l.position OPERATOR(o2o.<->) stores_nearest.point
		FETCH FIRST (stores_nearest.k) ROWS WITH TIES
	) found
	WHERE stores_nearest.max_m IS NULL OR found.distance_m <= stores_nearest.max_m
	ORDER BY found.distance_m, found.location_id
	LIMIT stores_nearest.k;
END $$;
COMMENT ON FUNCTION o2o.stores_nearest(o2o.geopoint, integer, double precision, timestamptz, text[], text[]) IS 'The k nearest places to a point (''lon,lat'', WGS84), by distance on the ellipsoid in metres, then id; exact. Only those not farther than max_m metres, open at open_at, with all of services, with all of roles (default: shop), that exist at that moment; NULL: no such condition. Every condition is part of the search, so k places come back when k exist. Error: 22023 point missing, k below zero, distance not finite.';

CREATE OR REPLACE FUNCTION o2o.location_import(rows jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	bad text;
	written bigint;
BEGIN
	IF jsonb_typeof(location_import.rows) IS DISTINCT FROM 'array' THEN
		RAISE EXCEPTION 'locations must be a JSON array of objects' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT string_agg(DISTINCT k.key, ', ' ORDER BY k.key) INTO bad
	FROM jsonb_array_elements(location_import.rows) r (item), jsonb_object_keys(r.item) k (key)
	WHERE k.key NOT IN ('source', 'source_id', 'name', 'kind', 'organisation', 'parent', 'roles', 'services', 'lon', 'lat',
		'time_zone', 'address', 'city', 'region', 'country', 'opened_on', 'closed_on', 'hours', 'exceptions');
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'unknown keys in a location: %', bad USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT string_agg(DISTINCT coalesce(r.item ->> 'source', 'null'), ', ') INTO bad
	FROM jsonb_array_elements(location_import.rows) r (item)
	WHERE NOT EXISTS (SELECT FROM o2o.source s WHERE s.source = r.item ->> 'source');
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'unknown source %', bad USING ERRCODE = 'O2101', HINT = 'Register it with o2o.source_register().';
	END IF;
	SELECT string_agg(DISTINCT r.item ->> 'organisation', ', ') INTO bad
	FROM jsonb_array_elements(location_import.rows) r (item)
	WHERE NOT EXISTS (SELECT FROM o2o.organisation g WHERE g.code = r.item ->> 'organisation');
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'unknown organisation %', bad USING ERRCODE = 'invalid_parameter_value',
			HINT = 'The organisations are the rows of o2o.organisation.';
	END IF;
	SELECT string_agg(DISTINCT r.item ->> 'time_zone', ', ') INTO bad
	FROM jsonb_array_elements(location_import.rows) r (item)
	WHERE r.item ? 'time_zone' AND NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = r.item ->> 'time_zone');
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'unknown time zone %', bad USING ERRCODE = 'invalid_parameter_value';
	END IF;

	INSERT INTO o2o.location AS l (organisation_id, source, source_id, name, kind, roles, services, position, time_zone,
		address, city, region, country, opened_on, closed_on)
	SELECT g.organisation_id, r.source, r.source_id, r.name, coalesce(r.kind, 'store'),
		coalesce(r.roles, CASE r.kind WHEN 'warehouse' THEN '{warehouse}'::text[] ELSE '{shop}' END), coalesce(r.services, '{}'),
		o2o.geopoint(r.lon, r.lat),
		coalesce(r.time_zone, s.time_zone), r.address, r.city, r.region, r.country, r.opened_on, r.closed_on
	FROM jsonb_to_recordset(location_import.rows) r (source text, source_id text, name text, kind text, organisation text,
			roles text[], services text[], lon double precision, lat double precision, time_zone text, address text, city text, region text,
			country text, opened_on date, closed_on date)
		JOIN o2o.source s ON s.source = r.source
		LEFT JOIN o2o.organisation g ON g.code = r.organisation
	ORDER BY r.source, r.source_id
	ON CONFLICT (source, source_id) DO UPDATE SET organisation_id = excluded.organisation_id, name = excluded.name,
		kind = excluded.kind, roles = excluded.roles, services = excluded.services, position = excluded.position,
		time_zone = excluded.time_zone, address = excluded.address, city = excluded.city, region = excluded.region,
		country = excluded.country, opened_on = excluded.opened_on, closed_on = excluded.closed_on;
	GET DIAGNOSTICS written = ROW_COUNT;

	SELECT string_agg(DISTINCT r.item ->> 'parent', ', ') INTO bad
	FROM jsonb_array_elements(location_import.rows) r (item)
	WHERE NOT EXISTS (SELECT FROM o2o.location parent WHERE parent.source || '/' || parent.source_id = r.item ->> 'parent');
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'unknown location "%"', bad
			USING ERRCODE = 'O2103', HINT = 'Name the parent by <source>/<source_id>, of these rows or registered before.';
	END IF;
	UPDATE o2o.location l SET parent_location_id = parent.location_id
	FROM jsonb_to_recordset(location_import.rows) r (source text, source_id text, parent text)
		JOIN o2o.location parent ON parent.source || '/' || parent.source_id = r.parent
	WHERE l.source = r.source AND l.source_id = r.source_id
		AND l.parent_location_id IS DISTINCT FROM parent.location_id;

	DELETE FROM o2o.location_hours h
	USING jsonb_array_elements(location_import.rows) r (item), o2o.location l
	WHERE r.item ? 'hours' AND l.source = r.item ->> 'source' AND l.source_id = r.item ->> 'source_id'
		AND h.location_id = l.location_id;
	INSERT INTO o2o.location_hours (location_id, weekday, opens, closes)
	SELECT l.location_id, d.weekday::smallint, h.opens, h.closes
	FROM jsonb_array_elements(location_import.rows) r (item)
		JOIN o2o.location l ON l.source = r.item ->> 'source' AND l.source_id = r.item ->> 'source_id'
		CROSS JOIN jsonb_to_recordset(coalesce(r.item -> 'hours', '[]')) h (weekday jsonb, opens time, closes time)
		CROSS JOIN jsonb_array_elements_text(CASE jsonb_typeof(h.weekday) WHEN 'array' THEN h.weekday
			ELSE jsonb_build_array(h.weekday) END) d (weekday);

	DELETE FROM o2o.location_hours_exception e
	USING jsonb_array_elements(location_import.rows) r (item), o2o.location l
	WHERE r.item ? 'exceptions' AND l.source = r.item ->> 'source' AND l.source_id = r.item ->> 'source_id'
		AND e.location_id = l.location_id;
	INSERT INTO o2o.location_hours_exception (location_id, day, opens, closes, note)
	SELECT l.location_id, e.day, e.opens, e.closes, e.note
	FROM jsonb_array_elements(location_import.rows) r (item)
		JOIN o2o.location l ON l.source = r.item ->> 'source' AND l.source_id = r.item ->> 'source_id'
		CROSS JOIN jsonb_to_recordset(coalesce(r.item -> 'exceptions', '[]')) e (day date, opens time, closes time, note text);
	RETURN written;
END $$;
COMMENT ON FUNCTION o2o.location_import(jsonb) IS 'Registers places, or replaces their rows, from a JSON array of objects: source, source_id, name, and optionally kind (default store), organisation (code), parent (<source>/<source_id>), roles, services, lon and lat (degrees, WGS84), time_zone (default: the source''s), address, city, region, country, opened_on, closed_on, hours ([{"weekday": 1 or [1,2,3], "opens": "09:00", "closes": "21:00"}]), exceptions ([{"day": "2026-12-25", "opens": null, "closes": null, "note": "…"}]). hours and exceptions replace what was there when the key is present. Returns the number of places. Errors: O2101 unknown source, O2103 unknown parent, 22023 unknown key, organisation or time zone, 22P02 or 22003 bad position.';
