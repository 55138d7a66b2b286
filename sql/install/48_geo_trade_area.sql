-- Stores: the area in which each store is the nearest.

CREATE FUNCTION o2o.trade_area_polygons(store_ids bigint[], store_positions o2o.geopoint[], max_m double precision)
RETURNS TABLE (store_id bigint, polygon bytea)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 1000
AS 'MODULE_PATHNAME', 'o2o_trade_area_polygons';
COMMENT ON FUNCTION o2o.trade_area_polygons(bigint[], o2o.geopoint[], double precision) IS 'Serves trade_areas(): the polygons as extended well-known binary, whose longitudes go on beyond 180 degrees where an area does. Errors: those of trade_areas().';

-- Only functions of PostGIS that are written in C: they look nothing up as the caller.
CREATE FUNCTION o2o.geo_wrapped(geometry geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN ST_XMin(geometry) < -180 OR ST_XMax(geometry) > 180
	THEN ST_CollectionExtract(ST_MakeValid(ST_WrapX(ST_WrapX(geometry, 180, -360), -180, 360)), 3)
	WHEN ST_IsValid(geometry) THEN geometry ELSE ST_CollectionExtract(ST_MakeValid(geometry), 3) END;
COMMENT ON FUNCTION o2o.geo_wrapped(geometry) IS 'A polygon in degrees whose longitudes may go beyond 180 by less than a turn, cut at the antimeridian into parts within it.';
CREATE FUNCTION o2o.geo_clipped(geometry geometry, boundary o2o.geopolygon) RETURNS geometry
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN boundary IS NULL OR ST_Covers(boundary, geometry) THEN geometry ELSE ST_CollectionExtract(ST_Intersection(geometry, boundary), 3) END;
COMMENT ON FUNCTION o2o.geo_clipped(geometry, o2o.geopolygon) IS 'The part of a polygon within a boundary, which may be empty; all of it without a boundary.';

CREATE FUNCTION o2o.trade_areas(store_ids bigint[], store_positions o2o.geopoint[], boundary o2o.geopolygon DEFAULT NULL, max_m double precision DEFAULT 1000000)
RETURNS TABLE (store_id bigint, area o2o.geopolygon)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
	SELECT t.store_id, t.area::o2o.geopolygon
	FROM (
		SELECT p.store_id, o2o.geo_clipped(o2o.geo_wrapped(ST_GeomFromEWKB(p.polygon)), trade_areas.boundary) AS area
		FROM o2o.trade_area_polygons(trade_areas.store_ids, trade_areas.store_positions, trade_areas.max_m) p
		OFFSET 0) t
	WHERE NOT ST_IsEmpty(t.area);
END;
COMMENT ON FUNCTION o2o.trade_areas(bigint[], o2o.geopoint[], o2o.geopolygon, double precision) IS 'For each store its trade area (Voronoi cell): the part of the earth that is nearer to it than to any other store, at most max_m metres away (drawn with 64 corners; up to 5000000) and within boundary, if there is one. The border between two stores 10 km apart is right to centimetres, 100 km apart to metres: half-way lines on the conformal sphere, drawn so that straight lines in degrees leave them by a metre at most. Neighbours share their vertices, kept to 1e-7 degree. Right at any latitude; cut at the antimeridian into a multipolygon. store_ids[i] belongs to store_positions[i], as array_agg() gives them. Rows in that order; of stores at one place the one with the lowest id has the area, the others have no row, nor has a store with a NULL position or with nothing within boundary. Which store''s area a position lies in is what knn_join() says, exactly and faster. A NULL array gives no row. Errors: 22004 a NULL id, 2202E more than one dimension or unequal lengths, 22023 max_m out of range, 53200 more memory than work_mem, 54000 an area of more than 4096 corners.';

CREATE FUNCTION o2o.geo_wkb_area(wkb bytea) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'o2o_geo_wkb_area';
COMMENT ON FUNCTION o2o.geo_wkb_area(bytea) IS 'Serves geo_area_km2(): square metres of a polygon or multipolygon in well-known binary, degrees, two dimensions. Error: 22P03 not such binary.';
-- Not ST_Area of a geography, which looks up its coordinate system as the caller.
CREATE FUNCTION o2o.geo_area_km2(area o2o.geopolygon) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN o2o.geo_wkb_area(ST_AsBinary(ST_Force2D(area))) / 1e6;
COMMENT ON FUNCTION o2o.geo_area_km2(o2o.geopolygon) IS 'Square kilometres of an area on the WGS84 ellipsoid, its edges taken as geodesics (C. F. F. Karney, Algorithms for geodesics, J. Geodesy 87, 2013), holes left out.';
CREATE FUNCTION o2o.geo_geojson(area o2o.geopolygon) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ST_AsGeoJSON(area, 7, 0);
COMMENT ON FUNCTION o2o.geo_geojson(o2o.geopolygon) IS 'An area as a GeoJSON geometry (RFC 7946), seven digits after the point.';
