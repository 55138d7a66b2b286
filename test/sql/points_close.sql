-- Closing accounts: what is left is disposed of as the caller says, and then nothing is posted.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_close;
CREATE DATABASE o2o_points_close;
\c o2o_points_close
SET client_min_messages = warning;
CREATE ROLE o2o_points_close_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_close_owner;
CALL o2o.setup(owner => 'o2o_points_close_owner');
RESET client_min_messages;
SET ROLE o2o_points_close_owner;
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
	RETURN SQLSTATE || ' ' || concat_ws(' | ', SQLERRM, regexp_replace(nullif(detail, ''), '(Transfer|Profile|Customer|Account) \d+', '\1 N'));
END $$;

SELECT o2o.points_program_create('club', 'Club', 'CNY', expires_after => '20 years');
SELECT o2o.points_program_create('debts', 'Debts', 'CNY', clawback_policy => 'debt');
SELECT count(*) FROM unnest('{ann,phone,bob,cid}'::text[]) n, o2o.identity_resolve(ARRAY['card:' || n]::o2o.identifier[], 'pos', n, now()) r;
SELECT o2o.customer_merge('card:ann', 'card:phone', 'one person') IS NOT NULL AS merged;
SELECT count(*) FROM o2o.source_register('till', 'Till', 'pos', 'CN');
-- Ann has 100 and 50, of which 30 expired in 2020 and are not swept; 20 are on hold.
SELECT balance FROM o2o.points_earn('card:ann', 100, 'club', occurred_at => '2020-01-10');
SELECT balance FROM o2o.points_earn('card:phone', 20, 'club', occurred_at => '2021-01-10', reference => 'e1');
SELECT balance FROM o2o.points_earn('card:phone', 30, 'club', occurred_at => '2000-01-10');
SELECT available FROM o2o.points_hold('card:ann', 20, 'club', expires_at => now() + interval '1 hour');

SELECT pg_temp.try($$SELECT o2o.points_close('card:ann', 'club', 'leaves')$$);
SELECT pg_temp.try($$SELECT o2o.points_close('card:ann', 'club', 'leaves', 'forfeit')$$);
SELECT balance FROM o2o.points_void((SELECT max(hold_id) FROM o2o.points_hold));
SELECT pg_temp.try($$SELECT o2o.points_close('card:ann', 'club', 'leaves')$$);
-- 120 can be spent: bob gets them. The 30 expire.
SELECT * FROM o2o.points_close('card:ann', 'club', 'leaves', 'transfer', 'card:bob', 'c1');
SELECT * FROM o2o.points_close('card:ann', 'club', 'leaves', 'transfer', 'card:bob', 'c1') AS replay;
SELECT i.identifier, b.balance FROM o2o.profile_identifier i, o2o.points_balance(i.identifier) b ORDER BY 1;
SELECT operation, sum(amount::numeric) FROM o2o.points_posting GROUP BY operation ORDER BY operation;
-- Nothing is posted any more: earn, gift, refund, adjustment, clawback. An order is placed and earns nothing; so does an import.
SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.points_earn('card:ann', 1, 'club')$$,
	$$SELECT o2o.points_transfer('card:bob', 'card:phone', 1, 'club')$$,
	$$SELECT o2o.points_adjust('card:ann', 1, 'club', 'why')$$,
	$$SELECT o2o.points_clawback(o2o.points_transfer_find('card:phone', 'e1', 'club', 'earn'))$$,
	$$SELECT o2o.points_burn('card:ann', 1, 'club')$$]) q;
-- In a batch each of these has its code, and the others go on.
BEGIN;
SELECT m.n, m.code, m.balance FROM o2o.points_post_many('{earn,transfer,burn,earn}', NULL, '{1,1,1,1}', array_fill('club'::text, ARRAY[4]),
	identifiers => '{card:ann,card:bob,card:phone,card:bob}', counterparty_identifiers => '{NULL,card:phone,NULL,NULL}') m ORDER BY m.n;
ROLLBACK;
SELECT points_earned FROM o2o.order_place('["card:ann"]', '[{"sku": "cup", "name": "Cup", "unit_price": 50}]', 'till', '1', 'pos', points_program => 'club');
INSERT INTO o2o.import_order (batch_id, source, source_id, ordered_at, identifiers, channel_sold, currency, payment_method, points_program) VALUES
	(1, 'till', '2', '2026-02-05 10:00+08', '["card:ann"]', 'pos', 'CNY', 'card', 'club');
INSERT INTO o2o.import_order_line (batch_id, source, source_id, line_no, sku, quantity, unit_price) VALUES (1, 'till', '2', 1, 'cup', 1, 50);
SELECT orders FROM o2o.order_import(1);
SELECT source_id, points_earned FROM o2o.sales_order ORDER BY source_id;
-- Open again, empty.
SELECT o2o.points_reopen('card:phone', 'club') AS opened, o2o.points_reopen('card:phone', 'club') AS again;
SELECT balance FROM o2o.points_earn('card:ann', 5, 'club');
-- Forfeit: 60 of bob's 120 are spent, the others are taken; what was spent cannot be refunded into a closed account.
SELECT balance FROM o2o.points_burn('card:bob', 60, 'club');
SELECT * FROM o2o.points_close('card:bob', 'club', 'fraud', 'forfeit');
SELECT pg_temp.try($$SELECT o2o.points_refund((SELECT max(transfer_id) FROM o2o.points_posting WHERE operation = 'burn'))$$);
-- A debt on an account of its own is let go: 40 of 100 are spent, 100 are taken back: 40 are owed.
SELECT balance FROM o2o.points_earn('card:cid', 100, 'debts', reference => 'e1');
SELECT balance FROM o2o.points_burn('card:cid', 40, 'debts');
SELECT taken, owed FROM o2o.points_clawback(o2o.points_transfer_find('card:cid', 'e1', 'debts', 'earn'));
SELECT pg_temp.try($$SELECT o2o.points_close('card:cid', 'debts', 'leaves')$$);
SELECT * FROM o2o.points_close('card:cid', 'debts', 'leaves', 'forfeit');
SELECT kind, balance, debt, closed_at IS NOT NULL AS is_closed FROM o2o.points_account WHERE program = 'debts' ORDER BY kind;
-- Whose account is empty needs to say nothing.
SELECT * FROM o2o.points_close('card:cid', 'club', 'leaves');
SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.points_close('card:ann', 'club', '', 'forfeit')$$,
	$$SELECT o2o.points_close('card:ann', 'club', 'why', 'burn')$$,
	$$SELECT o2o.points_close('card:ann', 'club', 'why', 'transfer')$$,
	$$SELECT o2o.points_close('card:ann', 'club', 'why', 'transfer', 'card:phone')$$,
	$$SELECT o2o.points_close('card:ann', 'club', 'why', 'transfer', 'card:bob')$$,
	$$SELECT o2o.points_close('card:ann', 'none', 'why')$$,
	$$SELECT o2o.points_close('card:nobody', 'club', 'why')$$]) q;
SELECT * FROM o2o.points_verify();
-- A closed account that has something is seen.
BEGIN;
UPDATE o2o.points_account SET closed_at = now() WHERE balance > 0;
SELECT "check", program, detail FROM o2o.points_verify();
ROLLBACK;
\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_close;
DROP ROLE o2o_points_close_owner;
