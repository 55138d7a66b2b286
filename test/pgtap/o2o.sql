-- The hall: whose the schema is, what PUBLIC may do in it, and that the
-- extension does not go while somebody's table lies there.
\set ON_ERROR_ROLLBACK off
BEGIN;
SELECT plan(8);
SET client_min_messages = warning;

SELECT has_schema('o2o');
SELECT is((SELECT extrelocatable FROM pg_extension WHERE extname = 'O2O'), false, 'not relocatable');
SELECT is((SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'O2O'), 'pg_catalog',
	'no schema made by somebody else before is taken over');
SELECT is((SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = 'o2o'),
	(SELECT extowner FROM pg_extension WHERE extname = 'O2O'), 'the schema is the extension owner''s');

CREATE ROLE o2o_test_stranger;
SELECT ok(has_schema_privilege('o2o_test_stranger', 'o2o', 'USAGE'), 'a stranger may use the schema');
SELECT ok(NOT has_schema_privilege('o2o_test_stranger', 'o2o', 'CREATE'), 'and make nothing in it');

SELECT is(o2o.library_version(), (SELECT extversion FROM pg_extension WHERE extname = 'O2O'),
	'library and SQL are of one version');

CREATE TABLE o2o.test_table ();
SELECT throws_ok('DROP EXTENSION "O2O"', '2BP01', NULL, 'a table in the schema holds the extension');

SELECT * FROM finish();
ROLLBACK;
