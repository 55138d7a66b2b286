-- After an unmerge: what one side spent of the other's points, and how it is made good.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_cross_draw;
CREATE DATABASE o2o_points_cross_draw;
\c o2o_points_cross_draw
SET client_min_messages = warning;
CREATE ROLE o2o_points_cross_draw_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_cross_draw_owner;
CALL o2o.setup(owner => 'o2o_points_cross_draw_owner');
RESET client_min_messages;
SET ROLE o2o_points_cross_draw_owner;
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
	RETURN SQLSTATE || ' ' || concat_ws(' | ', SQLERRM, regexp_replace(nullif(detail, ''), '(Transfer|Profile|Customer|Pool) \d+', '\1 N'));
END $$;

SELECT o2o.points_program_create('club', 'Club', 'CNY', expires_after => '20 years');
SELECT count(*) FROM unnest('{ann,bob}'::text[]) n, o2o.identity_resolve(ARRAY['card:' || n]::o2o.identifier[], 'pos', n, now()) r;
SELECT balance FROM o2o.points_earn('card:ann', 100, 'club', occurred_at => '2020-01-10');
SELECT balance FROM o2o.points_earn('card:bob', 50, 'club', occurred_at => '2021-01-10');
SELECT o2o.customer_merge('card:ann', 'card:bob', 'one person') IS NOT NULL AS merged;
-- A customer of two profiles spends from both at once, nearest expiry first: bob burns 120, 100 of ann's and 20 of his own.
SELECT balance FROM o2o.points_burn('card:bob', 120, 'club', reference => 'b1');
SELECT refunded FROM o2o.points_refund(o2o.points_transfer_find('card:bob', 'b1', 'club'), 30);
-- 20 of his come back and 10 of hers: 90 of hers are spent. Ann burns 15: 10 of hers, 5 of his.
SELECT balance FROM o2o.points_burn('card:ann', 15, 'club');
SELECT count(*) FROM o2o.points_cross_draw('card:ann', 'card:bob');
SELECT count(*) FROM o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'two people');
-- Each has what is left of its own lots: 0 and 45.
SELECT i.identifier, b.balance FROM o2o.profile_identifier i, o2o.points_balance(i.identifier) b ORDER BY 1;
SELECT d.program, o.identifier AS owner, s.identifier AS spender, d.spent, d.compensated, d.open, d.postings
FROM o2o.points_cross_draw('card:ann', 'card:bob') d JOIN o2o.profile_identifier o ON o.profile_id = d.owner_customer_id
	JOIN o2o.profile_identifier s ON s.profile_id = d.spender_customer_id ORDER BY 2;
-- Bob makes good what he can: 40 now, and 50 are open; he does not have them.
SELECT compensated, open FROM o2o.points_compensate('card:bob', 'card:ann', 'club', 'wrong card', 40, 'c1');
SELECT compensated, open FROM o2o.points_compensate('card:bob', 'card:ann', 'club', 'wrong card', 40, 'c1') AS replay;
SELECT pg_temp.try($$SELECT o2o.points_compensate('card:bob', 'card:ann', 'club', 'the rest')$$);
SELECT pg_temp.try($$SELECT o2o.points_compensate('card:bob', 'card:ann', 'club', 'too much', 51)$$);
SELECT pg_temp.try($$SELECT o2o.points_compensate('card:bob', 'card:ann', 'club', '')$$);
SELECT balance FROM o2o.points_earn('card:bob', 60, 'club');
SELECT compensated, open FROM o2o.points_compensate('card:bob', 'card:ann', 'club', 'the rest');
SELECT transfer_id IS NULL AS nothing, compensated, open FROM o2o.points_compensate('card:bob', 'card:ann', 'club', 'once more');
SELECT i.identifier, b.balance FROM o2o.profile_identifier i, o2o.points_balance(i.identifier) b ORDER BY 1;
SELECT o.identifier AS owner, d.spent, d.compensated, d.open
FROM o2o.points_cross_draw('card:ann', 'card:bob') d JOIN o2o.profile_identifier o ON o.profile_id = d.owner_customer_id ORDER BY 1;
SELECT pg_temp.try($$SELECT o2o.points_cross_draw('card:ann', 'card:nobody')$$);
SELECT * FROM o2o.points_verify();
\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_cross_draw;
DROP ROLE o2o_points_cross_draw_owner;
