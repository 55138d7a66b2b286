-- Stores: areas on the map are PostGIS polygons, bound here, once, wherever it is installed.

CREATE DOMAIN o2o.geopolygon AS geometry
	CONSTRAINT geopolygon_type CHECK (ST_GeometryType(VALUE) IN ('ST_Polygon', 'ST_MultiPolygon') AND NOT ST_IsEmpty(VALUE))
	CONSTRAINT geopolygon_srid CHECK (ST_SRID(VALUE) = 4326)
	CONSTRAINT geopolygon_range CHECK (ST_XMin(VALUE) >= -180 AND ST_XMax(VALUE) <= 180 AND ST_YMin(VALUE) >= -90 AND ST_YMax(VALUE) <= 90)
	CONSTRAINT geopolygon_valid CHECK (ST_IsValid(VALUE));
COMMENT ON DOMAIN o2o.geopolygon IS 'An area on the map: a PostGIS polygon or multipolygon of SRID 4326 (degrees, longitude first), not empty, valid, within 180 and 90 degrees. Edges are straight in longitude and latitude, as in GeoJSON; an area over the antimeridian is cut there into a multipolygon. Errors: 23514.';

CREATE FUNCTION o2o.geo_covers(area o2o.geopolygon, point o2o.geopoint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ST_Covers(area, o2o.geo_geometry(point));
COMMENT ON FUNCTION o2o.geo_covers(o2o.geopolygon, o2o.geopoint) IS 'Whether the position lies in the area, edges included (ST_Covers of PostGIS, straight edges in longitude and latitude). Uses a gist index on the area.';
CREATE FUNCTION o2o.geo_polygon(geojson jsonb) RETURNS o2o.geopolygon
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ST_GeomFromGeoJSON(geojson);
COMMENT ON FUNCTION o2o.geo_polygon(jsonb) IS 'The area that a GeoJSON geometry of type Polygon or MultiPolygon describes (RFC 7946). Errors: 23514 another type, or not valid; XX000 what PostGIS cannot read.';
