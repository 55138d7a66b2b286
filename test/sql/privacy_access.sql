-- Access profiles: each role can do what its profile says, and nothing else.
-- In a database of its own: the model belongs to an owner who is no superuser.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_privacy_access;
CREATE DATABASE o2o_privacy_access;
\c o2o_privacy_access
SET client_min_messages = warning;
CREATE ROLE o2o_privacy_access_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_privacy_access_owner;
CALL o2o.setup(owner => 'o2o_privacy_access_owner');
SET ROLE o2o_privacy_access_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;
SET timezone = 'UTC';

-- The rights stand for objects that exist; what a till calls runs with the owner's rights.
SELECT a.profile, o.object_kind, o.object_name FROM (VALUES ('reader'), ('cashier'), ('operator')) a (profile), access_object(a.profile) o WHERE o.object IS NULL;
SELECT DISTINCT p.proname FROM access_right r JOIN pg_proc p ON p.proname = r.object_name AND p.pronamespace = 'o2o'::regnamespace
WHERE r.profile = 'cashier' AND NOT p.prosecdef;
SELECT profile, count(*) FILTER (WHERE object_kind = 'table') > 0 AS tables, bool_or(privilege IN ('INSERT', 'DELETE')) AS writes FROM access_right GROUP BY 1 ORDER BY 1;

RESET ROLE;
CREATE ROLE o2o_privacy_till;
CREATE ROLE o2o_privacy_reader;
CREATE ROLE o2o_privacy_operator;
CREATE ROLE o2o_privacy_nobody;
SET ROLE o2o_privacy_access_owner;
SELECT points_program_create('club', 'Club', 'CNY');
SELECT location_import('[{"source": "pos", "source_id": "S1", "name": "One", "lon": 121.4737, "lat": 31.2304}]');
SELECT grant_access('o2o_privacy_till', 'cashier'), grant_access('o2o_privacy_reader', 'reader'), grant_access('o2o_privacy_operator', 'operator');

-- By the catalog: each role has exactly the privileges of its profile.
CREATE VIEW pg_temp.held AS
SELECT r.rolname AS role, 'function' AS kind, p.oid::regprocedure::text AS object, 'EXECUTE' AS privilege
FROM pg_roles r, pg_proc p
WHERE r.rolname ~ '^o2o_privacy_(till|reader|operator|nobody)$' AND p.pronamespace = 'o2o'::regnamespace
	AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
	AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
UNION ALL
SELECT r.rolname, 'table', c.oid::regclass::text, v.privilege
FROM pg_roles r, pg_class c, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) v (privilege)
WHERE r.rolname ~ '^o2o_privacy_(till|reader|operator|nobody)$' AND c.relnamespace = 'o2o'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
	AND has_table_privilege(r.oid, c.oid, v.privilege);
CREATE VIEW pg_temp.promised AS
SELECT g.role_name AS role, o.object_kind AS kind, replace(regexp_replace(o.object, '^(FUNCTION|PROCEDURE|TABLE) ', ''), 'o2o.', '') AS object, o.privilege
FROM access_grant g, access_object(g.profile) o;
SELECT 'too much' AS what, h.role, h.object, h.privilege FROM (SELECT role, kind, replace(object, 'o2o.', ''), privilege FROM held EXCEPT SELECT role, kind, object, privilege FROM promised) h (role, kind, object, privilege)
UNION ALL
SELECT 'too little', p.role, p.object, p.privilege FROM (SELECT role, kind, object, privilege FROM promised EXCEPT SELECT role, kind, replace(object, 'o2o.', ''), privilege FROM held) p (role, kind, object, privilege)
ORDER BY 1, 2, 3, 4;
SELECT role, kind, count(*) > 0 AS some FROM held GROUP BY 1, 2 ORDER BY 1, 2;

-- A cashier does the work of a till, one person at a time.
SET ROLE o2o_privacy_till;
SELECT outcome FROM identify('{"card": "88001"}', 'pos');
SELECT customer_lookup('card:88001') IS NOT NULL AS found;
SELECT name, distance_m FROM stores_nearest('121.4737,31.2304', k => 1);
SELECT points_earned, points_balance FROM order_place('{"card": "88001"}', '[{"sku": "T1", "name": "Tea", "unit_price": 20}]', 'pos', '1', 'store', points_program => 'club');
SELECT balance FROM points_burn('card:88001', 5, 'club');
SELECT balance, available FROM points_balance('card:88001');
SELECT count(*) FROM order_return('pos', 'R1', 'store', 20, '1');
SELECT count(*) FROM touchpoint_record('{"card": "88001"}', 'use', 'product_used', 'store', 'pos');
-- What a statement answers, or its error.
CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE query INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
-- And nothing else.
SELECT pg_temp.try('SELECT count(*) FROM o2o.sales_order');
SELECT pg_temp.try('SELECT count(*) FROM o2o.profile_identifier');
SELECT pg_temp.try('SELECT count(*) FROM o2o.customer_360');
SELECT pg_temp.try('INSERT INTO o2o.sales_order DEFAULT VALUES');
SELECT pg_temp.try($$SELECT nextval('o2o.order_id_seq')$$);
SELECT pg_temp.try($$SELECT o2o.customer_merge(1, 2, 'mine')$$);
SELECT pg_temp.try($$SELECT o2o.points_grant(1, 1, 'club', 1000, NULL, NULL, gen_random_uuid(), now())$$);
SELECT pg_temp.try($$SELECT o2o.identity_resolve('{card:88001}', 'pos', NULL, now())$$);
SELECT pg_temp.try('SELECT o2o.order_import(1)');
SELECT pg_temp.try($$SELECT o2o.grant_access('o2o_privacy_till', 'operator')$$);
SELECT pg_temp.try('CREATE TABLE o2o.mine ()');

-- A reader reads the reports; not the tables under them.
SET ROLE o2o_privacy_reader;
SELECT web_orders, store_orders, points_available FROM customer_360;
SELECT pg_temp.try('SELECT count(*) FROM o2o.sales_order');
SELECT pg_temp.try('SELECT count(*) FROM o2o.customer_ref');
SELECT pg_temp.try($$SELECT o2o.customer_lookup('card:88001')$$);

-- An operator imports and maintains; the ledger and the identifiers are no table for hands.
SET ROLE o2o_privacy_operator;
INSERT INTO import_order (batch_id, source, source_id, ordered_at, identifiers, channel_sold, currency, payment_method)
VALUES (1, 'web', 'O1', '2026-02-10 10:00+00', '{"card": "88001"}', 'web', 'CNY', 'card');
INSERT INTO import_order_line (batch_id, source, source_id, line_no, sku, quantity, unit_price) VALUES (1, 'web', 'O1', 1, 'T1', 1, 10);
SELECT * FROM order_import(1);
DELETE FROM import_order_line;
CALL maintain(10);
-- What it takes to undo is to be read: the merges and their evidence.
SELECT count(*) AS merges FROM identity_merge;
SELECT count(*) AS evidence FROM identity_evidence;
SELECT count(*) FROM points_verify();
SELECT web_orders, store_orders, points_available FROM customer_360;
SELECT pg_temp.try('SELECT count(*) FROM o2o.points_posting');
SELECT pg_temp.try('SELECT count(*) FROM o2o.profile_identifier');
SELECT pg_temp.try('UPDATE o2o.points_account SET balance = 1');
SELECT pg_temp.try($$SELECT o2o.revoke_access('o2o_privacy_till', 'cashier')$$);

-- Taking a profile leaves what another one gives.
SET ROLE o2o_privacy_access_owner;
SELECT grant_access('o2o_privacy_reader', 'cashier'), grant_access('o2o_privacy_reader', 'reader');
SELECT revoke_access('o2o_privacy_reader', 'cashier'), revoke_access('o2o_privacy_till', 'cashier'), revoke_access('o2o_privacy_till', 'cashier');
SELECT grant_access('o2o_privacy_operator', 'cashier');
SELECT revoke_access('o2o_privacy_operator', 'operator');
SELECT h.role, h.kind, count(DISTINCT split_part(h.object, '(', 1)) = min(n.names) AS all_of_it
FROM held h JOIN (VALUES ('o2o_privacy_operator', 'cashier'), ('o2o_privacy_reader', 'reader')) e (role, profile) ON e.role = h.role
	JOIN (SELECT profile, count(*) AS names FROM access_right GROUP BY 1) n ON n.profile = e.profile
GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FROM held WHERE role = 'o2o_privacy_till';
SELECT role_name, profile FROM access_grant ORDER BY 1, 2;
SELECT pg_temp.try($$SELECT grant_access('o2o_privacy_till', 'king')$$);
SELECT pg_temp.try($$SELECT grant_access('o2o_privacy_none', 'reader')$$);
SELECT pg_temp.try($$SELECT grant_access('public', 'reader')$$);
SELECT pg_temp.try($$SELECT grant_access('o2o_privacy_access_owner', 'reader')$$);
-- An odd name is quoted; a schema without USAGE is a clear error.
RESET ROLE;
CREATE ROLE "o2o_privacy odd; DROP";
SET ROLE o2o_privacy_access_owner;
SELECT grant_access('o2o_privacy odd; DROP', 'reader');
SELECT has_table_privilege('o2o_privacy odd; DROP', 'customer_360', 'SELECT') AS may_read;
RESET ROLE;
REVOKE USAGE ON SCHEMA o2o FROM PUBLIC;
SET ROLE o2o_privacy_access_owner;
SELECT pg_temp.try($$SELECT o2o.grant_access('o2o_privacy_nobody', 'reader')$$);

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_privacy_access;
DROP ROLE o2o_privacy_access_owner;
DROP ROLE o2o_privacy_till;
DROP ROLE o2o_privacy_reader;
DROP ROLE o2o_privacy_operator;
DROP ROLE o2o_privacy_nobody;
DROP ROLE "o2o_privacy odd; DROP";
