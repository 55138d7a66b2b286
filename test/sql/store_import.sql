-- Stores: places from JSON, CSV and GeoJSON: what is taken, and errors that name the row; all or nothing.
-- In a database of its own: the model belongs to an owner who is no superuser.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_store_import;
CREATE DATABASE o2o_store_import;
\c o2o_store_import
SET client_min_messages = warning;
CREATE ROLE o2o_store_import_owner;
CREATE SCHEMA elsewhere;
CREATE EXTENSION postgis SCHEMA elsewhere;
SET search_path = elsewhere, public;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_store_import_owner;
CALL o2o.setup(owner => 'o2o_store_import_owner');
SET ROLE o2o_store_import_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;
SET timezone = 'UTC';

-- What a statement answers, or its error with SQLSTATE and detail.
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

-- Lines of CSV: quotes, line ends within them and of every kind, empty fields, a byte order mark.
SELECT line, fields FROM csv_rows(E'\uFEFFa,b,c\r\n1,"x, ""y""\nz",\r\n\n"",,ü\r3');
SELECT line, fields FROM csv_rows('a;b,c', ';');
SELECT count(*) FROM csv_rows('');
SELECT pg_temp.try(format('SELECT count(*) FROM csv_rows(%L, %L)', c, d)) FROM (VALUES (E'a,b\n1,"2', ','), (E'a,b\n1,"2"3', ','), (repeat(',', 1600), ','), ('a', ''), ('a', '"'), ('a', 'ab')) v (c, d);

-- Opening hours as text.
SELECT t, h ->> 'hours' AS hours, h ->> 'exceptions' AS exceptions FROM unnest(ARRAY['Mo-Fr 09:00-12:00,13:00-21:00; Sa 10:00-02:00; Su off', 'Fr-Mo 8:00:00 - 22:00:00', 'mo, we,SA 7:30-24:00', '24/7; 2026-12-25 off; 2026-12-24 09:00-14:00', 'Sa -', '']) t, hours_parse(t) h;
-- What comes later holds on its days.
SELECT t, h ->> 'hours' AS hours, h ->> 'exceptions' AS exceptions FROM unnest(ARRAY['24/7; Su off', 'Mo-Su 09:00-18:00; We,Sa 09:00-12:00; Su off', 'Mo 09:00-10:00; Mo 11:00-12:00', '2026-12-24 09:00-12:00,13:00-15:00; 2026-12-25 10:00-11:00; 2026-12-25 off', '2026-12-25 off; 2026-12-25 10:00-11:00']) t, hours_parse(t) h;
SELECT t, pg_temp.try(format('SELECT hours_parse(%L)', t)) FROM unnest(ARRAY['Monday 9-5', 'Mo 9-5', 'Mo-We-Fr 09:00-10:00', 'Mo 09:00-25:00', '2026-02-30 off', '09:00-21:00']) t;

-- CSV: columns by name and by text around them.
SELECT location_import_csv($$store,title,x,y,open,close,services,note
1,"Nanjing Road, ""No. 1""",121.4750,31.2350,10:00,22:00,pickup|repair,whatever
2,Xujiahui,121.4365,31.1950,,,,
3,Pudong,121.5440,31.2210,18:00,02:00,pickup,$$, source => 'pos',
	columns => '{"source_id": "{store}", "name": "{title}", "lon": "{x}", "lat": "{y}", "time_zone": "Asia/Shanghai", "hours": "Mo-Su {open}-{close}", "areas": "delivery 3000|repair 20000", "address": "{title} {note}"}');
SELECT source_id, name, position, services, roles, time_zone, address, attractiveness, (SELECT string_agg(format('%s %s-%s', weekday, opens, closes), ', ' ORDER BY weekday) FROM location_hours h WHERE h.location_id = l.location_id AND weekday < 3) AS hours,
	(SELECT string_agg(service || ' ' || radius_m, ', ' ORDER BY service) FROM location_area a WHERE a.location_id = l.location_id) AS areas FROM location l ORDER BY source_id;
-- again: replaced; hours that no column tells stay
SELECT location_import_csv(E'source_id;name;attractiveness;opened_on;exceptions\n1;Nanjing;250.5;2020-02-29;2026-10-01 off; 2026-10-02 10:00-12:00', 'pos', delimiter => ';');
-- what a new file often lacks, with a hint
SELECT location_import_csv(E'store_id,title,x\n7,A,1', 'pos');
SELECT location_import_csv(E'store_id,name,time_zone\n7,A,Central Std Time', 'pos', '{"source_id": "{store_id}"}');
SELECT location_import_csv(E'source_id;name;attractiveness;opened_on;exceptions\n1;Nanjing;250.5;2020-02-29;"2026-10-01 off; 2026-10-02 10:00-12:00"', 'pos', delimiter => ';');
SELECT name, position, attractiveness, opened_on, (SELECT count(*) FROM location_hours h WHERE h.location_id = l.location_id) AS hours, (SELECT string_agg(format('%s %s', day, coalesce(opens || '-' || closes, 'closed')), ', ' ORDER BY day) FROM location_hours_exception e WHERE e.location_id = l.location_id) AS exceptions
FROM location l WHERE source_id = '1';

-- Errors name the line: the first in the message, the next ones below it; nothing is imported.
SELECT pg_temp.try(format('SELECT location_import_csv(%L, %L, %L)', c, s, m)) FROM (VALUES
	(E'source_id,name,lon,lat\n7,A,1,2\n8,B,1,91\n9,,3,4\n\n10,D,x,4\n11,E,5,\n7,F,1,1', 'pos', '{}'), (E'source_id,name\n7,A\n8', 'pos', '{}'), (E'source_id,name\n7,"A', 'pos', '{}'), (E'source_id,name,name\n', 'pos', '{}'), (E'source_id,\n', 'pos', '{}'),
	(E'source_id,name\n7,A', 'mars', '{}'), (E'source_id,name\n7,A', 'pos', '{"lon": "{x}"}'), (E'source_id,name\n7,A', 'pos', '{"hours": "Mo-Fr nine to five"}'), (E'source_id,name,roles\n7,A,\n8,B,x', 'pos', '{"time_zone": "Mars/Base"}'), (E'source_id,name\n7,A', 'pos', '{"longitude": "1"}'),
	(E'source_id,name\n7,A', 'pos', '{"kind": "shop"}'), (E'source_id,name\n7,A', 'pos', '{"attractiveness": "0"}'), (E'source_id,name\n7,A', 'pos', '{"parent": "pos/nobody"}'), (E'source_id,name\n7,A', 'pos', '{"areas": "delivery far"}'), (E'source_id,name\n7,A', 'pos', '{"opened_on": "2026-02-30"}')) v (c, s, m);
SELECT count(*) FROM location;
SELECT location_import_csv('source_id,name', 'pos');
-- A file that is not there, or empty, is no file without places.
SELECT pg_temp.try(format('SELECT location_import_csv(%L, %L, %L, %L)', c, 'pos', m, d)) FROM (VALUES ('', '{}', ','), (E'\n\n', '{}', ','), (NULL, '{}', ','), (E'source_id,name\n7,A', '{}', NULL), (E'source_id,name\n7,A', '[]', ','), (E'source_id,name\n7,A', NULL, ','), (E'source_id,name\n7,A', '{"name": null}', ',')) v (c, m, d);
-- JSON: the same, row by row
SELECT pg_temp.try(format('SELECT location_import(%L)', r)) FROM unnest(ARRAY['[5]', '[{"source": "pos", "source_id": "7", "name": "A", "roles": 3}]', '[{"source": "pos", "source_id": "7", "name": "A"}, {"source": "pos", "source_id": "8", "name": "B", "hours": [{"weekday": 8, "opens": "09:00", "closes": "10:00"}]}]',
	'[{"source": "pos", "source_id": "7", "name": "A", "hours": [{"weekday": 1, "opens": "09:00"}]}]', '[{"source": "pos", "source_id": "7", "name": "A", "hours": [{"weekday": [1, 2], "opens": "09:00", "closes": "10:00"}, {"weekday": 2, "opens": "09:00", "closes": "11:00"}]}]',
	'[{"source": "pos", "source_id": "7", "name": "A", "exceptions": [{"day": "2026-01-01"}, {"day": "2026-01-01"}]}]', '[{"source": "pos", "source_id": "7", "name": "A", "exceptions": [{"opens": "09:00"}]}]', '[{"source": "pos", "source_id": "7", "name": "A", "areas": [{"radius_m": 1}, {"radius_m": 2}]}]',
	'[{"source": "pos", "source_id": "7", "name": "A", "row": "sheet 2, line 9", "lon": 1}]', '[{"source": "pos", "source_id": "7", "name": "A", "time_zone": "CST"}]', '[{"source": "pos", "name": "A"}]']) r;
SELECT pg_temp.try(format('SELECT location_import(%L)', r)) FROM unnest(ARRAY['[{"source": "pos", "source_id": "7", "name": "A", "roles": [null]}]', '[{"source": "pos", "source_id": "7", "name": "A", "services": [{"pickup": true}]}]', '[{"source": "pos", "source_id": "7", "name": "A", "opened_on": "2026-05-01", "closed_on": "2026-04-30"}]',
	'[{"source": "pos", "source_id": "7", "name": "A", "closed_on": "infinity"}]', '[{"source": "pos", "source_id": "7", "name": "A", "exceptions": [{"day": "infinity"}]}]', '[{"source": "pos", "source_id": "7", "name": "A", "exceptions": [{"day": "2026-01-01", "opens": "09:00", "closes": "10:00"}, {"day": "2026-1-1", "opens": "9:00", "closes": "12:00"}]}]',
	'[{"source": "pos", "source_id": "7", "name": "A", "exceptions": [{"day": "2026-01-01", "opens": "09:00", "closes": "10:00"}, {"day": "2026-01-01"}]}]', '[{"source": "pos", "source_id": "7", "name": "A", "areas": [{"area": {"type": "Polygon", "coordinates": [[[0, 0], [1, "x"], [1, 1], [0, 0]]]}}]}]',
	'[{"source": "pos", "source_id": "7", "name": "A", "areas": [{"area": {"type": "MultiPolygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}}]}]', '[{"source": "pos", "source_id": "7", "name": "A", "areas": [{"area": {"type": "Point", "coordinates": [0, 0]}}]}]',
	'[{"source": "pos", "source_id": "7", "name": "A", "parent": "pos/7"}]', '[{"source": "pos", "source_id": "9", "name": "C"}, {"source": "pos", "source_id": "7", "name": "A", "parent": "pos/8"}, {"source": "pos", "source_id": "8", "name": "B", "parent": "pos/7"}]']) r;
-- Two intervals of one exceptional day; a later import replaces the parent too.
SELECT location_import('[{"source": "pos", "source_id": "7", "name": "A", "parent": "pos/8", "time_zone": "Europe/Madrid", "hours": "Mo-Su 09:00-18:00; 2026-12-24 13:00-15:00,09:00-12:00"}, {"source": "pos", "source_id": "8", "name": "B"}]');
SELECT day, interval_no, opens, closes FROM location_hours_exception ORDER BY location_id DESC, day, interval_no LIMIT 2;
SELECT at, store_is_open(location_id, at::timestamptz), store_next_opening(location_id, at::timestamptz) FROM location, unnest('{2026-12-24 11:59:59+01,2026-12-24 12:00+01,2026-12-24 13:00+01,2026-12-24 15:00+01}'::text[]) at WHERE source = 'pos' AND source_id = '7' ORDER BY 1;
SELECT location_import('[{"source": "pos", "source_id": "7", "name": "A"}, {"source": "pos", "source_id": "8", "name": "B", "parent": "pos/7"}]');
SELECT l.source_id, p.source_id AS parent FROM location l LEFT JOIN location p ON p.location_id = l.parent_location_id WHERE l.source_id IN ('7', '8') ORDER BY 1;
SELECT location_import('[{"source": "pos", "source_id": "7", "name": "A", "hours": "24/7; 2026-12-25 off", "parent": "pos/8", "exceptions": null, "areas": "500"}, {"source": "pos", "source_id": "8", "name": "Region", "kind": "region"}]');
SELECT l.source_id, p.source_id AS parent, (SELECT count(*) FROM location_hours h WHERE h.location_id = l.location_id) AS hours, (SELECT day FROM location_hours_exception e WHERE e.location_id = l.location_id) AS exception,
	(SELECT radius_m FROM location_area a WHERE a.location_id = l.location_id) AS radius FROM location l LEFT JOIN location p ON p.location_id = l.parent_location_id WHERE l.source_id IN ('7', '8') ORDER BY 1;

-- GeoJSON: points and areas, in one file or one after the other. PostGIS stands in a schema that nobody's search_path names.
SELECT location_import_geojson('{"type": "FeatureCollection", "features": [
	{"type": "Feature", "id": 21, "geometry": {"type": "Point", "coordinates": [8.54, 47.37]}, "properties": {"name": "Zürich", "shop_services": "pickup|repair", "opening_hours": "Mo-Sa 09:00-20:00", "size": 120}},
	{"type": "Feature", "geometry": {"type": "Point", "coordinates": [8.31, 47.05, 430]}, "properties": {"source_id": "22", "name": "Luzern", "roles": ["shop", "outlet"]}},
	{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[8.4, 47.3], [8.7, 47.3], [8.7, 47.5], [8.4, 47.5], [8.4, 47.3]]]}, "properties": {"source_id": "21", "service": "courier"}}]}', 'crm',
	'{"services": "{shop_services}", "hours": "{opening_hours}", "attractiveness": "{size}", "time_zone": "Europe/Zurich"}');
SELECT source_id, name, position, roles, services, attractiveness, time_zone, (SELECT count(*) FROM location_hours h WHERE h.location_id = l.location_id) AS hours FROM location l WHERE source = 'crm' ORDER BY 1;
SELECT location_import_geojson('{"type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": [[[[8.2, 47], [8.4, 47], [8.4, 47.1], [8.2, 47]]]]}, "properties": {"source_id": "22"}}', 'crm');
SELECT name, area_service FROM stores_serving('8.5,47.4') UNION ALL SELECT name, area_service FROM stores_serving('8.38,47.05');
SELECT pg_temp.try(format('SELECT location_import_geojson(%L, ''crm'')', g)) FROM unnest(ARRAY['[]', '{"type": "Point"}', '{"type": "Feature", "geometry": {"type": "LineString"}, "properties": {}}', '{"type": "Feature", "geometry": null, "properties": {}}', '{"type": "FeatureCollection", "features": [5]}', '{"type": "Feature", "geometry": {"type": "Point", "coordinates": []}, "properties": {"source_id": "31", "name": "A"}}',
	'{"type": "Feature", "geometry": {"type": "Point", "coordinates": ["8", 47]}, "properties": {"source_id": "31", "name": "A"}}', '{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], ["1", null], [0, 0]]]}, "properties": {"source_id": "22"}}',
	'{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [8, 47]}, "properties": {"source_id": "31", "name": "A"}}, {"type": "Feature", "geometry": {"type": "Point", "coordinates": [200, 47]}, "properties": {"source_id": "32", "name": "B"}}]}',
	'{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [8, 47]}, "properties": {"source_id": "31", "name": "A"}}, {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}, "properties": {"source_id": "31"}}]}',
	'{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": "x"}, "properties": {"source_id": "22"}}', '{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}, "properties": {"source_id": "nobody"}}']) g;
SELECT count(*) FROM location WHERE source = 'crm';

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_store_import;
DROP ROLE o2o_store_import_owner;
