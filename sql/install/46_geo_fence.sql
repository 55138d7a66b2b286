-- Stores: when devices enter fences, stay in them and leave them.

CREATE FUNCTION o2o.geofence_events(ids bigint[], ats timestamptz[], positions o2o.geopoint[], fence_ids bigint[], fences o2o.geocircle[],
	min_dwell interval DEFAULT '5 minutes', exit_hysteresis_m double precision DEFAULT 0)
RETURNS TABLE (id bigint, fence_id bigint, event text, at timestamptz, entered_at timestamptz, last_inside_at timestamptz)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 10000
AS 'MODULE_PATHNAME', 'o2o_geofence_circle_events';
COMMENT ON FUNCTION o2o.geofence_events(bigint[], timestamptz[], o2o.geopoint[], bigint[], o2o.geocircle[], interval, double precision) IS 'What pings tell of visits to fences. A ping is a device (ids), a time (ats) and a position; ids[i], ats[i], positions[i] belong together, as array_agg() gives them, and so do fence_ids[i] and fences[i]: circles, exact along the WGS84 ellipsoid, edge included. enter: the first ping inside the fence. exit: the first ping more than exit_hysteresis_m metres (0 to 10000) outside of it; until then the visit goes on, so a device at the edge does not come and go. dwell, once a visit: the first ping of the visit at least min_dwell after its enter (days count 24 hours). Every event is at the time of a ping (at); entered_at is the enter of its visit, last_inside_at the latest ping of the visit that was not an exit: a visit took from last_inside_at - entered_at up to at - entered_at. A visit without an exit goes on. Rows by device, time, fence id, then enter, dwell, exit. Pings are sorted by time first, so those that came late or out of order count as if they had come in time: for a running feed call it again for the pings since the oldest visit that goes on, and take the events anew. Pings of one device at one moment count in the order of the array. A NULL position or fence is left out, a NULL argument gives no row; a literal in place of an array of fences needs its type. Arrays in memory, the fences in an R-tree of at most work_mem, the answer goes to disk beyond work_mem. Errors: 22004 a NULL id or time, 2202E more than one dimension or unequal lengths, 22023 a time that is not finite, min_dwell below zero or with months, exit_hysteresis_m out of range, 53200 more memory than work_mem.';
CREATE FUNCTION o2o.geofence_polygon_events(ids bigint[], ats timestamptz[], positions o2o.geopoint[], fence_ids bigint[], polygons bytea[],
	min_dwell interval, exit_hysteresis_m double precision)
RETURNS TABLE (id bigint, fence_id bigint, event text, at timestamptz, entered_at timestamptz, last_inside_at timestamptz)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 10000
AS 'MODULE_PATHNAME', 'o2o_geofence_polygon_events';
COMMENT ON FUNCTION o2o.geofence_polygon_events(bigint[], timestamptz[], o2o.geopoint[], bigint[], bytea[], interval, double precision) IS 'Serves geofence_events() of polygons: the fences as well-known binary of polygons and multipolygons in degrees, two dimensions. Errors: 22P03 not such binary, and those of geofence_events().';
-- ST_AsBinary and ST_Force2D are written in C: they look nothing up as the caller.
CREATE FUNCTION o2o.geofence_events(ids bigint[], ats timestamptz[], positions o2o.geopoint[], fence_ids bigint[], fences o2o.geopolygon[],
	min_dwell interval DEFAULT '5 minutes', exit_hysteresis_m double precision DEFAULT 0)
RETURNS TABLE (id bigint, fence_id bigint, event text, at timestamptz, entered_at timestamptz, last_inside_at timestamptz)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 10000
BEGIN ATOMIC
	SELECT e.id, e.fence_id, e.event, e.at, e.entered_at, e.last_inside_at
	FROM o2o.geofence_polygon_events(geofence_events.ids, geofence_events.ats, geofence_events.positions, geofence_events.fence_ids,
		(SELECT array_agg(ST_AsBinary(ST_Force2D(u.area)) ORDER BY u.n) FROM unnest(geofence_events.fences) WITH ORDINALITY u (area, n)),
		geofence_events.min_dwell, geofence_events.exit_hysteresis_m) e;
END;
COMMENT ON FUNCTION o2o.geofence_events(bigint[], timestamptz[], o2o.geopoint[], bigint[], o2o.geopolygon[], interval, double precision) IS 'The same for fences that are polygons: inside as geo_covers() says (straight edges in longitude and latitude, edge included); the distance to a polygon, for exit_hysteresis_m, is that to the nearest place of its edges, right to some centimetres up to latitude 80. Fences of both kinds: both functions, UNION ALL. Errors: the same.';
