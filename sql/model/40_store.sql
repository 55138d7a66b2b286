-- The stores room: service areas, open or closed, searches. Places are registered in the next piece.
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
	SELECT l.opened_on, l.closed_on, l.time_zone, l.week_hours INTO place
	FROM o2o.location l WHERE l.location_id = store_is_open.location_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown location %', store_is_open.location_id USING ERRCODE = 'O2103', HINT = 'The places are the rows of o2o.location.';
	END IF;
	RETURN o2o.location_in_business(place.opened_on, place.closed_on, place.time_zone, store_is_open.at)
		AND o2o.location_open(store_is_open.location_id, place.week_hours, place.time_zone, store_is_open.at);
END $$;
COMMENT ON FUNCTION o2o.store_is_open(bigint, timestamptz) IS 'True when the place is open at the moment: weekly hours and exceptions in its own time zone, past midnight, over changes of daylight saving time. A place without hours is never open. Error: O2103 unknown location.';

CREATE OR REPLACE FUNCTION o2o.store_next_opening(location_id bigint, at timestamptz DEFAULT now()) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	place record;
	first_day date;
	plain_weeks integer := 0;
	opens_at timestamptz;
BEGIN
	SELECT l.time_zone, greatest(store_next_opening.at, timezone(l.time_zone, l.opened_on::timestamp)) AS begins_at,
		timezone(l.time_zone, l.closed_on::timestamp) AS closed_at, l.week_hours
	INTO place FROM o2o.location l WHERE l.location_id = store_next_opening.location_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown location %', store_next_opening.location_id USING ERRCODE = 'O2103', HINT = 'The places are the rows of o2o.location.';
	ELSIF store_next_opening.at IS NULL OR NOT isfinite(place.begins_at) THEN
		RETURN NULL;
	END IF;
	-- Week by week from the day before, whose hours may still go on. A week may have nothing because its hours are over and
	-- the next because the clock leaps over them: after three without exceptions only days of exceptions can be different.
	first_day := timezone(place.time_zone, place.begins_at)::date - 1;
	WHILE first_day IS NOT NULL LOOP
		SELECT min(greatest(i.opens_at, place.begins_at)) INTO opens_at
		FROM o2o.location_intervals(store_next_opening.location_id, place.time_zone, first_day, 7) i
		WHERE greatest(i.opens_at, place.begins_at) < least(i.closes_at, place.closed_at);
		EXIT WHEN opens_at IS NOT NULL OR timezone(place.time_zone, first_day::timestamp) >= place.closed_at;
		plain_weeks := CASE WHEN EXISTS (SELECT FROM o2o.location_hours_exception e
			WHERE e.location_id = store_next_opening.location_id AND e.day >= first_day AND e.day < first_day + 7) THEN 0 ELSE plain_weeks + 1 END;
		IF place.week_hours <> '{}' AND plain_weeks < 3 THEN
			first_day := first_day + 7;
		ELSE
			SELECT min(e.day) INTO first_day FROM o2o.location_hours_exception e
			WHERE e.location_id = store_next_opening.location_id AND e.day >= first_day + 7;
			plain_weeks := 0;
		END IF;
	END LOOP;
	RETURN opens_at;
END $$;
COMMENT ON FUNCTION o2o.store_next_opening(bigint, timestamptz) IS 'The first moment from at on at which store_is_open(location_id, ...) is true: at itself when the place is open then; NULL when it never opens again, because it has no hours left or is closed for good, or when at is NULL or infinite. Error: O2103 unknown location.';

CREATE OR REPLACE FUNCTION o2o.store_search(point o2o.geopoint, max_m double precision, open_at timestamptz, services text[], roles text[])
RETURNS TABLE (location_id bigint, name text, "position" o2o.geopoint, distance_m double precision)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT l.location_id, l.name, l.position, l.position OPERATOR(o2o.<->) store_search.point
	FROM o2o.location l
	WHERE l.position OPERATOR(o2o.<@) o2o.geocircle(store_search.point, coalesce(store_search.max_m, 'infinity'))
		AND l.kind = ANY (o2o.store_kinds())
		AND l.roles @> o2o.store_roles(store_search.roles)
		AND (store_search.services IS NULL OR l.services @> store_search.services)
		AND o2o.location_in_business(l.opened_on, l.closed_on, l.time_zone, coalesce(store_search.open_at, now()))
		AND (store_search.open_at IS NULL OR o2o.location_open(l.location_id, l.week_hours, l.time_zone, store_search.open_at));
END;
COMMENT ON FUNCTION o2o.store_search(o2o.geopoint, double precision, timestamptz, text[], text[]) IS 'The places that stores_serving chooses from, and stores_nearest and stores_within where store_find() cannot read the tables, with their position and the metres to the point: not farther than max_m, open at open_at, with all of services, with all of roles (default: shop), existing at that moment; NULL: no such condition. In no order. Inlined into the query that calls it, so that the index on the position serves both its order and its distance.';

CREATE OR REPLACE FUNCTION o2o.store_find_by_sql(point o2o.geopoint, k integer, max_m double precision, open_at timestamptz, services text[], roles text[])
RETURNS TABLE (location_id bigint, name text, distance_m double precision)
LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
-- One plan for all calls: places in the order of the index until there are k. Without a known distance the planner takes
-- a circle for small, and would rather read all in it and sort.
SET plan_cache_mode = force_generic_plan SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
	-- The index gives the order by distance; ties at the cut are kept, so that the lowest ids among them win.
	RETURN QUERY
	SELECT found.location_id, found.name, found.distance_m
	FROM (
		SELECT s.location_id, s.name, s.distance_m
		FROM o2o.store_search(store_find_by_sql.point, store_find_by_sql.max_m, store_find_by_sql.open_at, store_find_by_sql.services, store_find_by_sql.roles) s
		ORDER BY s.position OPERATOR(o2o.<->) store_find_by_sql.point
		FETCH FIRST (coalesce(store_find_by_sql.k, 2147483647)) ROWS WITH TIES
	) found
	ORDER BY found.distance_m, found.location_id
	LIMIT store_find_by_sql.k;
END $$;
COMMENT ON FUNCTION o2o.store_find_by_sql(o2o.geopoint, integer, double precision, timestamptz, text[], text[]) IS 'What store_find() says, by SQL: where its tables are not plain ones, as on a cluster.';

CREATE OR REPLACE FUNCTION o2o.stores_nearest(point o2o.geopoint, k integer DEFAULT 10, max_m double precision DEFAULT NULL,
	open_at timestamptz DEFAULT NULL, services text[] DEFAULT NULL, roles text[] DEFAULT NULL)
RETURNS TABLE (store_id bigint, name text, distance_m double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF k IS NULL OR k < 0 THEN
		RAISE EXCEPTION 'a search for the nearest stores needs k of zero or more' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF o2o.store_is_plain() THEN
		RETURN QUERY SELECT f.location_id, f.name, f.distance_m
		FROM o2o.store_find(stores_nearest.point, stores_nearest.k, stores_nearest.max_m, stores_nearest.open_at, stores_nearest.services,
			o2o.store_roles(stores_nearest.roles), o2o.store_kinds()) f;
	ELSE
		PERFORM o2o.store_search_check(stores_nearest.point, stores_nearest.max_m);
		RETURN QUERY SELECT f.location_id, f.name, f.distance_m
		FROM o2o.store_find_by_sql(stores_nearest.point, stores_nearest.k, stores_nearest.max_m, stores_nearest.open_at, stores_nearest.services, stores_nearest.roles) f;
	END IF;
END $$;
COMMENT ON FUNCTION o2o.stores_nearest(o2o.geopoint, integer, double precision, timestamptz, text[], text[]) IS 'The k nearest places to a point (''lon,lat'', WGS84), by distance on the ellipsoid in metres, then id; exact. Only those not farther than max_m metres, open at open_at, with all of services, with all of roles (default: shop), that exist at that moment; NULL: no such condition. Every condition is part of the search, so k places come back when k exist. Error: 22023 point missing, k below zero, distance below zero or not finite.';

CREATE OR REPLACE FUNCTION o2o.stores_within(point o2o.geopoint, max_m double precision,
	open_at timestamptz DEFAULT NULL, services text[] DEFAULT NULL, roles text[] DEFAULT NULL)
RETURNS TABLE (store_id bigint, name text, distance_m double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- without a distance it would be all places
	PERFORM o2o.store_search_check(stores_within.point, coalesce(stores_within.max_m, 'NaN'));
	IF o2o.store_is_plain() THEN
		RETURN QUERY SELECT f.location_id, f.name, f.distance_m
		FROM o2o.store_find(stores_within.point, NULL, stores_within.max_m, stores_within.open_at, stores_within.services,
			o2o.store_roles(stores_within.roles), o2o.store_kinds()) f;
	ELSE
		RETURN QUERY SELECT f.location_id, f.name, f.distance_m
		FROM o2o.store_find_by_sql(stores_within.point, NULL, stores_within.max_m, stores_within.open_at, stores_within.services, stores_within.roles) f;
	END IF;
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
