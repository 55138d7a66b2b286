-- Stores: the position type, its casts, order and distances.

CREATE TYPE o2o.geopoint;
CREATE FUNCTION o2o.geopoint_in(cstring) RETURNS o2o.geopoint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_in';
CREATE FUNCTION o2o.geopoint_out(o2o.geopoint) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_out';
CREATE FUNCTION o2o.geopoint_recv(internal) RETURNS o2o.geopoint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_recv';
CREATE FUNCTION o2o.geopoint_send(o2o.geopoint) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_send';
CREATE FUNCTION o2o.geopoint_typanalyze(internal) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_typanalyze';
CREATE TYPE o2o.geopoint (
	INPUT = o2o.geopoint_in,
	OUTPUT = o2o.geopoint_out,
	RECEIVE = o2o.geopoint_recv,
	SEND = o2o.geopoint_send,
	ANALYZE = o2o.geopoint_typanalyze,
	INTERNALLENGTH = 8,
	PASSEDBYVALUE,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE o2o.geopoint IS 'A position on the WGS84 ellipsoid in 8 bytes: longitude and latitude in degrees, kept to 1e-7 degree (1.1 cm). Written ''longitude,latitude'' or ''POINT(longitude latitude)'', shown as ''longitude,latitude'' without trailing zeros. Longitude 180 is -180, a pole has longitude 0, so equal positions are equal values. Sorts by longitude, then latitude. Coordinates of Chinese maps (GCJ-02, BD-09) have to be converted first.';
COMMENT ON FUNCTION o2o.geopoint_typanalyze(internal) IS 'For ANALYZE: beside the usual statistics the share of pairs of rows whose positions share a cell, for each depth of cells. Estimates of searches by distance use it.';
COMMENT ON FUNCTION o2o.geopoint_in(cstring) IS 'Text input of geopoint: ''longitude,latitude'' or ''POINT(longitude latitude)'' in degrees, rounded to 1e-7. Errors: 22P02 other text, NaN and infinity included; 22003 beyond 180 or 90 degrees.';
COMMENT ON FUNCTION o2o.geopoint_out(o2o.geopoint) IS 'Text output of geopoint: ''longitude,latitude'' in degrees, exact, without trailing zeros.';
COMMENT ON FUNCTION o2o.geopoint_recv(internal) IS 'Binary input of geopoint: two int4, longitude and latitude in 1e-7 degree. Errors: 22003 beyond 180 or 90 degrees.';
COMMENT ON FUNCTION o2o.geopoint_send(o2o.geopoint) IS 'Binary output of geopoint: two int4, longitude and latitude in 1e-7 degree.';

CREATE FUNCTION o2o.geopoint(longitude double precision, latitude double precision) RETURNS o2o.geopoint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_make';
COMMENT ON FUNCTION o2o.geopoint(double precision, double precision) IS 'The position at longitude and latitude, both in degrees WGS84, rounded to 1e-7. Errors: 22003 NaN or beyond 180 or 90 degrees.';
CREATE FUNCTION o2o.geopoint_or_null(text text) RETURNS o2o.geopoint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_or_null';
COMMENT ON FUNCTION o2o.geopoint_or_null(text) IS 'The position that a text stands for, as the type''s input takes it; NULL where that would be an error. For texts that others wrote.';
CREATE FUNCTION o2o.geo_longitude(geopoint o2o.geopoint) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geo_longitude';
COMMENT ON FUNCTION o2o.geo_longitude(o2o.geopoint) IS 'Longitude in degrees, -180 or more and less than 180; 0 at a pole.';
CREATE FUNCTION o2o.geo_latitude(geopoint o2o.geopoint) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geo_latitude';
COMMENT ON FUNCTION o2o.geo_latitude(o2o.geopoint) IS 'Latitude in degrees, -90 to 90.';

-- PostGIS is bound here, once, wherever it is installed.
CREATE FUNCTION o2o.geopoint_from_postgis(kind text, srid integer, x double precision, y double precision) RETURNS o2o.geopoint
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_from_postgis';
COMMENT ON FUNCTION o2o.geopoint_from_postgis(text, integer, double precision, double precision) IS 'Serves the casts from PostGIS: type as ST_GeometryType names it, SRID, coordinates in degrees (null when empty). Null without type or SRID. Errors: 22023 no point, empty, or an SRID other than 4326; 22003 coordinates NaN or out of range.';
-- Not strict, so that the planner can inline them.
CREATE FUNCTION o2o.geopoint(geometry geometry) RETURNS o2o.geopoint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN o2o.geopoint_from_postgis(ST_GeometryType(geometry), ST_SRID(geometry),
	CASE WHEN ST_GeometryType(geometry) = 'ST_Point' THEN ST_X(geometry) END,
	CASE WHEN ST_GeometryType(geometry) = 'ST_Point' THEN ST_Y(geometry) END);
COMMENT ON FUNCTION o2o.geopoint(geometry) IS 'The position of a PostGIS point of SRID 4326; height and measure are dropped. Also the cast from geometry. Errors: 22023 no point, empty, or another SRID; 22003 coordinates NaN or out of range.';
CREATE FUNCTION o2o.geopoint(geography geography) RETURNS o2o.geopoint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN o2o.geopoint(geography::geometry);
COMMENT ON FUNCTION o2o.geopoint(geography) IS 'The position of a PostGIS geography point of SRID 4326. Also the cast from geography. Errors: as for geometry.';
CREATE FUNCTION o2o.geo_geometry(geopoint o2o.geopoint) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ST_SetSRID(ST_MakePoint(o2o.geo_longitude(geopoint), o2o.geo_latitude(geopoint)), 4326);
COMMENT ON FUNCTION o2o.geo_geometry(o2o.geopoint) IS 'The position as PostGIS geometry(Point,4326). Also the cast to geometry.';
CREATE FUNCTION o2o.geo_geography(geopoint o2o.geopoint) RETURNS geography
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN o2o.geo_geometry(geopoint)::geography;
COMMENT ON FUNCTION o2o.geo_geography(o2o.geopoint) IS 'The position as PostGIS geography(Point,4326). Also the cast to geography.';
CREATE FUNCTION o2o.geopoint(point point) RETURNS o2o.geopoint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_from_point';
COMMENT ON FUNCTION o2o.geopoint(point) IS 'The position whose longitude is x and whose latitude is y of a built-in point, in degrees. Also the explicit cast from point. Errors: 22003 NaN or out of range.';
CREATE FUNCTION o2o.geo_point(geopoint o2o.geopoint) RETURNS point
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_to_point';
COMMENT ON FUNCTION o2o.geo_point(o2o.geopoint) IS 'The position as a built-in point (longitude, latitude) in degrees. Also the explicit cast to point.';

CREATE CAST (geometry AS o2o.geopoint) WITH FUNCTION o2o.geopoint(geometry) AS ASSIGNMENT;
COMMENT ON CAST (geometry AS o2o.geopoint) IS 'A PostGIS point of SRID 4326, on assignment: o2o.geopoint(geometry).';
CREATE CAST (geography AS o2o.geopoint) WITH FUNCTION o2o.geopoint(geography) AS ASSIGNMENT;
COMMENT ON CAST (geography AS o2o.geopoint) IS 'A PostGIS geography point of SRID 4326, on assignment: o2o.geopoint(geography).';
CREATE CAST (o2o.geopoint AS geometry) WITH FUNCTION o2o.geo_geometry(o2o.geopoint) AS ASSIGNMENT;
COMMENT ON CAST (o2o.geopoint AS geometry) IS 'geometry(Point,4326), on assignment: o2o.geo_geometry.';
CREATE CAST (o2o.geopoint AS geography) WITH FUNCTION o2o.geo_geography(o2o.geopoint) AS ASSIGNMENT;
COMMENT ON CAST (o2o.geopoint AS geography) IS 'geography(Point,4326), on assignment: o2o.geo_geography.';
CREATE CAST (point AS o2o.geopoint) WITH FUNCTION o2o.geopoint(point);
COMMENT ON CAST (point AS o2o.geopoint) IS 'x is longitude, y is latitude; explicit, because a point says neither: o2o.geopoint(point).';
CREATE CAST (o2o.geopoint AS point) WITH FUNCTION o2o.geo_point(o2o.geopoint);
COMMENT ON CAST (o2o.geopoint AS point) IS '(longitude, latitude) in degrees, explicit: o2o.geo_point.';

CREATE FUNCTION o2o.geopoint_lt(o2o.geopoint, o2o.geopoint) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'o2o_geopoint_lt';
CREATE FUNCTION o2o.geopoint_le(o2o.geopoint, o2o.geopoint) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'o2o_geopoint_le';
CREATE FUNCTION o2o.geopoint_eq(o2o.geopoint, o2o.geopoint) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'o2o_geopoint_eq';
CREATE FUNCTION o2o.geopoint_ne(o2o.geopoint, o2o.geopoint) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'o2o_geopoint_ne';
CREATE FUNCTION o2o.geopoint_ge(o2o.geopoint, o2o.geopoint) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'o2o_geopoint_ge';
CREATE FUNCTION o2o.geopoint_gt(o2o.geopoint, o2o.geopoint) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'o2o_geopoint_gt';
CREATE FUNCTION o2o.geopoint_cmp(o2o.geopoint, o2o.geopoint) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'o2o_geopoint_cmp';
CREATE FUNCTION o2o.geopoint_sortsupport(internal) RETURNS void
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_sortsupport';
CREATE FUNCTION o2o.geopoint_hash(o2o.geopoint) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_hash';
CREATE FUNCTION o2o.geopoint_hash_extended(o2o.geopoint, bigint) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_hash_extended';
COMMENT ON FUNCTION o2o.geopoint_lt(o2o.geopoint, o2o.geopoint) IS 'Implements the operator <.';
COMMENT ON FUNCTION o2o.geopoint_le(o2o.geopoint, o2o.geopoint) IS 'Implements the operator <=.';
COMMENT ON FUNCTION o2o.geopoint_eq(o2o.geopoint, o2o.geopoint) IS 'Implements the operator =.';
COMMENT ON FUNCTION o2o.geopoint_ne(o2o.geopoint, o2o.geopoint) IS 'Implements the operator <>.';
COMMENT ON FUNCTION o2o.geopoint_ge(o2o.geopoint, o2o.geopoint) IS 'Implements the operator >=.';
COMMENT ON FUNCTION o2o.geopoint_gt(o2o.geopoint, o2o.geopoint) IS 'Implements the operator >.';
COMMENT ON FUNCTION o2o.geopoint_cmp(o2o.geopoint, o2o.geopoint) IS 'Order of two positions for btree: -1, 0 or 1, by longitude (west to east), then latitude (south to north).';
COMMENT ON FUNCTION o2o.geopoint_sortsupport(internal) IS 'Fast sorting of geopoint for btree.';
COMMENT ON FUNCTION o2o.geopoint_hash(o2o.geopoint) IS 'Hash of a position, 32 bits.';
COMMENT ON FUNCTION o2o.geopoint_hash_extended(o2o.geopoint, bigint) IS 'Hash of a position with a seed, 64 bits.';

CREATE OPERATOR o2o.= (
	LEFTARG = o2o.geopoint, RIGHTARG = o2o.geopoint, FUNCTION = o2o.geopoint_eq,
	COMMUTATOR = OPERATOR(o2o.=), NEGATOR = OPERATOR(o2o.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR o2o.<> (
	LEFTARG = o2o.geopoint, RIGHTARG = o2o.geopoint, FUNCTION = o2o.geopoint_ne,
	COMMUTATOR = OPERATOR(o2o.<>), NEGATOR = OPERATOR(o2o.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR o2o.< (
	LEFTARG = o2o.geopoint, RIGHTARG = o2o.geopoint, FUNCTION = o2o.geopoint_lt,
	COMMUTATOR = OPERATOR(o2o.>), NEGATOR = OPERATOR(o2o.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR o2o.<= (
	LEFTARG = o2o.geopoint, RIGHTARG = o2o.geopoint, FUNCTION = o2o.geopoint_le,
	COMMUTATOR = OPERATOR(o2o.>=), NEGATOR = OPERATOR(o2o.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR o2o.>= (
	LEFTARG = o2o.geopoint, RIGHTARG = o2o.geopoint, FUNCTION = o2o.geopoint_ge,
	COMMUTATOR = OPERATOR(o2o.<=), NEGATOR = OPERATOR(o2o.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
CREATE OPERATOR o2o.> (
	LEFTARG = o2o.geopoint, RIGHTARG = o2o.geopoint, FUNCTION = o2o.geopoint_gt,
	COMMUTATOR = OPERATOR(o2o.<), NEGATOR = OPERATOR(o2o.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR o2o.= (o2o.geopoint, o2o.geopoint) IS 'The same position, to 1e-7 degree.';
COMMENT ON OPERATOR o2o.<> (o2o.geopoint, o2o.geopoint) IS 'Not the same position.';
COMMENT ON OPERATOR o2o.< (o2o.geopoint, o2o.geopoint) IS 'Further west, or at the same longitude further south.';
COMMENT ON OPERATOR o2o.<= (o2o.geopoint, o2o.geopoint) IS 'Further west, or at the same longitude further south, or the same.';
COMMENT ON OPERATOR o2o.>= (o2o.geopoint, o2o.geopoint) IS 'Further east, or at the same longitude further north, or the same.';
COMMENT ON OPERATOR o2o.> (o2o.geopoint, o2o.geopoint) IS 'Further east, or at the same longitude further north.';

CREATE OPERATOR CLASS o2o.geopoint_btree_ops DEFAULT FOR TYPE o2o.geopoint USING btree AS
	OPERATOR 1 o2o.<, OPERATOR 2 o2o.<=, OPERATOR 3 o2o.=, OPERATOR 4 o2o.>=, OPERATOR 5 o2o.>,
	FUNCTION 1 o2o.geopoint_cmp(o2o.geopoint, o2o.geopoint),
	FUNCTION 2 o2o.geopoint_sortsupport(internal),
	FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS o2o.geopoint_btree_ops USING btree IS 'Order of positions by longitude, then latitude: for DISTINCT, GROUP BY, unique keys. For nearness use spgist or gist.';
COMMENT ON OPERATOR FAMILY o2o.geopoint_btree_ops USING btree IS 'Order of positions by longitude, then latitude.';
CREATE OPERATOR CLASS o2o.geopoint_hash_ops DEFAULT FOR TYPE o2o.geopoint USING hash AS
	OPERATOR 1 o2o.=,
	FUNCTION 1 o2o.geopoint_hash(o2o.geopoint),
	FUNCTION 2 o2o.geopoint_hash_extended(o2o.geopoint, bigint);
COMMENT ON OPERATOR CLASS o2o.geopoint_hash_ops USING hash IS 'Equality of positions.';
COMMENT ON OPERATOR FAMILY o2o.geopoint_hash_ops USING hash IS 'Equality of positions.';

CREATE FUNCTION o2o.geo_distance(a o2o.geopoint, b o2o.geopoint) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'o2o_geopoint_distance';
COMMENT ON FUNCTION o2o.geo_distance(o2o.geopoint, o2o.geopoint) IS 'Metres from a to b along the WGS84 ellipsoid, the same both ways, within 1 micrometre of Karney''s geodesic. Up to 100 km: chord through the earth with a correction for curvature; beyond: geod_inverse of PROJ (C. F. F. Karney, Algorithms for geodesics, J. Geodesy 87, 2013).';
CREATE OPERATOR o2o.<-> (
	LEFTARG = o2o.geopoint, RIGHTARG = o2o.geopoint, FUNCTION = o2o.geo_distance,
	COMMUTATOR = OPERATOR(o2o.<->)
);
COMMENT ON OPERATOR o2o.<-> (o2o.geopoint, o2o.geopoint) IS 'Metres along the WGS84 ellipsoid: o2o.geo_distance. ORDER BY position <-> constant LIMIT n reads the nearest rows from an spgist or gist index, in exact order; add the row''s id to the ORDER BY to settle ties.';
CREATE FUNCTION o2o.geo_dwithin(a o2o.geopoint, b o2o.geopoint, max_m double precision) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'o2o_geopoint_dwithin';
COMMENT ON FUNCTION o2o.geo_dwithin(o2o.geopoint, o2o.geopoint, double precision) IS 'Whether a and b are at most max_m metres apart along the WGS84 ellipsoid; max_m itself counts. Uses an spgist or gist index on a or b, also in joins. Errors: 22023 max_m negative or NaN.';
CREATE FUNCTION o2o.geo_azimuth(a o2o.geopoint, b o2o.geopoint) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'o2o_geopoint_azimuth';
COMMENT ON FUNCTION o2o.geo_azimuth(o2o.geopoint, o2o.geopoint) IS 'Direction at a in which the geodesic to b sets out: degrees clockwise from north, 0 or more and less than 360; at the north pole 180, at the south pole 0 is the way down the meridian of longitude 0. Null if a = b. Source: geod_inverse of PROJ.';
CREATE FUNCTION o2o.geo_hilbert(geopoint o2o.geopoint) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_geopoint_hilbert';
COMMENT ON FUNCTION o2o.geo_hilbert(o2o.geopoint) IS 'Place of the position on a Hilbert curve of order 31 over longitude and latitude, 0 or more: rows stored in this order (INSERT ... ORDER BY, or CLUSTER on an index of it) have near positions on the same page, which speeds every search by position.';
