-- Stores: the datums of Chinese maps. WGS84 is what is stored; convert where positions come in and go out.

CREATE FUNCTION o2o.geo_in_china(geopoint o2o.geopoint) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'o2o_geo_in_china_sql';
COMMENT ON FUNCTION o2o.geo_in_china(o2o.geopoint) IS 'Whether maps are shifted at this WGS84 position: in an outline of mainland China and Hainan with a margin of about 3 km. Hong Kong, Macau and Taiwan (with Kinmen and Matsu) are outside, as their own maps are not shifted; within about 1 km of the Shenzhen river the outline decides coarsely. So are the islands south of Hainan. Border towns on the far side may be inside: Sinuiju, Blagoveshchensk, Lao Cai. For positions less than 1 km outside the outline the way back from a shifted datum is ambiguous: it takes them for shifted ones.';
CREATE FUNCTION o2o.geo_datum_wkb(wkb bytea, from_datum integer, to_datum integer) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'o2o_geo_datum_wkb';
COMMENT ON FUNCTION o2o.geo_datum_wkb(bytea, integer, integer) IS 'Serves the conversions of geometries: extended well-known binary with every position converted from one datum to another, 0 WGS84, 1 GCJ-02, 2 BD-09. Errors: 22P03 not such binary, or no such datum.';

CREATE FUNCTION o2o.wgs84_to_gcj02(geopoint o2o.geopoint) RETURNS o2o.geopoint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'o2o_wgs84_to_gcj02';
COMMENT ON FUNCTION o2o.wgs84_to_gcj02(o2o.geopoint) IS 'A position of WGS84 (GPS, OpenStreetMap) in GCJ-02 (AMap, Tencent, Apple and Google maps of China), rounded to 1e-7 degree. Outside China (geo_in_china) unchanged. A literal needs its type, as there is a conversion of geometries too. Never compute distances with shifted positions: they are off by up to 0.7 per cent.';
CREATE FUNCTION o2o.wgs84_to_gcj02(geometry geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ST_GeomFromEWKB(o2o.geo_datum_wkb(ST_AsEWKB(geometry), 0, 1));
COMMENT ON FUNCTION o2o.wgs84_to_gcj02(geometry) IS 'A geometry whose coordinates are degrees of WGS84 (GPS, OpenStreetMap) in GCJ-02 (AMap, Tencent, Apple and Google maps of China), vertex by vertex; SRID, height and measure are kept. Vertices outside China (geo_in_china) are unchanged.';

CREATE FUNCTION o2o.wgs84_to_bd09(geopoint o2o.geopoint) RETURNS o2o.geopoint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'o2o_wgs84_to_bd09';
COMMENT ON FUNCTION o2o.wgs84_to_bd09(o2o.geopoint) IS 'A position of WGS84 (GPS, OpenStreetMap) in BD-09 (Baidu maps), rounded to 1e-7 degree. Outside China (geo_in_china) unchanged. A literal needs its type, as there is a conversion of geometries too. Never compute distances with shifted positions: they are off by up to 0.7 per cent.';
CREATE FUNCTION o2o.wgs84_to_bd09(geometry geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ST_GeomFromEWKB(o2o.geo_datum_wkb(ST_AsEWKB(geometry), 0, 2));
COMMENT ON FUNCTION o2o.wgs84_to_bd09(geometry) IS 'A geometry whose coordinates are degrees of WGS84 (GPS, OpenStreetMap) in BD-09 (Baidu maps), vertex by vertex; SRID, height and measure are kept. Vertices outside China (geo_in_china) are unchanged.';

CREATE FUNCTION o2o.gcj02_to_wgs84(geopoint o2o.geopoint) RETURNS o2o.geopoint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'o2o_gcj02_to_wgs84';
COMMENT ON FUNCTION o2o.gcj02_to_wgs84(o2o.geopoint) IS 'A position of GCJ-02 (AMap, Tencent, Apple and Google maps of China) in WGS84 (GPS, OpenStreetMap), rounded to 1e-7 degree. Outside China (geo_in_china) unchanged. What is inside is judged by the position in WGS84, so that one within 700 m outside of the border, which nobody shifted, may be taken for one inside. Exact inverse, by iteration to 1e-11 degree and better. A literal needs its type, as there is a conversion of geometries too. Never compute distances with shifted positions: they are off by up to 0.7 per cent.';
CREATE FUNCTION o2o.gcj02_to_wgs84(geometry geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ST_GeomFromEWKB(o2o.geo_datum_wkb(ST_AsEWKB(geometry), 1, 0));
COMMENT ON FUNCTION o2o.gcj02_to_wgs84(geometry) IS 'A geometry whose coordinates are degrees of GCJ-02 (AMap, Tencent, Apple and Google maps of China) in WGS84 (GPS, OpenStreetMap), vertex by vertex; SRID, height and measure are kept. Vertices outside China (geo_in_china) are unchanged. What is inside is judged by the position in WGS84, so that one within 700 m outside of the border, which nobody shifted, may be taken for one inside. Exact inverse, by iteration to 1e-11 degree and better: back and forth within 1e-6 m.';

CREATE FUNCTION o2o.gcj02_to_bd09(geopoint o2o.geopoint) RETURNS o2o.geopoint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'o2o_gcj02_to_bd09';
COMMENT ON FUNCTION o2o.gcj02_to_bd09(o2o.geopoint) IS 'A position of GCJ-02 (AMap, Tencent, Apple and Google maps of China) in BD-09 (Baidu maps), rounded to 1e-7 degree. Outside China (geo_in_china) unchanged. A literal needs its type, as there is a conversion of geometries too. Never compute distances with shifted positions: they are off by up to 0.7 per cent.';
CREATE FUNCTION o2o.gcj02_to_bd09(geometry geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ST_GeomFromEWKB(o2o.geo_datum_wkb(ST_AsEWKB(geometry), 1, 2));
COMMENT ON FUNCTION o2o.gcj02_to_bd09(geometry) IS 'A geometry whose coordinates are degrees of GCJ-02 (AMap, Tencent, Apple and Google maps of China) in BD-09 (Baidu maps), vertex by vertex; SRID, height and measure are kept. Vertices outside China (geo_in_china) are unchanged.';

CREATE FUNCTION o2o.bd09_to_wgs84(geopoint o2o.geopoint) RETURNS o2o.geopoint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'o2o_bd09_to_wgs84';
COMMENT ON FUNCTION o2o.bd09_to_wgs84(o2o.geopoint) IS 'A position of BD-09 (Baidu maps) in WGS84 (GPS, OpenStreetMap), rounded to 1e-7 degree. Outside China (geo_in_china) unchanged. Exact inverse, by iteration to 1e-11 degree and better. A literal needs its type, as there is a conversion of geometries too. Never compute distances with shifted positions: they are off by up to 0.7 per cent.';
CREATE FUNCTION o2o.bd09_to_wgs84(geometry geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ST_GeomFromEWKB(o2o.geo_datum_wkb(ST_AsEWKB(geometry), 2, 0));
COMMENT ON FUNCTION o2o.bd09_to_wgs84(geometry) IS 'A geometry whose coordinates are degrees of BD-09 (Baidu maps) in WGS84 (GPS, OpenStreetMap), vertex by vertex; SRID, height and measure are kept. Vertices outside China (geo_in_china) are unchanged. Exact inverse, by iteration to 1e-11 degree and better: back and forth within 1e-6 m.';

CREATE FUNCTION o2o.bd09_to_gcj02(geopoint o2o.geopoint) RETURNS o2o.geopoint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'o2o_bd09_to_gcj02';
COMMENT ON FUNCTION o2o.bd09_to_gcj02(o2o.geopoint) IS 'A position of BD-09 (Baidu maps) in GCJ-02 (AMap, Tencent, Apple and Google maps of China), rounded to 1e-7 degree. Outside China (geo_in_china) unchanged. Exact inverse, by iteration to 1e-11 degree and better. A literal needs its type, as there is a conversion of geometries too. Never compute distances with shifted positions: they are off by up to 0.7 per cent.';
CREATE FUNCTION o2o.bd09_to_gcj02(geometry geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ST_GeomFromEWKB(o2o.geo_datum_wkb(ST_AsEWKB(geometry), 2, 1));
COMMENT ON FUNCTION o2o.bd09_to_gcj02(geometry) IS 'A geometry whose coordinates are degrees of BD-09 (Baidu maps) in GCJ-02 (AMap, Tencent, Apple and Google maps of China), vertex by vertex; SRID, height and measure are kept. Vertices outside China (geo_in_china) are unchanged. Exact inverse, by iteration to 1e-11 degree and better: back and forth within 1e-6 m.';
