-- Pools: members put points in and spend from it; lots keep their expiry.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_pool;
CREATE DATABASE o2o_points_pool;
\c o2o_points_pool
SET client_min_messages = warning;
CREATE ROLE o2o_points_pool_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_pool_owner;
CALL o2o.setup(owner => 'o2o_points_pool_owner');
RESET client_min_messages;
SET ROLE o2o_points_pool_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;
SET timezone = 'UTC';

CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text; detail text;
BEGIN
	EXECUTE query INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || concat_ws(' | ', SQLERRM, regexp_replace(nullif(detail, ''), '(Transfer|Profile|Customer|Pool|Account) \d+', '\1 N'));
END $$;
CREATE FUNCTION pg_temp.pool() RETURNS bigint LANGUAGE sql AS $$ SELECT max(profile_id) FROM o2o.points_pool $$;
CREATE VIEW pg_temp.lots AS
	SELECT coalesce(i.identifier::text, 'pool') AS of, l.grant_month, l.granted, l.remaining, l.consumed, l.expired
	FROM o2o.points_lot l LEFT JOIN o2o.profile_identifier i ON i.profile_id = l.profile_id ORDER BY i.identifier, l.expires_at;

SELECT o2o.points_program_create('club', 'Club', 'CNY', expires_after => '20 years');
SELECT count(*) FROM unnest('{ann,bob,cid}'::text[]) n, o2o.identity_resolve(ARRAY['card:' || n]::o2o.identifier[], 'pos', n, now()) r;
SELECT balance FROM o2o.points_earn('card:ann', 100, 'club', occurred_at => '2020-01-10');
SELECT balance FROM o2o.points_earn('card:ann', 40, 'club', occurred_at => '2022-01-10');
SELECT balance FROM o2o.points_earn('card:bob', 60, 'club', occurred_at => '2021-01-10');
SELECT balance FROM o2o.points_earn('card:cid', 10, 'club', occurred_at => '2021-01-10');
SELECT o2o.points_pool_open('card:ann', 'club', 'Home', idempotency_key => 'o1') = o2o.points_pool_open('card:ann', 'club', 'Home', idempotency_key => 'o1') AS once;
SELECT o2o.points_pool_join('card:bob', pg_temp.pool()), o2o.points_pool_join('card:bob', pg_temp.pool());
SELECT count(*) FROM o2o.points_pool_member;

-- 120 of ann's: 100 of 2020, 20 of 2022, and they stay that. 60 of bob's.
SELECT balance, pool_available FROM o2o.points_pool_put('card:ann', pg_temp.pool(), 120, idempotency_key => 'p1');
SELECT balance, pool_available FROM o2o.points_pool_put('card:ann', pg_temp.pool(), 120, idempotency_key => 'p1') AS replay;
SELECT balance, pool_available FROM o2o.points_pool_put('card:bob', pg_temp.pool(), 60);
-- Bob spends 110, the nearest expiry first: 100 of 2020, 10 of 2021. 30 of it come back: 10 to 2021, 20 to 2020.
SELECT pool_available FROM o2o.points_pool_spend('card:bob', pg_temp.pool(), 110, reference => 'bill/1');
SELECT * FROM pg_temp.lots;
SELECT refunded FROM o2o.points_refund((SELECT max(transfer_id) FROM o2o.points_posting WHERE operation = 'burn'), 30);
SELECT * FROM o2o.points_pool_balance(pg_temp.pool());
-- Ann leaves: she put in 120 and took nothing out; 100 are there: she gets them. Bob took 80 for 60: nothing is his.
SELECT o2o.points_pool_share(pg_temp.pool(), ARRAY[o2o.customer_lookup('card:ann')]) AS of_ann, o2o.points_pool_share(pg_temp.pool(), ARRAY[o2o.customer_lookup('card:bob')]) AS of_bob;
SELECT balance, pool_available FROM o2o.points_pool_leave('card:ann', pg_temp.pool(), idempotency_key => 'l1');
SELECT balance, pool_available FROM o2o.points_pool_leave('card:ann', pg_temp.pool(), idempotency_key => 'l1') AS replay;
SELECT * FROM pg_temp.lots;
SELECT pg_temp.try(format($$SELECT o2o.points_pool_put('card:ann', %s, 1)$$, pg_temp.pool()));
-- Closing: ann is back with 70, cid with 10, both in proportion of what is left of theirs: bob spent 50, of 30 that is left 26.25 and 3.75: 26 and 4.
SELECT o2o.points_pool_join('card:ann', pg_temp.pool()), o2o.points_pool_join('card:cid', pg_temp.pool());
SELECT pool_available FROM o2o.points_pool_put('card:ann', pg_temp.pool(), 50);
SELECT pool_available FROM o2o.points_pool_put('card:cid', pg_temp.pool(), 10);
SELECT pool_available FROM o2o.points_pool_spend('card:bob', pg_temp.pool(), 30);
SELECT o2o.points_pool_share(pg_temp.pool(), ARRAY[o2o.customer_lookup('card:ann')]) AS of_ann, o2o.points_pool_share(pg_temp.pool(), ARRAY[o2o.customer_lookup('card:cid')]) AS of_cid;
SELECT i.identifier, c.returned FROM o2o.points_pool_close(pg_temp.pool(), idempotency_key => 'c1') c JOIN o2o.profile_identifier i ON i.profile_id = c.profile_id ORDER BY 1;
SELECT i.identifier, c.returned FROM o2o.points_pool_close(pg_temp.pool(), idempotency_key => 'c1') c JOIN o2o.profile_identifier i ON i.profile_id = c.profile_id ORDER BY 1;
SELECT balance FROM o2o.points_pool_balance(pg_temp.pool());
SELECT pg_temp.try($$SELECT o2o.points_refund((SELECT max(transfer_id) FROM o2o.points_posting WHERE operation = 'burn'))$$);
SELECT pg_temp.try(format(q, pg_temp.pool())) FROM unnest(ARRAY[
	$$SELECT o2o.points_pool_put('card:ann', %s, 1)$$, $$SELECT o2o.points_pool_close(%s)$$, $$SELECT o2o.points_pool_join('card:ann', %s)$$]) q;

-- Who leaves gets what is hers, however much of the others is there.
BEGIN;
SELECT o2o.points_pool_open('card:ann', 'club', 'Two') IS NOT NULL AS opened;
SELECT o2o.points_pool_join('card:bob', pg_temp.pool());
SELECT pool_available FROM o2o.points_pool_put('card:ann', pg_temp.pool(), 30);
SELECT balance FROM o2o.points_earn('card:bob', 40, 'club');
SELECT pool_available FROM o2o.points_pool_put('card:bob', pg_temp.pool(), 40);
SELECT pool_available FROM o2o.points_pool_spend('card:ann', pg_temp.pool(), 10);
SELECT balance, pool_available FROM o2o.points_pool_leave('card:ann', pg_temp.pool());
SELECT i.identifier, c.returned FROM o2o.points_pool_close(pg_temp.pool()) c JOIN o2o.profile_identifier i ON i.profile_id = c.profile_id;
ROLLBACK;

-- A member is a customer: whoever is the same one today may spend. What stays stays.
SELECT o2o.points_pool_open('card:ann', 'club', 'Club house', 'stay') IS NOT NULL AS opened;
SELECT pool_available FROM o2o.points_pool_put('card:ann', pg_temp.pool(), 20);
SELECT pg_temp.try(format($$SELECT o2o.points_pool_spend('card:cid', %s, 1)$$, pg_temp.pool()));
SELECT o2o.customer_merge('card:ann', 'card:cid', 'one person') IS NOT NULL AS merged;
SELECT pool_available FROM o2o.points_pool_spend('card:cid', pg_temp.pool(), 5);
SELECT transfer_id IS NULL AS nothing, pool_available FROM o2o.points_pool_leave('card:cid', pg_temp.pool());
SELECT count(*) FROM o2o.points_pool_member WHERE left_at IS NULL;
-- Points in a pool expire like others, and nobody gets them then. (The time of a transaction stands still: they do between the two.)
SELECT o2o.points_program_create('short', 'Short', 'CNY', expires_after => '10 days', expires_round => 'none');
BEGIN;
SELECT balance FROM o2o.points_earn('card:bob', 30, 'short', occurred_at => now() - interval '10 days' + interval '1 microsecond');
SELECT o2o.points_pool_open('card:bob', 'short', 'Short') IS NOT NULL AS opened;
SELECT pool_available FROM o2o.points_pool_put('card:bob', pg_temp.pool(), 30);
COMMIT;
SELECT balance, available FROM o2o.points_pool_balance(pg_temp.pool());
SELECT pg_temp.try(format($$SELECT o2o.points_pool_spend('card:bob', %s, 1)$$, pg_temp.pool()));
SELECT count(*) FROM o2o.points_pool_close(pg_temp.pool());
SELECT p.operation, p.amount FROM o2o.points_posting p WHERE p.profile_id = pg_temp.pool() ORDER BY p.version;
SELECT o2o.points_expire() AS swept;
SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.points_pool_put('card:ann', 0, 1)$$,
	$$SELECT o2o.points_pool_open('card:ann', 'none', 'Home')$$,
	$$SELECT o2o.points_pool_balance(0)$$]) q;
SELECT * FROM o2o.points_verify();
\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_pool;
DROP ROLE o2o_points_pool_owner;
