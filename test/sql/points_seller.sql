-- Sellers: paid with points by any number of people at once, refunded to the lots
-- that paid, settled, and never below zero.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_seller;
CREATE DATABASE o2o_points_seller;
\c o2o_points_seller
SET client_min_messages = warning;
CREATE ROLE o2o_points_seller_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_seller_owner;
CALL o2o.setup(owner => 'o2o_points_seller_owner');
RESET client_min_messages;
SET ROLE o2o_points_seller_owner;
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
	RETURN SQLSTATE || ' ' || concat_ws(' | ', SQLERRM, regexp_replace(nullif(detail, ''), '(Transfer|Profile|Customer) \d+', '\1 N'));
END $$;
CREATE FUNCTION pg_temp.paid(of text) RETURNS bigint LANGUAGE sql AS $$
	SELECT max(p.transfer_id) FROM o2o.points_posting p WHERE p.operation = 'pay' AND p.reference = of
$$;
CREATE VIEW pg_temp.lots AS
	SELECT i.identifier AS of, l.grant_month, l.granted, l.remaining, l.consumed
	FROM o2o.points_lot l JOIN o2o.profile_identifier i ON i.profile_id = l.profile_id ORDER BY i.identifier, l.expires_at;

SELECT o2o.points_program_create('club', 'Club', 'CNY', expires_after => '20 years');
SELECT count(*) FROM unnest('{ann,phone,bob}'::text[]) n, o2o.identity_resolve(ARRAY['card:' || n]::o2o.identifier[], 'pos', n, now()) r;
SELECT count(*) FROM o2o.identity_resolve('{ref:pos/noodles}', 'pos', 's1', now());
SELECT o2o.customer_merge('card:ann', 'card:phone', 'one person') IS NOT NULL AS merged;
SELECT o2o.points_seller_open('ref:pos/noodles', 'club') = o2o.points_seller_open('ref:pos/noodles', 'club') AS once;
SELECT balance FROM o2o.points_earn('card:ann', 100, 'club', occurred_at => '2020-01-10');
SELECT balance FROM o2o.points_earn('card:phone', 50, 'club', occurred_at => '2021-01-10');
SELECT balance FROM o2o.points_earn('card:bob', 30, 'club', occurred_at => '2022-01-10');

-- 120 of two profiles: all 100 of the card, 20 of the phone. One posting per lot, and no row of the seller is written.
SELECT balance FROM o2o.points_pay('card:ann', 'ref:pos/noodles', 120, 'club', reference => 'bill/1', idempotency_key => 'p1');
SELECT balance FROM o2o.points_pay('card:ann', 'ref:pos/noodles', 120, 'club', reference => 'bill/1', idempotency_key => 'p1') AS replay;
SELECT balance FROM o2o.points_pay('card:bob', 'ref:pos/noodles', 30, 'club', reference => 'bill/2');
SELECT version, balance, xmax = 0 AS never_locked FROM o2o.points_account WHERE kind = 'seller';
SELECT o2o.points_seller_balance('ref:pos/noodles', 'club');
SELECT * FROM pg_temp.lots;
-- With the rollup at rest or advanced, the same.
SELECT o2o.points_rollup_advance() IS NOT NULL AS advanced;
SELECT o2o.points_seller_balance('ref:pos/noodles', 'club');
-- Also when the transaction that advances it has posted itself, so that its own postings lie right at the horizon: they count once.
BEGIN;
SELECT balance FROM o2o.points_earn('card:bob', 7, 'club');
SELECT balance FROM o2o.points_pay('card:bob', 'ref:pos/noodles', 5, 'club');
SELECT o2o.points_rollup_advance() IS NOT NULL AS advanced;
SELECT o2o.points_seller_balance('ref:pos/noodles', 'club'), (SELECT balance AS issuer FROM o2o.points_system_balance('club') WHERE kind = 'issuer');
SELECT * FROM o2o.points_verify();
ROLLBACK;
-- 40 of it goes back: what was taken last first, 20 to the phone, 20 to the card.
SELECT refunded, balance FROM o2o.points_refund(pg_temp.paid('bill/1'), 40);
SELECT * FROM pg_temp.lots;
SELECT o2o.points_seller_balance('ref:pos/noodles', 'club');
-- 110 is there. 50 settled, then all the rest; then nothing.
SELECT settled, balance FROM o2o.points_settle('ref:pos/noodles', 'club', 50, reference => 'payout/1', idempotency_key => 's1');
SELECT settled, balance FROM o2o.points_settle('ref:pos/noodles', 'club', 50, reference => 'payout/1', idempotency_key => 's1') AS replay;
SELECT pg_temp.try($$SELECT o2o.points_settle('ref:pos/noodles', 'club', 61)$$);
-- 60 is left: a refund of 30 may still be, of the other 80 no more than what is left then.
SELECT refunded FROM o2o.points_refund(pg_temp.paid('bill/2'));
SELECT pg_temp.try($$SELECT o2o.points_refund(pg_temp.paid('bill/1'))$$);
SELECT settled, balance FROM o2o.points_settle('ref:pos/noodles', 'club');
SELECT transfer_id IS NULL AS nothing, settled, balance FROM o2o.points_settle('ref:pos/noodles', 'club');
SELECT pg_temp.try($$SELECT o2o.points_refund(pg_temp.paid('bill/1'), 1)$$);
SELECT operation, points, reference FROM o2o.points_seller_line ORDER BY transfer_id, points;
SELECT sum(points) FROM o2o.points_seller_line;
-- A reversal is a refund of all that is left: bob pays again, by mistake.
SELECT balance FROM o2o.points_pay('card:bob', 'ref:pos/noodles', 10, 'club', reference => 'bill/3');
SELECT amount, balance FROM o2o.points_reverse(pg_temp.paid('bill/3'), 'wrong shop');
SELECT s.operation, s.amount, s.balance FROM o2o.points_statement('card:bob', 'club') s;
-- An unmerge: the card is left with 20, the phone with 50, and the payment stays paid.
SELECT count(*) FROM o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'two people');
SELECT i.identifier, b.available FROM o2o.profile_identifier i, o2o.points_balance(i.identifier) b ORDER BY 1;

SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.points_pay('card:bob', 'ref:pos/noodles', 31, 'club')$$,
	$$SELECT o2o.points_pay('card:bob', 'card:ann', 1, 'club')$$,
	$$SELECT o2o.points_pay('ref:pos/noodles', 'ref:pos/noodles', 1, 'club')$$,
	$$SELECT o2o.points_pay('card:bob', 'ref:pos/noodles', 0, 'club')$$,
	$$SELECT o2o.points_pay('card:bob', 'ref:pos/noodles', 1, 'none')$$,
	$$SELECT o2o.points_pay('card:nobody', 'ref:pos/noodles', 1, 'club')$$,
	$$SELECT o2o.points_pay('card:bob', 'ref:pos/noodles', 1, 'club', idempotency_key => 'p1')$$,
	$$SELECT o2o.points_settle('card:bob', 'club')$$,
	$$SELECT o2o.points_settle('ref:pos/noodles', 'club', 0)$$,
	$$SELECT o2o.points_seller_open('card:bob', 'none')$$]) q;
-- Closed: only when settled, nobody pays it any more; opened again, payments go on.
SELECT balance FROM o2o.points_pay('card:bob', 'ref:pos/noodles', 7, 'club', reference => 'bill/4');
SELECT pg_temp.try($$SELECT o2o.points_seller_close('ref:pos/noodles', 'club')$$);
SELECT settled FROM o2o.points_settle('ref:pos/noodles', 'club');
SELECT o2o.points_seller_close('ref:pos/noodles', 'club') = o2o.points_seller_close('ref:pos/noodles', 'club') AS once;
SELECT regexp_replace(pg_temp.try(q), 'Account \d+', 'Account N') FROM unnest(ARRAY[
	$$SELECT o2o.points_pay('card:bob', 'ref:pos/noodles', 1, 'club')$$,
	$$SELECT o2o.points_pay('card:bob', 'ref:pos/noodles', 1, 'club', idempotency_key => 'p9')$$,
	$$SELECT code FROM o2o.points_post_many('{pay}', NULL, '{1}', '{club}', identifiers => '{card:bob}', counterparty_identifiers => '{ref:pos/noodles}')$$,
	$$SELECT o2o.points_refund(pg_temp.paid('bill/4'))$$,
	$$SELECT settled FROM o2o.points_settle('ref:pos/noodles', 'club')$$,
	$$SELECT o2o.points_seller_close('card:bob', 'club')$$]) q;
SELECT o2o.points_seller_balance('ref:pos/noodles', 'club');
SELECT * FROM o2o.points_verify();
SELECT count(o2o.points_seller_open('ref:pos/noodles', 'club'));
SELECT balance FROM o2o.points_pay('card:bob', 'ref:pos/noodles', 2, 'club');
SELECT * FROM o2o.points_verify();
\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_seller;
DROP ROLE o2o_points_seller_owner;
