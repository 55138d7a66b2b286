-- Stores: circles and boxes on the earth, and which positions lie in them.

CREATE TYPE o2o.geocircle;
CREATE FUNCTION o2o.geocircle_in(cstring) RETURNS o2o.geocircle
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geocircle_in';
CREATE FUNCTION o2o.geocircle_out(o2o.geocircle) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geocircle_out';
CREATE FUNCTION o2o.geocircle_recv(internal) RETURNS o2o.geocircle
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geocircle_recv';
CREATE FUNCTION o2o.geocircle_send(o2o.geocircle) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geocircle_send';
CREATE TYPE o2o.geocircle (
	INPUT = o2o.geocircle_in,
	OUTPUT = o2o.geocircle_out,
	RECEIVE = o2o.geocircle_recv,
	SEND = o2o.geocircle_send,
	INTERNALLENGTH = 16,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE o2o.geocircle IS 'A circle on the WGS84 ellipsoid: the positions at most so many metres from a center, the distance itself included. Written and shown ''<(longitude,latitude),metres>''; the radius is zero or more, Infinity is the whole earth.';
COMMENT ON FUNCTION o2o.geocircle_in(cstring) IS 'Text input of geocircle: ''<(longitude,latitude),metres>''. Errors: 22P02 other text, 22003 beyond 180 or 90 degrees, 22023 radius below zero.';
COMMENT ON FUNCTION o2o.geocircle_out(o2o.geocircle) IS 'Text output of geocircle: ''<(longitude,latitude),metres>'', exact.';
COMMENT ON FUNCTION o2o.geocircle_recv(internal) IS 'Binary input of geocircle: two int4, longitude and latitude of the center in 1e-7 degree, and float8, the radius in metres. Errors: 22003 beyond 180 or 90 degrees, 22023 radius below zero or NaN.';
COMMENT ON FUNCTION o2o.geocircle_send(o2o.geocircle) IS 'Binary output of geocircle: two int4, longitude and latitude of the center in 1e-7 degree, and float8, the radius in metres.';

CREATE FUNCTION o2o.geocircle(center o2o.geopoint, radius_m double precision) RETURNS o2o.geocircle
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geocircle_make';
COMMENT ON FUNCTION o2o.geocircle(o2o.geopoint, double precision) IS 'The circle around center with a radius in metres along the WGS84 ellipsoid. Errors: 22023 radius below zero or NaN.';
CREATE FUNCTION o2o.geo_center(geocircle o2o.geocircle) RETURNS o2o.geopoint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geocircle_center';
COMMENT ON FUNCTION o2o.geo_center(o2o.geocircle) IS 'The center of a circle.';
CREATE FUNCTION o2o.geo_radius(geocircle o2o.geocircle) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geocircle_radius';
COMMENT ON FUNCTION o2o.geo_radius(o2o.geocircle) IS 'The radius of a circle in metres.';

CREATE TYPE o2o.geobox;
CREATE FUNCTION o2o.geobox_in(cstring) RETURNS o2o.geobox
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geobox_in';
CREATE FUNCTION o2o.geobox_out(o2o.geobox) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geobox_out';
CREATE FUNCTION o2o.geobox_recv(internal) RETURNS o2o.geobox
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geobox_recv';
CREATE FUNCTION o2o.geobox_send(o2o.geobox) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geobox_send';
CREATE TYPE o2o.geobox (
	INPUT = o2o.geobox_in,
	OUTPUT = o2o.geobox_out,
	RECEIVE = o2o.geobox_recv,
	SEND = o2o.geobox_send,
	INTERNALLENGTH = 16,
	ALIGNMENT = int4,
	STORAGE = plain
);
COMMENT ON TYPE o2o.geobox IS 'The positions between two parallels and, going east, between two meridians, all four included, kept to 1e-7 degree. Written and shown ''(west,south),(east,north)'' in degrees; west above east crosses the antimeridian: ''(170,-50),(-170,-30)''. A box that reaches a pole holds it, whatever its longitudes.';
COMMENT ON FUNCTION o2o.geobox_in(cstring) IS 'Text input of geobox: ''(west,south),(east,north)'' in degrees, rounded to 1e-7. Errors: 22P02 other text, 22003 beyond 180 or 90 degrees, 22023 south above north.';
COMMENT ON FUNCTION o2o.geobox_out(o2o.geobox) IS 'Text output of geobox: ''(west,south),(east,north)'' in degrees, exact, without trailing zeros.';
COMMENT ON FUNCTION o2o.geobox_recv(internal) IS 'Binary input of geobox: four int4, west, south, east, north in 1e-7 degree. Errors: 22003 beyond 180 or 90 degrees, 22023 south above north.';
COMMENT ON FUNCTION o2o.geobox_send(o2o.geobox) IS 'Binary output of geobox: four int4, west, south, east, north in 1e-7 degree.';

CREATE FUNCTION o2o.geobox(west double precision, south double precision, east double precision, north double precision) RETURNS o2o.geobox
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geobox_make';
COMMENT ON FUNCTION o2o.geobox(double precision, double precision, double precision, double precision) IS 'The box between west and east (degrees of longitude, going east; west above east crosses the antimeridian) and south and north (degrees of latitude). Errors: 22003 NaN or beyond 180 or 90 degrees, 22023 south above north.';
CREATE FUNCTION o2o.geo_west(geobox o2o.geobox) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geobox_west';
COMMENT ON FUNCTION o2o.geo_west(o2o.geobox) IS 'Western longitude of a box in degrees, -180 or more and less than 180.';
CREATE FUNCTION o2o.geo_south(geobox o2o.geobox) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geobox_south';
COMMENT ON FUNCTION o2o.geo_south(o2o.geobox) IS 'Southern latitude of a box in degrees.';
CREATE FUNCTION o2o.geo_east(geobox o2o.geobox) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geobox_east';
COMMENT ON FUNCTION o2o.geo_east(o2o.geobox) IS 'Eastern longitude of a box in degrees; below the western one when it crosses the antimeridian.';
CREATE FUNCTION o2o.geo_north(geobox o2o.geobox) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geobox_north';
COMMENT ON FUNCTION o2o.geo_north(o2o.geobox) IS 'Northern latitude of a box in degrees.';
CREATE FUNCTION o2o.geo_geometry(geobox o2o.geobox) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN o2o.geo_west(geobox) <= o2o.geo_east(geobox)
	THEN ST_MakeEnvelope(o2o.geo_west(geobox), o2o.geo_south(geobox), o2o.geo_east(geobox), o2o.geo_north(geobox), 4326)
	ELSE ST_Collect(ST_MakeEnvelope(o2o.geo_west(geobox), o2o.geo_south(geobox), 180, o2o.geo_north(geobox), 4326),
		ST_MakeEnvelope(-180, o2o.geo_south(geobox), o2o.geo_east(geobox), o2o.geo_north(geobox), 4326)) END;
COMMENT ON FUNCTION o2o.geo_geometry(o2o.geobox) IS 'The box as a PostGIS polygon of SRID 4326 in longitude and latitude; a multipolygon of two parts when it crosses the antimeridian. Also the cast to geometry.';
CREATE CAST (o2o.geobox AS geometry) WITH FUNCTION o2o.geo_geometry(o2o.geobox) AS ASSIGNMENT;
COMMENT ON CAST (o2o.geobox AS geometry) IS 'A polygon of SRID 4326, on assignment: o2o.geo_geometry.';

CREATE FUNCTION o2o.geocircle_sel(internal, oid, internal, integer) RETURNS double precision
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geocircle_sel';
COMMENT ON FUNCTION o2o.geocircle_sel(internal, oid, internal, integer) IS 'Estimates for the planner the share of rows in a circle: from the sampled positions within it or, where these are few or its center is not known, from how close together positions usually lie (geopoint_typanalyze).';
CREATE FUNCTION o2o.geocircle_joinsel(internal, oid, internal, smallint, internal) RETURNS double precision
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geocircle_joinsel';
COMMENT ON FUNCTION o2o.geocircle_joinsel(internal, oid, internal, smallint, internal) IS 'Estimates for the planner the share of pairs of a position and a circle that holds it: 1 in 10,000.';

CREATE FUNCTION o2o.geopoint_in_circle(o2o.geopoint, o2o.geocircle) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'o2o_geopoint_in_circle';
CREATE FUNCTION o2o.geocircle_holds(o2o.geocircle, o2o.geopoint) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'o2o_geocircle_holds';
CREATE FUNCTION o2o.geopoint_in_box(o2o.geopoint, o2o.geobox) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_in_box';
CREATE FUNCTION o2o.geobox_holds(o2o.geobox, o2o.geopoint) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geobox_holds';
CREATE FUNCTION o2o.geopoint_meets_box(o2o.geopoint, o2o.geobox) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_in_box';
CREATE FUNCTION o2o.geobox_meets_point(o2o.geobox, o2o.geopoint) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geobox_holds';
CREATE FUNCTION o2o.geobox_overlaps(o2o.geobox, o2o.geobox) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geobox_overlaps';
COMMENT ON FUNCTION o2o.geopoint_in_circle(o2o.geopoint, o2o.geocircle) IS 'Implements the operator <@ of a position and a circle.';
COMMENT ON FUNCTION o2o.geocircle_holds(o2o.geocircle, o2o.geopoint) IS 'Implements the operator @> of a circle and a position.';
COMMENT ON FUNCTION o2o.geopoint_in_box(o2o.geopoint, o2o.geobox) IS 'Implements the operator <@ of a position and a box.';
COMMENT ON FUNCTION o2o.geobox_holds(o2o.geobox, o2o.geopoint) IS 'Implements the operator @> of a box and a position.';
COMMENT ON FUNCTION o2o.geopoint_meets_box(o2o.geopoint, o2o.geobox) IS 'Implements the operator && of a position and a box.';
COMMENT ON FUNCTION o2o.geobox_meets_point(o2o.geobox, o2o.geopoint) IS 'Implements the operator && of a box and a position.';
COMMENT ON FUNCTION o2o.geobox_overlaps(o2o.geobox, o2o.geobox) IS 'Implements the operator && of two boxes.';

CREATE OPERATOR o2o.<@ (
	LEFTARG = o2o.geopoint, RIGHTARG = o2o.geocircle, FUNCTION = o2o.geopoint_in_circle,
	COMMUTATOR = OPERATOR(o2o.@>), RESTRICT = o2o.geocircle_sel, JOIN = o2o.geocircle_joinsel
);
CREATE OPERATOR o2o.@> (
	LEFTARG = o2o.geocircle, RIGHTARG = o2o.geopoint, FUNCTION = o2o.geocircle_holds,
	COMMUTATOR = OPERATOR(o2o.<@), RESTRICT = o2o.geocircle_sel, JOIN = o2o.geocircle_joinsel
);
CREATE OPERATOR o2o.<@ (
	LEFTARG = o2o.geopoint, RIGHTARG = o2o.geobox, FUNCTION = o2o.geopoint_in_box,
	COMMUTATOR = OPERATOR(o2o.@>), RESTRICT = contsel, JOIN = contjoinsel
);
CREATE OPERATOR o2o.@> (
	LEFTARG = o2o.geobox, RIGHTARG = o2o.geopoint, FUNCTION = o2o.geobox_holds,
	COMMUTATOR = OPERATOR(o2o.<@), RESTRICT = contsel, JOIN = contjoinsel
);
CREATE OPERATOR o2o.&& (
	LEFTARG = o2o.geopoint, RIGHTARG = o2o.geobox, FUNCTION = o2o.geopoint_meets_box,
	COMMUTATOR = OPERATOR(o2o.&&), RESTRICT = contsel, JOIN = contjoinsel
);
CREATE OPERATOR o2o.&& (
	LEFTARG = o2o.geobox, RIGHTARG = o2o.geopoint, FUNCTION = o2o.geobox_meets_point,
	COMMUTATOR = OPERATOR(o2o.&&), RESTRICT = contsel, JOIN = contjoinsel
);
CREATE OPERATOR o2o.&& (
	LEFTARG = o2o.geobox, RIGHTARG = o2o.geobox, FUNCTION = o2o.geobox_overlaps,
	COMMUTATOR = OPERATOR(o2o.&&), RESTRICT = areasel, JOIN = areajoinsel
);
COMMENT ON OPERATOR o2o.<@ (o2o.geopoint, o2o.geocircle) IS 'Whether the position lies in the circle: at most its radius from its center along the WGS84 ellipsoid. Uses an spgist or gist index on the position.';
COMMENT ON OPERATOR o2o.@> (o2o.geocircle, o2o.geopoint) IS 'Whether the circle holds the position: at most its radius from its center along the WGS84 ellipsoid. Uses an spgist or gist index on the position.';
COMMENT ON OPERATOR o2o.<@ (o2o.geopoint, o2o.geobox) IS 'Whether the position lies in the box. Uses an spgist or gist index on the position.';
COMMENT ON OPERATOR o2o.@> (o2o.geobox, o2o.geopoint) IS 'Whether the box holds the position. Uses an spgist or gist index on the position.';
COMMENT ON OPERATOR o2o.&& (o2o.geopoint, o2o.geobox) IS 'Whether the position lies in the box: for a position the same as <@. Uses an spgist or gist index on the position.';
COMMENT ON OPERATOR o2o.&& (o2o.geobox, o2o.geopoint) IS 'Whether the position lies in the box: for a position the same as @>. Uses an spgist or gist index on the position.';
COMMENT ON OPERATOR o2o.&& (o2o.geobox, o2o.geobox) IS 'Whether two boxes have a position in common, their edges included.';

CREATE FUNCTION o2o.geo_dwithin_support(internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geo_dwithin_support';
COMMENT ON FUNCTION o2o.geo_dwithin_support(internal) IS 'Tells the planner how many rows geo_dwithin lets through, and that geo_dwithin(a, b, m) is a <@ geocircle(b, m) for an index on a, and b <@ geocircle(a, m) for one on b.';
ALTER FUNCTION o2o.geo_dwithin(o2o.geopoint, o2o.geopoint, double precision) SUPPORT o2o.geo_dwithin_support;
