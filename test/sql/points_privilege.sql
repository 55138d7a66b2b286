-- A role that may execute and nothing else posts, and can do nothing else to the
-- ledger: no table, no sequence, no function beneath the ones it was given.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_privilege;
CREATE DATABASE o2o_points_privilege;
\c o2o_points_privilege
SET client_min_messages = warning;
CREATE ROLE o2o_rights_owner;
CREATE ROLE o2o_rights_till;
CREATE ROLE o2o_rights_clerk;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_rights_owner;
CALL o2o.setup(owner => 'o2o_rights_owner');
GRANT USAGE ON SCHEMA o2o TO o2o_rights_till, o2o_rights_clerk;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET search_path = public, o2o;
SET ROLE o2o_rights_owner;
SELECT o2o.grant_access('o2o_rights_till', 'cashier'), o2o.grant_access('o2o_rights_clerk', 'operator');
SELECT o2o.points_program_create('club', 'Club', 'CNY', expires_after => '1 year');
SELECT o2o.points_program_create('miles', 'Miles', 'CNY');
SELECT o2o.points_seller_open(s.profile_id, 'club') > 0 AS opened FROM o2o.identify('["card:shop"]', 'pos') s;
RESET ROLE;
CREATE FUNCTION public.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE query INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- The till does the day's work.
SET ROLE o2o_rights_till;
SELECT outcome FROM o2o.identify('["card:ann"]', 'pos');
SELECT outcome FROM o2o.identify('["card:bob"]', 'pos');
SELECT balance FROM o2o.points_earn('card:ann', 100, 'club', 'a1');
SELECT balance FROM o2o.points_burn('card:ann', 30, 'club', 'b1');
SELECT balance FROM o2o.points_refund(o2o.points_transfer_find('card:ann', 'b1', 'club'), 10);
SELECT balance FROM o2o.points_transfer('card:ann', 'card:bob', 20, 'club');
SELECT balance FROM o2o.points_pay('card:ann'::o2o.identifier, 'card:shop'::o2o.identifier, 5, 'club');
SELECT hold_id AS held FROM o2o.points_hold('card:ann', 10, 'club') \gset
SELECT captured FROM o2o.points_capture(:held, 4);
SELECT hold_id AS held FROM o2o.points_hold('card:ann', 10, 'club') \gset
SELECT released FROM o2o.points_void(:held);
SELECT balance FROM o2o.points_earn('card:bob', 8, 'club', 'a2');
SELECT taken FROM o2o.points_clawback(o2o.points_transfer_find('card:bob', 'a2', 'club', 'earn'), 3);
SELECT * FROM o2o.points_balance('card:ann');
SELECT count(*) AS lines FROM o2o.points_statement('card:ann', 'club');
-- What the clerk may, it may not.
SELECT public.try(q) FROM unnest(ARRAY[$$SELECT o2o.points_adjust('card:ann', 5, 'club', 'mine')$$, $$SELECT o2o.points_reverse(1, 'mine')$$,
	$$SELECT o2o.points_reserve_deposit('club', 5, 'mine')$$, $$SELECT o2o.points_chain_set('club', false)$$, 'SELECT o2o.points_snapshot_take()',
	'SELECT count(*) FROM o2o.points_verify()', 'SELECT o2o.points_system_balance()', 'SELECT o2o.points_prove(1, 1, 1)']) q;

-- The clerk corrects, verifies and maintains.
SET ROLE o2o_rights_clerk;
SELECT balance FROM o2o.points_adjust('card:bob', 5, 'club', 'found');
SELECT r.amount FROM o2o.points_adjust('card:bob', 2, 'club', 'found') a, o2o.points_reverse(a.transfer_id, 'not found') r;
SELECT settled FROM o2o.points_settle('card:shop'::o2o.identifier, 'club');
SELECT o2o.points_expire();
SELECT o2o.points_chain_set('miles', true);
SELECT o2o.points_snapshot_take() AS taken \gset
SELECT count(*) AS wrong FROM o2o.points_verify('club', :taken);
SELECT count(*) AS wrong FROM o2o.points_verify();
SELECT kind, balance FROM o2o.points_system_balance('club') WHERE balance <> 0;
CALL o2o.maintain(60);
SELECT o2o.points_snapshot_drop(:taken);

-- Neither has any right to a table or sequence of the ledger, whatever its kind;
-- what the clerk reads of tiers is a report.
RESET ROLE;
SELECT r.role, count(*) FILTER (WHERE c.relkind = 'r') > 15 AS tables, count(*) FILTER (WHERE c.relkind = 'S') > 3 AS sequences,
	string_agg(c.relname || ' ' || p.privilege, ', ' ORDER BY c.relname, p.privilege) FILTER (WHERE CASE WHEN c.relkind = 'S'
		THEN p.privilege IN ('SELECT', 'UPDATE') AND has_sequence_privilege(r.role, c.oid, p.privilege)
		ELSE has_table_privilege(r.role, c.oid, p.privilege) OR p.privilege NOT IN ('DELETE', 'TRUNCATE', 'TRIGGER') AND has_any_column_privilege(r.role, c.oid, p.privilege) END) AS rights
FROM unnest('{o2o_rights_till,o2o_rights_clerk}'::name[]) r (role), pg_class c,
	unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p (privilege)
WHERE c.relnamespace = 'o2o'::regnamespace AND c.relkind IN ('r', 'p', 'S') AND c.relname ~ '^points_'
GROUP BY r.role ORDER BY r.role;
-- They execute what their profile lists, of the model's functions, and no more.
SELECT r.role, string_agg(DISTINCT p.proname, ', ' ORDER BY p.proname) AS beyond
FROM (VALUES ('o2o_rights_till', 'cashier'), ('o2o_rights_clerk', 'operator')) r (role, profile), pg_proc p
WHERE p.pronamespace = 'o2o'::regnamespace AND has_function_privilege(r.role, p.oid, 'EXECUTE')
	AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
	AND NOT EXISTS (SELECT FROM o2o.access_right a WHERE a.profile = r.profile AND a.object_kind = 'function' AND a.object_name = p.proname)
GROUP BY r.role;
-- And so the direct ways are closed.
SET ROLE o2o_rights_clerk;
SELECT q, public.try(q) FROM unnest(ARRAY['UPDATE o2o.points_account SET balance = balance + 1', 'DELETE FROM o2o.points_posting',
	'TRUNCATE o2o.points_lot', 'INSERT INTO o2o.points_rollup VALUES (1, 1)', 'SELECT count(*) FROM o2o.points_posting',
	$$SELECT nextval('o2o.points_transfer_id_seq')$$, 'SELECT o2o.points_rollup_advance()', 'SELECT o2o.points_block_make()',
	$$SELECT o2o.points_grant(1, 1, 'club', 1000, NULL, NULL, gen_random_uuid(), now())$$,
	'LOCK TABLE o2o.points_posting', 'ALTER TABLE o2o.points_posting DISABLE TRIGGER ALL', 'CREATE TABLE o2o.mine ()']) q;

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_privilege;
DROP ROLE o2o_rights_owner, o2o_rights_till, o2o_rights_clerk;
