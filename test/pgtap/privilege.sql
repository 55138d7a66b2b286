-- Who may do what: a stranger nothing, each access profile what it says and nothing
-- else, revoke_access takes all back. Tried by doing it, and asked of the catalog.
\set ON_ERROR_ROLLBACK off
BEGIN;
SET client_min_messages = warning;
SET search_path = public, o2o;

CREATE ROLE o2o_stranger;
CREATE ROLE o2o_reader;
CREATE ROLE o2o_cashier;
CREATE ROLE o2o_operator;
GRANT USAGE ON SCHEMA o2o TO o2o_reader, o2o_cashier, o2o_operator;
CREATE FUNCTION pg_temp.owner() RETURNS text LANGUAGE sql AS $$ SELECT pg_get_userbyid(relowner)::text FROM pg_class WHERE oid = 'o2o.profile'::regclass $$;
-- What a role may do in schema o2o that it may not do as PUBLIC.
CREATE FUNCTION pg_temp.rights(role text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT p.proname || ' EXECUTE' FROM pg_proc p
	WHERE p.pronamespace = 'o2o'::regnamespace AND has_function_privilege(role, p.oid, 'EXECUTE') AND NOT has_function_privilege('o2o_stranger', p.oid, 'EXECUTE')
	UNION
	SELECT c.relname || ' ' || r.right_ FROM pg_class c, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) r (right_)
	WHERE c.relnamespace = 'o2o'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND has_table_privilege(role, c.oid, r.right_)
	UNION
	SELECT c.relname || '.' || a.attname || ' column ' || r.right_ FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped,
		unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[]) r (right_)
	WHERE c.relnamespace = 'o2o'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
		AND has_column_privilege(role, c.oid, a.attnum, r.right_) AND NOT has_table_privilege(role, c.oid, r.right_)
	UNION
	SELECT c.relname || ' ' || r.right_ FROM pg_class c, unnest('{USAGE,SELECT,UPDATE}'::text[]) r (right_)
	WHERE c.relnamespace = 'o2o'::regnamespace AND c.relkind = 'S' AND has_sequence_privilege(role, c.oid, r.right_)
$$;
CREATE FUNCTION pg_temp.granted(access text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT object_name || ' ' || privilege FROM o2o.access_right WHERE profile = access
$$;
-- Tries a statement as a role.
CREATE FUNCTION pg_temp.as_role(role text, query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE query;
	RESET ROLE;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;

SELECT set_config('role', pg_temp.owner(), true);
SELECT o2o.points_program_create('access', 'Access', 'CNY');
SELECT outcome FROM o2o.identify('{"card": "access-1", "phone": "+8613811110001"}', 'pos');
SELECT outcome FROM o2o.identify('{"card": "access-2"}', 'pos');
RESET ROLE;

SELECT plan(63);

-- A stranger.
SELECT is_empty($$SELECT pg_temp.rights('o2o_stranger')$$, 'a fresh role has no right on any table, view or sequence');
SELECT is(pg_temp.as_role('o2o_stranger', q), '42501', 'a stranger may not: ' || q) FROM unnest(ARRAY[
	$$SELECT o2o.identify('{"card": "access-1"}', 'pos')$$, $$SELECT o2o.customer_lookup('card:access-1')$$, $$SELECT o2o.customer_lookup(1)$$,
	$$SELECT o2o.points_balance('card:access-1')$$, $$SELECT o2o.points_earn('card:access-1', 1, 'access')$$, $$SELECT o2o.grant_access('o2o_stranger', 'operator')$$,
	$$SELECT o2o.health()$$, $$CALL o2o.maintain(1)$$, $$CALL o2o.setup()$$, $$SELECT FROM o2o.customer_360$$, $$SELECT FROM o2o.profile_identifier$$,
	$$SELECT nextval('o2o.profile_id_seq')$$, $$CREATE TABLE o2o.mine ()$$]) q;
SELECT is(pg_temp.as_role('o2o_stranger', $$SELECT o2o.geo_distance('1,1', '2,2')$$), 'done', 'types and pure functions are for everybody');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
	WHERE p.pronamespace = 'o2o'::regnamespace AND a.grantee = 0 AND pg_get_userbyid(p.proowner) = pg_temp.owner()$$, 'PUBLIC may execute nothing of the model');
SELECT isnt_empty($$SELECT FROM pg_proc p WHERE p.pronamespace = 'o2o'::regnamespace AND pg_get_userbyid(p.proowner) = pg_temp.owner() AND p.prosecdef$$, 'there are functions of the model');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
	WHERE p.pronamespace = 'o2o'::regnamespace AND p.prosecdef AND r.rolsuper$$, 'no SECURITY DEFINER function belongs to a superuser');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p
	WHERE p.pronamespace = 'o2o'::regnamespace AND p.prosecdef AND NOT coalesce(p.proconfig @> '{"search_path=pg_catalog, pg_temp"}', false)$$, 'each SECURITY DEFINER function has its own search_path');

-- Granting.
SELECT set_config('role', pg_temp.owner(), true);
SELECT o2o.grant_access('o2o_reader', 'reader'), o2o.grant_access('o2o_cashier', 'cashier'), o2o.grant_access('o2o_operator', 'operator');
RESET ROLE;
SELECT set_eq($$SELECT pg_temp.rights('o2o_reader')$$, $$SELECT pg_temp.granted('reader')$$, 'a reader has what the profile says and nothing else');
SELECT set_eq($$SELECT pg_temp.rights('o2o_cashier')$$, $$SELECT pg_temp.granted('cashier')$$, 'a cashier has what the profile says and nothing else');
SELECT set_eq($$SELECT pg_temp.rights('o2o_operator')$$, $$SELECT pg_temp.granted('operator')$$, 'an operator has what the profile says and nothing else');
SELECT is_empty($$SELECT FROM pg_temp.granted('cashier') g WHERE g !~ ' EXECUTE$'$$, 'a cashier has no right on any table or view');
SELECT is_empty($$SELECT FROM pg_temp.granted('reader') g WHERE g !~ ' SELECT$' AND g NOT IN ('store_is_open EXECUTE', 'store_next_opening EXECUTE', 'points_outstanding EXECUTE')$$, 'a reader only reads, and asks what a view asks');

-- Doing it.
SELECT is(pg_temp.as_role('o2o_reader', q), 'done', 'a reader may: ' || q) FROM unnest(ARRAY[
	$$SELECT * FROM o2o.customer_360$$, $$SELECT * FROM o2o.points_liability$$, $$SELECT * FROM o2o.customer_timeline$$]) q;
SELECT is(pg_temp.as_role('o2o_reader', q), '42501', 'a reader may not: ' || q) FROM unnest(ARRAY[
	$$SELECT o2o.customer_lookup('card:access-1')$$, $$SELECT o2o.points_earn('card:access-1', 1, 'access')$$, $$SELECT FROM o2o.profile_identifier$$, $$SELECT FROM o2o.customer_ref$$]) q;
SELECT is(pg_temp.as_role('o2o_cashier', q), 'done', 'a cashier may: ' || q) FROM unnest(ARRAY[
	$$SELECT o2o.identify('{"card": "access-3"}', 'pos')$$, $$SELECT o2o.customer_lookup('card:access-1')$$, $$SELECT o2o.points_earn('card:access-1', 10, 'access')$$,
	$$SELECT o2o.points_burn('card:access-1', 3, 'access')$$, $$SELECT o2o.points_transfer('card:access-1', 'card:access-2', 2, 'access')$$, $$SELECT * FROM o2o.points_balance('card:access-1')$$,
	$$SELECT o2o.order_place('{"card": "access-1"}', '[{"sku": "access-tea", "name": "Tea", "unit_price": 5}]', 'pos', 'access/1', 'pos', points_program => 'access')$$,
	$$SELECT o2o.stores_nearest('121,31')$$]) q;
SELECT is(pg_temp.as_role('o2o_cashier', q), '42501', 'a cashier may not: ' || q) FROM unnest(ARRAY[
	$$SELECT FROM o2o.customer_360$$, $$SELECT FROM o2o.profile$$, $$UPDATE o2o.points_account SET balance = 9$$, $$SELECT o2o.customer_merge('card:access-1', 'card:access-2', 'x')$$,
	$$SELECT o2o.points_grant(1, 1, 'access', 1, NULL, NULL, gen_random_uuid(), now(), 'x')$$, $$SELECT o2o.identity_resolve('{card:access-1}', 'pos', NULL, now())$$]) q;
SELECT is(pg_temp.as_role('o2o_operator', q), 'done', 'an operator may: ' || q) FROM unnest(ARRAY[
	$$INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers) VALUES (-7, 'pos', 'a', now(), '{"card": "access-4"}')$$, $$SELECT o2o.identity_import(-7)$$,
	$$SELECT o2o.customer_merge('card:access-1', 'card:access-2', 'x')$$, $$SELECT * FROM o2o.identity_explain('card:access-1', 'card:access-2')$$,
	$$SELECT * FROM o2o.points_verify()$$, $$SELECT * FROM o2o.health()$$, $$SELECT o2o.maintain_step('verify', 'infinity')$$, $$SELECT * FROM o2o.customer_360$$]) q;
SELECT is(pg_temp.as_role('o2o_operator', q), '42501', 'an operator may not: ' || q) FROM unnest(ARRAY[
	$$UPDATE o2o.points_account SET balance = 9$$, $$DELETE FROM o2o.points_posting$$, $$SELECT FROM o2o.profile_identifier$$, $$SELECT o2o.grant_access('o2o_operator', 'reader')$$]) q;

-- Taking back; what another profile gives stays.
SELECT set_config('role', pg_temp.owner(), true);
SELECT o2o.grant_access('o2o_cashier', 'reader');
SELECT o2o.revoke_access('o2o_cashier', 'cashier'), o2o.revoke_access('o2o_reader', 'reader'), o2o.revoke_access('o2o_operator', 'operator');
RESET ROLE;
SELECT set_eq($$SELECT pg_temp.rights('o2o_cashier')$$, $$SELECT pg_temp.granted('reader')$$, 'of two profiles one is taken');
SELECT is_empty($$SELECT pg_temp.rights('o2o_reader') UNION ALL SELECT pg_temp.rights('o2o_operator')$$, 'revoke_access takes all back');
SELECT is_empty($$SELECT FROM o2o.access_grant WHERE role_name IN ('o2o_reader', 'o2o_operator')$$, 'and the list of grants is without them');
SELECT is(pg_temp.as_role(pg_temp.owner(), q), s, 'refused: ' || q) FROM (VALUES
	($$SELECT o2o.grant_access('o2o_reader', 'king')$$, '22023'), ($$SELECT o2o.grant_access('nobody_at_all', 'reader')$$, '42704'),
	(format('SELECT o2o.grant_access(%L, %L)', pg_temp.owner(), 'reader'), '22023')) v (q, s);

SELECT * FROM finish();
ROLLBACK;
