-- PostGIS in a schema of its own that nobody has in the search_path; and a search_path
-- full of traps: whatever the model calls by name has a twin in front that springs.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_search_path;
CREATE DATABASE o2o_search_path;
\c o2o_search_path
SET client_min_messages = warning;
CREATE ROLE o2o_path_owner;
CREATE ROLE o2o_path_mallory;
CREATE SCHEMA gis;
CREATE EXTENSION postgis SCHEMA gis;
CREATE EXTENSION "O2O";
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_path_owner;
CALL o2o.setup(owner => 'o2o_path_owner');
RESET client_min_messages;
SET datestyle = ISO;
SET timezone = 'UTC';
SET extra_float_digits = -5;
\set SHOW_CONTEXT never
SET search_path = public, o2o;

-- Casts to and from PostGIS, both ways and by assignment, and the same distance.
SELECT gis.st_astext(geopoint(121.4737, 31.2304)::gis.geometry) AS geometry, gis.st_srid('121.4737,31.2304'::geopoint::gis.geography::gis.geometry) AS srid,
	gis.st_setsrid(gis.st_makepoint(121.4737, 31.2304), 4326)::geopoint AS back, gis.st_setsrid(gis.st_makepoint(121.4737, 31.2304), 4326)::gis.geography::geopoint AS back_too;
CREATE TABLE spot (pos geopoint, geom gis.geometry, geog gis.geography);
INSERT INTO spot SELECT p, p, p FROM geopoint(121.4737, 31.2304) p;
INSERT INTO spot (pos) SELECT geom FROM spot;
UPDATE spot SET geom = pos, geog = pos WHERE geom IS NULL;
SELECT count(*) AS spots, bool_and(pos = geom::geopoint AND pos = geog::geopoint) AS same FROM spot;
SELECT round(geo_distance('121.4737,31.2304', '120.1551,30.2741')::numeric, 3) = round(gis.st_distance('121.4737,31.2304'::geopoint::gis.geography, '120.1551,30.2741'::geopoint::gis.geography)::numeric, 3) AS same_distance;
DROP TABLE spot;
SELECT o2o.location_import('[{"source": "pos", "source_id": "1", "name": "Near", "lon": 121.47, "lat": 31.23}, {"source": "pos", "source_id": "2", "name": "Far", "lon": 120.15, "lat": 30.27}]');
SELECT name, distance_m FROM o2o.stores_nearest('121.4737,31.2304');

-- The traps: operators, functions, aggregates, types and tables of all names that
-- stand in the model, with the very argument types, so that they fit best.
CREATE SCHEMA evil AUTHORIZATION o2o_path_mallory;
SELECT o2o_path_mallory FROM (SELECT set_config('role', 'o2o_path_owner', false)) r, LATERAL o2o.grant_access('o2o_path_mallory', 'operator') o2o_path_mallory;
SET ROLE o2o_path_mallory;
SET search_path = pg_catalog;
CREATE FUNCTION evil.sprung(what text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$ BEGIN RAISE EXCEPTION 'trap: % as %', what, current_user; END $$;
DO $$
DECLARE
	words text := (SELECT string_agg(prosrc || coalesce(pg_get_function_sqlbody(oid), ''), ' ') FROM pg_proc WHERE pronamespace = 'o2o'::regnamespace)
		|| (SELECT string_agg(pg_get_viewdef(oid), ' ') FROM pg_class WHERE relnamespace = 'o2o'::regnamespace AND relkind = 'v');
	t record; made integer := 0; operators integer := 0; n integer := 0;
BEGIN
	FOR t IN SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments, format_type(p.prorettype, NULL) AS result,
			(SELECT string_agg(format_type(u.type, NULL), ', ') FROM unnest(p.proargtypes) u (type)) AS types
		FROM pg_proc p
		WHERE p.pronamespace IN ('pg_catalog'::regnamespace, 'o2o'::regnamespace) AND position(p.proname || '(' IN words) > 0 AND p.provariadic = 0
			AND NOT p.proargtypes::oid[] && ARRAY['internal'::regtype, 'cstring'::regtype, '"any"'::regtype, 'record'::regtype]::oid[]
			AND NOT p.prorettype = ANY (ARRAY['internal'::regtype, 'cstring'::regtype, 'record'::regtype, 'trigger'::regtype, 'event_trigger'::regtype]::oid[])
			AND (p.prorettype NOT IN ('anyelement'::regtype, 'anyarray'::regtype, 'anycompatible'::regtype, 'anycompatiblearray'::regtype) OR cardinality(p.proargtypes::oid[]) > 0)
	LOOP
		BEGIN
			EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', t.proname, coalesce(t.types, ''), t.result,
				format('BEGIN PERFORM evil.sprung(%L); %s END', t.proname, CASE WHEN t.result = 'void' THEN '' ELSE 'RETURN NULL;' END));
			made := made + 1;
		EXCEPTION WHEN OTHERS THEN NULL;	-- types of PostGIS, shapes that a twin cannot have
		END;
	END LOOP;
	FOR t IN SELECT o.oprname, CASE WHEN o.oprleft <> 0 THEN format_type(o.oprleft, NULL) END AS l, format_type(o.oprright, NULL) AS r, format_type(o.oprresult, NULL) AS result
		FROM pg_operator o WHERE o.oprnamespace IN ('pg_catalog'::regnamespace, 'o2o'::regnamespace) AND o.oprresult <> 0
			AND NOT 'record'::regtype IN (o.oprleft, o.oprright)
	LOOP
		BEGIN
			n := n + 1;
			EXECUTE format('CREATE FUNCTION evil.op_%s(%s) RETURNS %s LANGUAGE plpgsql AS %L', n, concat_ws(', ', t.l, t.r), t.result,
				format('BEGIN PERFORM evil.sprung(%L); RETURN NULL; END', t.oprname));
			EXECUTE format('CREATE OPERATOR evil.%s (%s RIGHTARG = %s, FUNCTION = evil.op_%s)', t.oprname, 'LEFTARG = ' || t.l || ',', t.r, n);
			operators := operators + 1;
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
	END LOOP;
	FOR t IN SELECT typname, oid FROM pg_type WHERE typnamespace IN ('pg_catalog'::regnamespace, 'o2o'::regnamespace) AND typtype = 'b' AND typelem = 0
			AND typname IN ('text', 'uuid', 'jsonb', 'date', 'timestamptz', 'name', 'regclass', 'bytea', 'identifier', 'points', 'geopoint') LOOP
		EXECUTE format('CREATE DOMAIN evil.%I AS %s CHECK (false)', t.typname, t.oid::regtype);
	END LOOP;
	FOR t IN SELECT DISTINCT relname FROM pg_class WHERE relnamespace = 'o2o'::regnamespace AND relkind IN ('r', 'p', 'v') OR relname IN ('pg_class', 'pg_proc', 'pg_roles', 'pg_depend', 'pg_timezone_names') LOOP
		EXECUTE format('CREATE TABLE evil.%I (trap integer)', t.relname);
		EXECUTE format('CREATE TEMP TABLE %I (trap integer)', t.relname);
	END LOOP;
	RAISE INFO 'more than 200 functions: %, more than 500 operators: %', made > 200, operators > 500;
END $$;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
GRANT ALL ON ALL TABLES IN SCHEMA evil TO PUBLIC;

-- The traps work.
SET search_path = evil, pg_catalog, public, o2o;
SELECT 1 = 1;
SELECT upper('a'::pg_catalog.text);
SELECT FROM profile;
-- In a function without a search_path of its own they would run with its owner's rights.
RESET ROLE;
CREATE FUNCTION public.careless(a pg_catalog.int8) RETURNS bool LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN a > 0; END $$;
ALTER FUNCTION public.careless OWNER TO o2o_path_owner;
SET ROLE o2o_path_mallory;
SELECT public.careless('7');

-- And nothing steps into them: first as the operator, then as the owner itself.
SELECT outcome FROM o2o.identify('{"phone": "138 0013 8000", "unionid": "oX1", "email": "Ann@Shop.Example"}', 'wechat', '{"name": "Ann"}', 'e1');
SELECT outcome FROM o2o.identify('{"phone": "+8613800138000", "card": "88001"}', 'pos');
SELECT outcome FROM o2o.identify('{"card": "88002"}', 'pos');
SELECT outcome FROM o2o.identify('{"card": ["88001", "88002"]}', 'pos');
SELECT outcome FROM o2o.identify('{"card": "000000"}', 'pos');
SELECT * FROM o2o.customer_lookup('card:88001');
SELECT step, "from", "to", rule, source FROM o2o.identity_explain('unionid:oX1', 'card:88002');
SELECT * FROM o2o.customer_unmerge(1, 'wrong card');
SELECT outcome FROM o2o.identify('{"card": ["88001", "88002"]}', 'pos');
SELECT old_customer_id, new_customer_id, cause FROM o2o.customer_changes();
SELECT * FROM o2o.points_earn('card:88001', 'ten', 'club');
SELECT * FROM o2o.identity_verify();
INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers, traits) VALUES (1, 'wechat', 'a', '2026-01-01 00:00+00', '{"phone": " (+86) 138-0013-8001", "card": "c1"}', '{"name": "Bob"}'), (1, 'pos', 'b', '2026-01-02 00:00+00', '["card:c1", "email:b@shop.example", "card:88001"]', NULL);
SELECT o2o.identity_import(1);
SELECT outcome FROM o2o.import_identity;
RESET ROLE;
SET ROLE o2o_path_owner;
SELECT o2o.points_program_create('club', 'Club', 'CNY', 'Asia/Shanghai', expires_after => '100 years', expires_round => 'month');
SELECT * FROM o2o.points_earn('card:88001', '120', 'club', idempotency_key => 'k1');
SELECT * FROM o2o.points_earn('card:88001', '120', 'club', idempotency_key => 'k1');
SELECT * FROM o2o.points_burn('card:88001', '20', 'club');
SELECT * FROM o2o.points_burn('card:88001', '500', 'club');
SELECT * FROM o2o.points_transfer('card:88001', 'card:88002', '10', 'club');
SELECT * FROM o2o.points_balance('card:88001');
SELECT points_earned, points_balance FROM o2o.order_place('{"card": "88001"}', '[{"sku": "tea", "name": "Tea", "unit_price": 9.5}]', 'pos', 'o1', 'pos', points_program => 'club', points_burn => '5');
SELECT web_orders, store_orders, points_available FROM o2o.customer_360 ORDER BY customer_id;
SELECT name, distance_m FROM o2o.stores_nearest('121.4737,31.2304', max_m => 50000);
SELECT o2o.location_import('[{"source": "pos", "source_id": "3", "name": "Third", "lon": 121.4, "lat": 31.2, "hours": [{"weekday": [1, 2], "opens": "09:00", "closes": "21:00"}]}]');
SELECT o2o.store_is_open(3, '2026-01-05 10:00+00');
SELECT o2o.customer_merge('card:88001', 'card:88002', 'by hand');
SELECT o2o.identifier_reassign('phone:+8613800138000', 'new owner');
SELECT kind, description FROM o2o.customer_timeline WHERE kind OPERATOR(pg_catalog.=) 'order';
SELECT * FROM o2o.points_verify();
SELECT * FROM o2o.identity_verify();
SELECT * FROM o2o.points_reserve_status();
SELECT o2o.points_expire();
CALL o2o.maintain(60);
SELECT status FROM o2o.health() WHERE "check" OPERATOR(pg_catalog.=) 'verify';
SELECT * FROM o2o.distribution_lint();
SELECT o2o.grant_access('o2o_path_mallory', 'cashier');
SELECT o2o.revoke_access('o2o_path_mallory', 'operator');
CALL o2o.setup();

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_search_path;
DROP ROLE o2o_path_owner;
DROP ROLE o2o_path_mallory;
