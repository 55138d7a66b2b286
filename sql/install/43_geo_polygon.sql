-- Stores: areas on the map are PostGIS polygons, bound here, once, wherever it is installed.
-- Only functions written in C: those in SQL look their own up as the caller, who may not see the schema of PostGIS.

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
-- PostGIS takes what is no number for zero.
CREATE FUNCTION o2o.geojson_checked(geojson jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ends CONSTANT jsonpath := CASE geojson ->> 'type' WHEN 'Point' THEN 'strict $.coordinates[0 to 1] ? (@.type() != "number")'
		WHEN 'Polygon' THEN 'strict $.coordinates[*][*][0 to 1] ? (@.type() != "number")'
		WHEN 'MultiPolygon' THEN 'strict $.coordinates[*][*][*][0 to 1] ? (@.type() != "number")' END;
BEGIN
	IF ends IS NULL THEN
		RAISE EXCEPTION 'no Point, Polygon or MultiPolygon of GeoJSON, but %', coalesce(geojson ->> 'type', 'nothing') USING ERRCODE = 'invalid_parameter_value',
			DETAIL = 'Its type says what it is.';
	ELSIF coalesce(jsonb_path_exists(geojson, ends, silent => true), true) THEN
		RAISE EXCEPTION 'coordinates of the % are not longitude and latitude in numbers', geojson ->> 'type' USING ERRCODE = 'invalid_parameter_value',
			DETAIL = 'A position is [longitude, latitude], a Polygon an array of rings, each an array of positions, a MultiPolygon an array of such.';
	END IF;
	RETURN geojson;
END $$;
COMMENT ON FUNCTION o2o.geojson_checked(jsonb) IS 'A GeoJSON geometry (RFC 7946) of type Point, Polygon or MultiPolygon as it is, or an error: 22023 another type, or coordinates that are not arrays of numbers of its depth.';
CREATE FUNCTION o2o.geo_polygon(geojson jsonb) RETURNS o2o.geopolygon
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ST_GeomFromGeoJSON(o2o.geojson_checked(geojson)::text);
COMMENT ON FUNCTION o2o.geo_polygon(jsonb) IS 'The area that a GeoJSON geometry of type Polygon or MultiPolygon describes (RFC 7946). Errors: 22023 another type, or coordinates that are no numbers; 23514 a Point, or not valid; XX000 what PostGIS cannot read.';
CREATE FUNCTION o2o.geopolygon_problem(constraint_name text, message text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE constraint_name
	WHEN 'geopolygon_valid' THEN 'the polygon crosses or touches itself, or its holes lie outside'
	WHEN 'geopolygon_range' THEN 'the polygon goes beyond 180 or 90 degrees'
	WHEN 'geopolygon_type' THEN 'neither a Polygon nor a MultiPolygon, or an empty one'
	ELSE message END;
COMMENT ON FUNCTION o2o.geopolygon_problem(text, text) IS 'What is wrong with an area that a constraint of geopolygon refuses, in words; of another constraint the message as it is. For the imports.';
