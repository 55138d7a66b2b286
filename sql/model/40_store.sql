-- The stores room: registering places with their hours and service areas, open or closed, searches.
-- The types and distance operators are the extension's (sql/install/4x, src/geo); the tables stand in the base room.

CREATE INDEX IF NOT EXISTS location_position_idx ON o2o.location USING spgist (position);

CREATE TABLE IF NOT EXISTS o2o.location_area (
	location_id bigint NOT NULL REFERENCES o2o.location,
	service text NOT NULL DEFAULT 'delivery',
	radius_m double precision CHECK (radius_m >= 0 AND radius_m < 'infinity'),
	area o2o.geopolygon,
	PRIMARY KEY (location_id, service),
	CHECK ((radius_m IS NULL) <> (area IS NULL))
);
COMMENT ON TABLE o2o.location_area IS 'Where a place serves its customers, one row a service: a distance from it, or a polygon.';
COMMENT ON COLUMN o2o.location_area.location_id IS 'Place; refers to location';
COMMENT ON COLUMN o2o.location_area.service IS 'What it does there, in a free word such as delivery';
COMMENT ON COLUMN o2o.location_area.radius_m IS 'Within so many metres of its position; NULL: it is a polygon';
COMMENT ON COLUMN o2o.location_area.area IS 'Within this polygon, edges included; NULL: it is a distance';
CREATE INDEX IF NOT EXISTS location_area_radius_idx ON o2o.location_area (radius_m);
CREATE INDEX IF NOT EXISTS location_area_area_idx ON o2o.location_area USING gist (area);

CREATE OR REPLACE FUNCTION o2o.location_in_business(opened_on date, closed_on date, time_zone text, at timestamptz) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (opened_on IS NULL OR opened_on <= timezone(time_zone, at)::date)
	AND (closed_on IS NULL OR closed_on > timezone(time_zone, at)::date);
COMMENT ON FUNCTION o2o.location_in_business(date, date, text, timestamptz) IS 'True when a place exists at a moment: the local day is opened_on or later and before closed_on (NULL: no bound).';

-- Neither strict nor with a path of its own, like store_search below: so that the planner can inline it.
CREATE OR REPLACE FUNCTION o2o.location_intervals(location_id bigint, time_zone text, first_day date, days integer)
RETURNS TABLE (opens_at timestamptz, closes_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT timezone(location_intervals.time_zone, e.day + e.opens),
		timezone(location_intervals.time_zone, e.day + e.closes + CASE WHEN e.closes <= e.opens THEN interval '1 day' ELSE interval '0' END)
	FROM o2o.location_hours_exception e
	WHERE e.location_id = location_intervals.location_id
		AND e.day >= location_intervals.first_day AND e.day < location_intervals.first_day + location_intervals.days
		AND e.opens IS NOT NULL
	UNION ALL
	SELECT timezone(location_intervals.time_zone, w.day + w.opens),
		timezone(location_intervals.time_zone, w.day + w.closes + CASE WHEN w.closes <= w.opens THEN interval '1 day' ELSE interval '0' END)
	FROM (
		-- the day of this weekday among the seven from first_day on; OFFSET 0 has the days sorted out before any hour is computed
		SELECT location_intervals.first_day + d.n AS day, h.opens, h.closes
		FROM o2o.location_hours h
			CROSS JOIN LATERAL (SELECT (h.weekday + 7 - date_part('isodow', location_intervals.first_day)::integer) % 7 AS n) d
		WHERE h.location_id = location_intervals.location_id AND d.n < location_intervals.days
		OFFSET 0) w
	WHERE NOT EXISTS (SELECT FROM o2o.location_hours_exception e
		WHERE e.location_id = location_intervals.location_id AND e.day = w.day);
END;
COMMENT ON FUNCTION o2o.location_intervals(bigint, text, date, integer) IS 'The opening hours of a place that begin on the local days from first_day on, 1 to 7 of them, as moments: it is open from opens_at (included) to closes_at (excluded). Exceptions hold instead of the weekly hours of their day; closes at or before opens means on the next day. Local times are turned into moments of the time zone, so a day of 23 or 25 hours is right; a local time that occurs twice means the second one, one that is skipped means as much later, so an interval may be empty.';

CREATE OR REPLACE FUNCTION o2o.store_is_open(location_id bigint, at timestamptz DEFAULT now()) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	place record;
BEGIN
	SELECT l.opened_on, l.closed_on, l.time_zone, timezone(l.time_zone, store_is_open.at)::date AS day INTO place
	FROM o2o.location l WHERE l.location_id = store_is_open.location_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown location %', store_is_open.location_id USING ERRCODE = 'O2103';
	END IF;
	RETURN o2o.location_in_business(place.opened_on, place.closed_on, place.time_zone, store_is_open.at)
		AND EXISTS (SELECT FROM o2o.location_intervals(store_is_open.location_id, place.time_zone, place.day - 1, 2) i
			WHERE store_is_open.at >= i.opens_at AND store_is_open.at < i.closes_at);
END $$;
COMMENT ON FUNCTION o2o.store_is_open(bigint, timestamptz) IS 'True when the place is open at the moment: weekly hours and exceptions in its own time zone, past midnight, over changes of daylight saving time. A place without hours is never open. Error: O2103 unknown location.';

CREATE OR REPLACE FUNCTION o2o.store_next_opening(location_id bigint, at timestamptz DEFAULT now()) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	place record;
	first_day date;
	last_exception date;
	opens_at timestamptz;
BEGIN
	SELECT l.time_zone, timezone(l.time_zone, l.opened_on::timestamp) AS opened_at, timezone(l.time_zone, l.closed_on::timestamp) AS closed_at
	INTO place FROM o2o.location l WHERE l.location_id = store_next_opening.location_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown location %', store_next_opening.location_id USING ERRCODE = 'O2103';
	END IF;
	SELECT max(e.day) INTO last_exception
	FROM o2o.location_hours_exception e WHERE e.location_id = store_next_opening.location_id;
	-- Week by week from the day before, whose hours may still go on, to a whole week after the last exception.
	first_day := timezone(place.time_zone, greatest(store_next_opening.at, place.opened_at))::date - 1;
	LOOP
		SELECT min(greatest(i.opens_at, store_next_opening.at, place.opened_at)) INTO opens_at
		FROM o2o.location_intervals(store_next_opening.location_id, place.time_zone, first_day, 7) i
		WHERE greatest(i.opens_at, store_next_opening.at, place.opened_at) < least(i.closes_at, place.closed_at);
		EXIT WHEN opens_at IS NOT NULL OR first_day > greatest(last_exception, timezone(place.time_zone, greatest(store_next_opening.at, place.opened_at))::date);
		first_day := first_day + 7;
	END LOOP;
	RETURN opens_at;
END $$;
COMMENT ON FUNCTION o2o.store_next_opening(bigint, timestamptz) IS 'The first moment from at on at which store_is_open(location_id, ...) is true: at itself when the place is open then; NULL when it never opens again, because it has no hours left or is closed for good. Error: O2103 unknown location.';

CREATE OR REPLACE FUNCTION o2o.store_search(point o2o.geopoint, max_m double precision, open_at timestamptz, services text[], roles text[])
RETURNS TABLE (location_id bigint, name text, "position" o2o.geopoint, distance_m double precision)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT l.location_id, l.name, l.position, l.position OPERATOR(o2o.<->) store_search.point
	FROM o2o.location l
	WHERE l.position OPERATOR(o2o.<@) o2o.geocircle(store_search.point, coalesce(store_search.max_m, 'infinity'))
		AND l.kind IN ('store', 'counter', 'warehouse')
		AND l.roles @> coalesce(store_search.roles, '{shop}')
		AND (store_search.services IS NULL OR l.services @> store_search.services)
		AND o2o.location_in_business(l.opened_on, l.closed_on, l.time_zone, coalesce(store_search.open_at, now()))
		-- a scalar subquery, asked place by place: EXISTS would become a join with the hours of all
		AND (store_search.open_at IS NULL OR (
			SELECT true
			FROM (SELECT timezone(l.time_zone, store_search.open_at)::date - 1 AS yesterday OFFSET 0) d
				CROSS JOIN LATERAL o2o.location_intervals(l.location_id, l.time_zone, d.yesterday, 2) i
			WHERE store_search.open_at >= i.opens_at AND store_search.open_at < i.closes_at
			LIMIT 1));
END;
COMMENT ON FUNCTION o2o.store_search(o2o.geopoint, double precision, timestamptz, text[], text[]) IS 'The places that stores_nearest, stores_within and stores_serving choose from, with their position and the metres to the point: not farther than max_m, open at open_at, with all of services, with all of roles (default: shop), existing at that moment; NULL: no such condition. In no order. Inlined into the query that calls it, so that the index on the position serves both its order and its distance.';

CREATE OR REPLACE FUNCTION o2o.store_search_check(point o2o.geopoint, max_m double precision) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF point IS NULL OR NOT coalesce(max_m >= 0 AND max_m < 'infinity', true) THEN
		RAISE EXCEPTION 'a search for stores needs a point and a finite distance of zero or more metres'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
END $$;
COMMENT ON FUNCTION o2o.store_search_check(o2o.geopoint, double precision) IS 'Refuses a search for stores without a point, or with a distance below zero, infinite or NaN. Error: 22023.';

CREATE OR REPLACE FUNCTION o2o.stores_nearest(point o2o.geopoint, k integer DEFAULT 10, max_m double precision DEFAULT NULL,
	open_at timestamptz DEFAULT NULL, services text[] DEFAULT NULL, roles text[] DEFAULT NULL)
RETURNS TABLE (store_id bigint, name text, distance_m double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM o2o.store_search_check(stores_nearest.point, stores_nearest.max_m);
	IF k IS NULL OR k < 0 THEN
		RAISE EXCEPTION 'a search for the nearest stores needs k of zero or more' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	-- The index gives the order by distance; ties at the cut are kept, so that the lowest ids among them win.
	RETURN QUERY
	SELECT found.location_id, found.name, found.distance_m
	FROM (
		SELECT s.location_id, s.name, s.distance_m
		FROM o2o.store_search(stores_nearest.point, stores_nearest.max_m, stores_nearest.open_at, stores_nearest.services, stores_nearest.roles) s
		ORDER BY s.position OPERATOR(o2o.<->) stores_nearest.point
		FETCH FIRST (stores_nearest.k) ROWS WITH TIES
	) found
	ORDER BY found.distance_m, found.location_id
	LIMIT stores_nearest.k;
END $$;
COMMENT ON FUNCTION o2o.stores_nearest(o2o.geopoint, integer, double precision, timestamptz, text[], text[]) IS 'The k nearest places to a point (''lon,lat'', WGS84), by distance on the ellipsoid in metres, then id; exact. Only those not farther than max_m metres, open at open_at, with all of services, with all of roles (default: shop), that exist at that moment; NULL: no such condition. Every condition is part of the search, so k places come back when k exist. Error: 22023 point missing, k below zero, distance below zero or not finite.';

CREATE OR REPLACE FUNCTION o2o.stores_within(point o2o.geopoint, max_m double precision,
	open_at timestamptz DEFAULT NULL, services text[] DEFAULT NULL, roles text[] DEFAULT NULL)
RETURNS TABLE (store_id bigint, name text, distance_m double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- without a distance it would be all places
	PERFORM o2o.store_search_check(stores_within.point, coalesce(stores_within.max_m, 'NaN'));
	RETURN QUERY
	SELECT s.location_id, s.name, s.distance_m
	FROM o2o.store_search(stores_within.point, stores_within.max_m, stores_within.open_at, stores_within.services, stores_within.roles) s
	ORDER BY s.distance_m, s.location_id;
END $$;
COMMENT ON FUNCTION o2o.stores_within(o2o.geopoint, double precision, timestamptz, text[], text[]) IS 'All places at most max_m metres from a point (''lon,lat'', WGS84), that distance included, by distance on the ellipsoid in metres, then id; exact. Only those open at open_at, with all of services, with all of roles (default: shop), that exist at that moment; NULL: no such condition. Error: 22023 point missing, distance missing, below zero or not finite.';

CREATE OR REPLACE FUNCTION o2o.stores_serving(point o2o.geopoint, service text DEFAULT NULL,
	open_at timestamptz DEFAULT NULL, services text[] DEFAULT NULL, roles text[] DEFAULT NULL)
RETURNS TABLE (store_id bigint, name text, distance_m double precision, area_service text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	widest double precision;
BEGIN
	PERFORM o2o.store_search_check(stores_serving.point, NULL);
	SELECT max(a.radius_m) INTO widest FROM o2o.location_area a;
	RETURN QUERY
	WITH serving AS MATERIALIZED (
		SELECT a.location_id, a.service FROM o2o.location_area a
		WHERE o2o.geo_covers(a.area, stores_serving.point)
			AND (stores_serving.service IS NULL OR a.service = stores_serving.service)
		UNION ALL
		-- the index on the position finds the places near enough for the widest radius of all
		SELECT a.location_id, a.service FROM o2o.location l JOIN o2o.location_area a ON a.location_id = l.location_id
		WHERE l.position OPERATOR(o2o.<@) o2o.geocircle(stores_serving.point, widest)
			AND a.radius_m >= l.position OPERATOR(o2o.<->) stores_serving.point
			AND (stores_serving.service IS NULL OR a.service = stores_serving.service)
	)
	SELECT s.location_id, s.name, s.distance_m, a.service
	FROM serving a
		JOIN o2o.store_search(stores_serving.point, NULL, stores_serving.open_at, stores_serving.services, stores_serving.roles) s
			ON s.location_id = a.location_id
	ORDER BY s.distance_m, s.location_id, a.service;
END $$;
COMMENT ON FUNCTION o2o.stores_serving(o2o.geopoint, text, timestamptz, text[], text[]) IS 'The places whose service area (location_area) holds a point (''lon,lat'', WGS84), with the service of that area, by distance in metres, then id, then service: within its radius along the ellipsoid, or in its polygon, edges included. Only areas of this service, places open at open_at, with all of services, with all of roles (default: shop), that exist at that moment; NULL: no such condition. A place without position serves nobody. Error: 22023 point missing.';

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
		'time_zone', 'address', 'city', 'region', 'country', 'opened_on', 'closed_on', 'hours', 'exceptions', 'areas');
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

	DELETE FROM o2o.location_area a
	USING jsonb_array_elements(location_import.rows) r (item), o2o.location l
	WHERE r.item ? 'areas' AND l.source = r.item ->> 'source' AND l.source_id = r.item ->> 'source_id'
		AND a.location_id = l.location_id;
	INSERT INTO o2o.location_area (location_id, service, radius_m, area)
	SELECT l.location_id, coalesce(a.service, 'delivery'), a.radius_m, o2o.geo_polygon(a.area)
	FROM jsonb_array_elements(location_import.rows) r (item)
		JOIN o2o.location l ON l.source = r.item ->> 'source' AND l.source_id = r.item ->> 'source_id'
		CROSS JOIN jsonb_to_recordset(coalesce(r.item -> 'areas', '[]')) a (service text, radius_m double precision, area jsonb);
	RETURN written;
END $$;
COMMENT ON FUNCTION o2o.location_import(jsonb) IS 'Registers places, or replaces their rows, from a JSON array of objects: source, source_id, name, and optionally kind (default store), organisation (code), parent (<source>/<source_id>), roles, services, lon and lat (degrees, WGS84), time_zone (default: the source''s), address, city, region, country, opened_on, closed_on, hours ([{"weekday": 1 or [1,2,3], "opens": "09:00", "closes": "21:00"}]), exceptions ([{"day": "2026-12-25", "opens": null, "closes": null, "note": "…"}]), areas ([{"service": "delivery", "radius_m": 3000}, {"service": "repair", "area": GeoJSON polygon}]; service defaults to delivery). hours, exceptions and areas replace what was there when the key is present. Returns the number of places. Errors: O2101 unknown source, O2103 unknown parent, 22023 unknown key, organisation or time zone, 22P02 or 22003 bad position, 23514 an area that is neither a radius nor a valid polygon.';
