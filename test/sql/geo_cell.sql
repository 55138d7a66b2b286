-- The grid: every position lies in its cell and in no other, cells fill a box, broken numbers are refused; H3 by its extension.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
SET search_path = public, o2o;
SET extra_float_digits = 1;

SELECT d, geo_cell_box(geo_cell('121.4737,31.2304', d)) AS box FROM unnest(ARRAY[1, 6, 7, 8, 15, 16]) d;
SELECT geo_cell_center(geo_cell('121.4737,31.2304', 7)), geo_cell('121.4737,31.2304', 7) = geo_cell(geo_cell_center(geo_cell('121.4737,31.2304', 7)), 7) AS same;
-- at the ends of the earth, at random: inside its own box, its neighbour is not
SELECT setseed(0.5);
CREATE TABLE place AS SELECT p, d FROM (SELECT geopoint(random() * 360 - 180, random() * 180 - 90) AS p FROM generate_series(1, 500) UNION ALL VALUES ('180,90'::geopoint), ('-180,-90'), ('179.9999999,89.9999999'), ('0,0'), ('-0.0000001,0')) t, generate_series(1, 16) d;
SELECT count(*) AS places, count(*) FILTER (WHERE NOT p <@ geo_cell_box(geo_cell(p, d))) AS outside, count(*) FILTER (WHERE geo_cell(geo_cell_center(geo_cell(p, d)), d) <> geo_cell(p, d)) AS other_center,
	count(*) FILTER (WHERE NOT (d = 16 OR geo_cell_box(geo_cell(p, d)) && geo_cell_box(geo_cell(p, d + 1)) AND (SELECT count(*) FROM geo_cells(geo_cell_box(geo_cell(p, d)), d)) = 1)) AS not_alone
FROM place;
SELECT count(DISTINCT geo_cell(p, 3)) AS cells, count(DISTINCT geo_cell_box(geo_cell(p, 3))::text) AS boxes FROM place;
-- the cells of a box: all that have something of it, once each; 4 x 4 of the next depth in a cell; over the antimeridian
SELECT count(*), count(DISTINCT c), bool_and(geo_cell_box(c) && geobox(121, 31, 121.1, 31.1)) AS all_meet,
	(SELECT count(*) FROM generate_series(0, 40) x, generate_series(0, 40) y WHERE geo_cell(geopoint(121 + x * 0.0025, 31 + y * 0.0025), 8) NOT IN (SELECT geo_cells(geobox(121, 31, 121.1, 31.1), 8))) AS missed FROM geo_cells(geobox(121, 31, 121.1, 31.1), 8) c;
SELECT count(*) FROM geo_cells(geo_cell_box(geo_cell('121,31', 7)), 8);
SELECT count(*), count(*) FILTER (WHERE geo_longitude(geo_cell_center(c)) > 0) AS east, bool_and(geo_cell_box(c) && '(179.9,0),(-179.9,0.1)'::geobox) AS all_meet FROM geo_cells('(179.9,0),(-179.9,0.1)', 6) c;
SELECT count(*) FROM geo_cells('(-180,-90),(179.9999999,90)', 1);

CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text; detail text;
BEGIN
	EXECUTE query INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || concat_ws(' | ', SQLERRM, nullif(detail, ''));
END $$;
SELECT pg_temp.try('SELECT ' || a) FROM unnest(ARRAY[$$geo_cell('1,1', 0)$$, $$geo_cell('1,1', 17)$$, 'geo_cell_box(0)', 'geo_cell_box(2)', 'geo_cell_center(4)', 'geo_cell_box((-1)::bigint)', 'geo_cell_box(-9223372036854775807 - 1)', $$geo_cells('(0,0),(10,10)', 12)$$, $$geo_cells('(0,0),(1,1)', 0)$$]) a;
SELECT count(*) FILTER (WHERE a !~ '^(22023 not a cell|\()') AS wrong, count(DISTINCT left(a, 1)) AS kinds FROM (SELECT pg_temp.try(format('SELECT geo_cell_box(%s)', ((random() - 0.5) * 1.8e19)::bigint & ~((1::bigint << (i % 63)) - 1))) AS a FROM generate_series(1, 500) i) t;

-- without h3-pg a clear error, with it the cell that others publish (Brandenburg Gate, resolution 8)
SELECT CASE WHEN EXISTS (SELECT FROM pg_available_extensions WHERE name = 'h3') THEN 'O2005 module h3 is not available | The extension h3 (h3-pg) is not installed in this database.' ELSE pg_temp.try($$SELECT geo_h3('13.377704,52.516262', 8)$$) END AS without;
SELECT geo_h3(NULL, 8);
SELECT count(*) > 0 AS has_h3 FROM pg_available_extensions WHERE name = 'h3' \gset
\if :has_h3
SET client_min_messages = warning;
CREATE SCHEMA hexagon;
CREATE EXTENSION h3 SCHEMA hexagon;
SELECT pg_temp.try($$SELECT geo_h3('13.377704,52.516262', 8)$$) AS cell \gset
SELECT pg_temp.try($$SELECT geo_h3('13.377704,52.516262', 16)$$) ~ '^(O2005|8)' AS bad_resolution \gset
DROP SCHEMA hexagon CASCADE;
RESET client_min_messages;
\else
\set cell 881f1d4887fffff
\set bad_resolution f
\endif
SELECT :'cell' AS cell, :'bad_resolution' AS resolution_16_is_taken;
DROP TABLE place;
