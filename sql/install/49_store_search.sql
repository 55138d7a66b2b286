-- Stores: the search over the model's tables of places, by C code (src/store), which
-- runs with the caller's rights and opens nothing. API functions of the model call it.

CREATE FUNCTION o2o.store_kinds() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{store,counter,warehouse}'::text[];
COMMENT ON FUNCTION o2o.store_kinds() IS 'The kinds of places that searches for stores find.';
CREATE FUNCTION o2o.store_roles(roles text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(roles, '{shop}');
COMMENT ON FUNCTION o2o.store_roles(text[]) IS 'The roles that a search for stores asks for: those given, or shop.';

CREATE FUNCTION o2o.store_search_check(point o2o.geopoint, max_m double precision) RETURNS void
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_store_search_check';
COMMENT ON FUNCTION o2o.store_search_check(o2o.geopoint, double precision) IS 'Refuses a search for stores without a point, or with a distance below zero, infinite or NaN; NULL: any distance. Error: 22023.';

CREATE FUNCTION o2o.store_is_plain() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_store_is_plain';
COMMENT ON FUNCTION o2o.store_is_plain() IS 'Whether store_find() can read location and location_hours_exception: they are what setup() made, plain tables of this node without row security, rules or children, with their indexes. Else the searches go by SQL. Errors: 42P01 no such tables, 42501 no right to read them.';

CREATE FUNCTION o2o.store_find(point o2o.geopoint, k integer, max_m double precision, open_at timestamptz, services text[], roles text[], kinds text[])
RETURNS TABLE (location_id bigint, name text, distance_m double precision)
LANGUAGE c STABLE PARALLEL SAFE ROWS 10 AS 'MODULE_PATHNAME', 'o2o_store_find';
COMMENT ON FUNCTION o2o.store_find(o2o.geopoint, integer, double precision, timestamptz, text[], text[], text[]) IS 'What store_search() finds, in the order of distance and id: the k nearest (NULL: all), at most max_m metres away (NULL: any distance), of one of the kinds, with all of roles, with all of services (NULL: any), open at open_at (NULL: open or not), existing at that moment. Reads the index on the position in the order of distance and ends as soon as no place can be nearer; exceptional days are looked up by their primary key. Runs with the caller''s rights, who needs SELECT on location and location_hours_exception. Errors: 22023 point missing, distance below zero or not finite; 0A000 where store_is_plain() is false; 42501.';

CREATE FUNCTION o2o.location_open(location_id bigint, week_hours integer[], time_zone text, at timestamptz) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'o2o_location_open';
COMMENT ON FUNCTION o2o.location_open(bigint, integer[], text, timestamptz) IS 'Whether a moment lies in the opening hours of a place of these weekly hours and this time zone, as location_intervals() has them. Whether the place exists then is not asked. Runs with the caller''s rights, who needs SELECT on location and location_hours_exception. Errors: 22023 no weekly hours (week_hours_valid) or unknown time zone; 42501.';
