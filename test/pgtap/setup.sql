-- setup(): who may own the model, what is in its way, that a second call changes
-- nothing and a dry run nothing at all, and for whom a superuser may call it. The
-- model of the database is dropped for this, in a transaction that is undone.
\set ON_ERROR_ROLLBACK off
BEGIN;
SET client_min_messages = warning;
SET search_path = public, o2o;
CREATE ROLE o2o_setup_owner;
CREATE ROLE o2o_setup_stranger;
CREATE TEMP TABLE model_owner AS SELECT pg_get_userbyid(relowner) AS name FROM pg_class WHERE oid = 'o2o.profile'::regclass;
-- Every object in the schema that is no member of the extension, with all that is to be seen of it.
CREATE FUNCTION pg_temp.objects() RETURNS TABLE (object text) LANGUAGE sql AS $$
	SELECT format('%s %s %s %s %s', c.relkind, c.relname, pg_get_userbyid(c.relowner), c.relacl, CASE c.relkind WHEN 'v' THEN md5(pg_get_viewdef(c.oid)) WHEN 'i' THEN pg_get_indexdef(c.oid) ELSE (
			SELECT string_agg(format('%s %s %s %s', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)), ', ' ORDER BY a.attnum)
			FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) END)
	FROM pg_class c WHERE c.relnamespace = 'o2o'::regnamespace AND c.relkind <> 'c' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
	UNION ALL
	SELECT format('f %s %s %s %s', p.oid::regprocedure, pg_get_userbyid(p.proowner), p.proacl, md5(pg_get_functiondef(p.oid)))
	FROM pg_proc p WHERE p.pronamespace = 'o2o'::regnamespace AND p.prokind <> 'a' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
	UNION ALL
	SELECT format('c %s %s', o.conrelid::regclass, pg_get_constraintdef(o.oid)) FROM pg_constraint o WHERE o.connamespace = 'o2o'::regnamespace AND o.contypid = 0
	UNION ALL
	SELECT format('d %s %s', d.objoid, md5(d.description)) FROM pg_description d WHERE d.objoid IN (SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'o2o'::regnamespace AND c.relkind <> 'c')
$$;
CREATE FUNCTION pg_temp.rows_of_model() RETURNS xml LANGUAGE sql AS $$ SELECT schema_to_xml('o2o', true, false, '') $$;
CREATE FUNCTION pg_temp.failure(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN
	EXECUTE query;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, detail, hint);
END $$;
GRANT SELECT ON model_owner TO PUBLIC;

SELECT plan(26);

-- A superuser may not own it.
SELECT matches(pg_temp.failure('CALL o2o.setup()'), '^O2003 .*superuser.*\|.*GRANT USAGE, CREATE ON SCHEMA o2o', 'O2003 says what to do');
SELECT matches(pg_temp.failure(format('CALL o2o.setup(owner => %L)', current_user)), '^O2003 ', 'nor by name');
SELECT matches(pg_temp.failure($$CALL o2o.setup(owner => 'o2o_nobody')$$), '^42704 ', 'no such role');
SELECT matches(pg_temp.failure($$CALL o2o.setup(owner => 'o2o_setup_stranger')$$), '^42501 .*\| As a superuser: GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_setup_stranger', 'a role that may not create in the schema');
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_setup_owner;
SELECT matches(pg_temp.failure($$CALL o2o.setup(owner => 'o2o_setup_owner')$$), '^O2002 .*owner shop_owner|^O2002 ', 'O2002: the model belongs to somebody else');

-- Idempotent.
SELECT set_config('role', name, true) FROM model_owner;
SELECT outcome FROM o2o.identify('{"card": "setup-1"}', 'pos');
UPDATE o2o.setting SET value = '77' WHERE name = 'identity.customer_cap';
UPDATE o2o.identifier_kind SET priority = 51 WHERE kind = 'phone';
CREATE TEMP TABLE before AS SELECT * FROM pg_temp.objects();
CREATE TEMP TABLE before_rows AS SELECT pg_temp.rows_of_model()::text AS rows;
SELECT lives_ok('CALL o2o.setup()', 'a second setup()');
SELECT set_eq('SELECT * FROM pg_temp.objects()', 'TABLE before', 'changes no object');
SELECT ok((SELECT rows = pg_temp.rows_of_model()::text FROM before_rows), 'and no row, also not those that the owner changed');
SELECT is(current_setting('role'), name::text, 'and leaves the role') FROM model_owner;
SELECT is(current_setting('lock_timeout'), '0', 'and lock_timeout as they were');

-- A later model than the extension.
INSERT INTO o2o.model_version (version, applied_at, applied_by) VALUES ('999.0.0', clock_timestamp() + interval '1 hour', 'test');
SELECT matches(pg_temp.failure('CALL o2o.setup()'), '^O2001 .*\| Model 999.0.0, extension .*\| .*UPDATE', 'O2001: the model is newer');
RESET ROLE;

-- Nothing there.
SELECT format('DROP OWNED BY %I', name) AS drop_all FROM model_owner \gset
SELECT count(*) AS objects FROM before \gset
:drop_all;
SELECT is_empty('SELECT * FROM pg_temp.objects()', 'the model is gone');
CALL o2o.setup(owner => 'o2o_setup_owner', dry_run => true);
SELECT is_empty('SELECT * FROM pg_temp.objects()', 'a dry run makes nothing');
SELECT matches(pg_temp.failure($$CALL o2o.setup(dry_run => true)$$), '^O2003 ', 'and is refused where the real one is');

-- Something in the way.
CREATE TABLE o2o.profile (mine text);
SELECT matches(pg_temp.failure($$CALL o2o.setup(owner => 'o2o_setup_owner')$$), '^O2002 .*\| table profile \(owner .*\) \|', 'O2002 names the table in the way');
SELECT has_column('o2o', 'profile', 'mine', 'and leaves it as it is');
DROP TABLE o2o.profile;
CREATE FUNCTION o2o.identify(jsonb, text) RETURNS text LANGUAGE sql RETURN 'mine';
SELECT matches(pg_temp.failure($$CALL o2o.setup(owner => 'o2o_setup_owner')$$), '^O2002 .*\| function identify \(owner ', 'O2002 names the function in the way');
DROP FUNCTION o2o.identify(jsonb, text);
CREATE TYPE o2o.profile AS ENUM ('mine');
SELECT matches(pg_temp.failure($$CALL o2o.setup(owner => 'o2o_setup_owner')$$), '^O2002 .*\| type profile \(owner ', 'O2002 names the type in the way');
DROP TYPE o2o.profile;
SELECT is_empty('SELECT * FROM pg_temp.objects()', 'none of them left anything');

-- A superuser for another role.
SELECT current_user AS me \gset
-- Also with a setting that reads a backslash in a string in another way.
SET LOCAL escape_string_warning = off;
SET LOCAL standard_conforming_strings = off;
SELECT lives_ok($$CALL o2o.setup(owner => 'o2o_setup_owner')$$, 'a superuser may call it for another role');
SET LOCAL standard_conforming_strings = on;
SELECT ok(EXISTS (SELECT FROM o2o.identifier_block WHERE pattern = '^\+\d{1,3}0?(1234567|12345678|123456789)\d?$'), 'backslashes are what they were');
SELECT is(current_user::text, :'me', 'and is who he was');
SELECT is_empty($$SELECT * FROM pg_temp.objects() WHERE object ~ '^[rvSpf] ' AND object !~ 'o2o_setup_owner'$$, 'that role owns all of it');
SELECT is((SELECT count(*) FROM pg_temp.objects()), :objects::bigint, 'as many objects as there were');
SET ROLE o2o_setup_owner;
SELECT is((SELECT outcome FROM o2o.identify('{"card": "setup-2"}', 'pos')), 'new', 'and it works');
RESET ROLE;
SELECT throws_ok('DROP EXTENSION "O2O"', '2BP01', NULL, 'the extension does not go while the model is there');

SELECT * FROM finish();
ROLLBACK;
