-- Partners: points granted in their name draw on what they paid, or on their limit.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_partner;
CREATE DATABASE o2o_points_partner;
\c o2o_points_partner
SET client_min_messages = warning;
CREATE ROLE o2o_points_partner_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_partner_owner;
CALL o2o.setup(owner => 'o2o_points_partner_owner');
RESET client_min_messages;
SET ROLE o2o_points_partner_owner;
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

SELECT o2o.points_program_create('club', 'Club', 'CNY');
SELECT count(*) FROM unnest('{ann,bob}'::text[]) n, o2o.identity_resolve(ARRAY['card:' || n]::o2o.identifier[], 'pos', n, now()) r;
SELECT count(*) FROM o2o.identity_resolve('{ref:pos/bank}', 'pos', 'p1', now());
SELECT count(*) FROM o2o.identity_resolve('{ref:pos/cafe}', 'pos', 'p2', now());
-- A bank pays before, 2 cents a point; a cafe after, 3 cents, up to 100 points.
SELECT o2o.points_partner_open('ref:pos/bank', 'bank', 'club', price_per_point => 0.02, stripes => 4) IS NOT NULL AS opened;
SELECT o2o.points_partner_open('ref:pos/cafe', 'cafe', 'club', 'postpaid', 100, 0.03, 4) IS NOT NULL AS opened;
SELECT u.partner, b.* FROM unnest('{bank,cafe}'::text[]) u (partner), o2o.points_partner_balance(u.partner, 'club') b;

SELECT pg_temp.try($$SELECT o2o.points_earn('card:ann', 1, 'club', funding => 'partner:bank')$$);
SELECT funded, balance, available FROM o2o.points_partner_fund('bank', 'club', 200, reference => 'wire/1', idempotency_key => 'f1');
SELECT funded, balance, available FROM o2o.points_partner_fund('bank', 'club', 200, reference => 'wire/1', idempotency_key => 'f1') AS replay;
-- 200 lie in four stripes of 50; 120 are gathered from them, and then 80 more are there, and no 81.
SELECT balance FROM o2o.points_earn('card:ann', 120, 'club', reference => 'e1', funding => 'partner:bank', idempotency_key => 'e1');
SELECT balance FROM o2o.points_earn('card:ann', 120, 'club', reference => 'e1', funding => 'partner:bank', idempotency_key => 'e1') AS replay;
SELECT pg_temp.try($$SELECT o2o.points_earn('card:bob', 81, 'club', funding => 'partner:bank')$$);
SELECT balance FROM o2o.points_earn('card:bob', 80, 'club', funding => 'partner:bank');
-- The cafe owes up to 100.
SELECT balance FROM o2o.points_earn('card:ann', 70, 'club', reference => 'e2', funding => 'partner:cafe');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:bob', 31, 'club', funding => 'partner:cafe')$$);
SELECT u.partner, b.* FROM unnest('{bank,cafe}'::text[]) u (partner), o2o.points_partner_balance(u.partner, 'club') b;
SELECT l.funding, l.granted, l.remaining FROM o2o.points_lot l JOIN o2o.profile_identifier i ON i.profile_id = l.profile_id WHERE i.identifier = 'card:ann' ORDER BY l.funding;
-- What is taken back goes back to the partner, 20 of the bank's 120; a reversal of that draws it again.
SELECT taken, owed FROM o2o.points_clawback(o2o.points_transfer_find('card:ann', 'e1', 'club', 'earn'), 20);
SELECT b.* FROM o2o.points_partner_balance('bank', 'club') b;
SELECT amount FROM o2o.points_reverse((SELECT max(transfer_id) FROM o2o.points_posting WHERE operation = 'clawback'), 'not so');
SELECT b.* FROM o2o.points_partner_balance('bank', 'club') b;
SELECT amount FROM o2o.points_reverse(o2o.points_transfer_find('card:ann', 'e2', 'club', 'earn'), 'wrong partner');
SELECT b.* FROM o2o.points_partner_balance('cafe', 'club') b;
-- The bill: the cafe has nothing to pay; 60 later it has, and more than it owes is credit.
SELECT transfer_id IS NULL AS nothing, funded FROM o2o.points_partner_fund('cafe', 'club');
SELECT balance FROM o2o.points_earn('card:bob', 60, 'club', funding => 'partner:cafe');
SELECT o2o.points_partner_limit('cafe', 'club', 60) AS available;
SELECT pg_temp.try($$SELECT o2o.points_partner_limit('cafe', 'club', 59)$$);
SELECT funded, balance, available FROM o2o.points_partner_fund('cafe', 'club');
SELECT funded, balance, available FROM o2o.points_partner_fund('cafe', 'club', 5);
-- The bank takes back what it did not use.
SELECT funded, balance FROM o2o.points_partner_fund('bank', 'club', 30);
SELECT pg_temp.try($$SELECT o2o.points_partner_withdraw('bank', 'club', 31)$$);
SELECT withdrawn, balance, available FROM o2o.points_partner_withdraw('bank', 'club', 10);
SELECT withdrawn, balance, available FROM o2o.points_partner_withdraw('bank', 'club');
SELECT pg_temp.try($$SELECT o2o.points_partner_withdraw('cafe', 'club', 6)$$);
SELECT partner, kind, currency, granted, taken_back, funded, withdrawn, charge FROM o2o.points_partner_bill ORDER BY partner;
-- The stripes are what the ledger says: paid in, less withdrawn, less granted, and the limit.
SELECT r.partner, o2o.points_stripes_available(r.account_id) AS stripes, a.balance OPERATOR(o2o.-) o2o.sum(p.amount) OPERATOR(o2o.+) r.credit_limit AS ledger
FROM o2o.points_partner r JOIN o2o.points_account a ON a.account_id = r.account_id JOIN o2o.points_posting p ON p.contra_account_id = r.account_id
GROUP BY r.partner, r.account_id, a.balance, r.credit_limit ORDER BY r.partner;
SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.points_earn('card:ann', 1, 'club', funding => 'partner:none')$$,
	$$SELECT o2o.points_partner_fund('none', 'club', 1)$$,
	$$SELECT o2o.points_partner_fund('bank', 'club', 0)$$,
	$$SELECT o2o.points_partner_fund('bank', 'club', '0.5')$$,
	$$SELECT o2o.points_partner_open('card:ann', 'bad', 'none')$$]) q;
SELECT left(pg_temp.try(q), 5) FROM unnest(ARRAY[
	$$SELECT o2o.points_partner_open('card:ann', 'bad', 'club', 'sometimes')$$,
	$$SELECT o2o.points_partner_limit('bank', 'club', 1)$$]) q;
-- Closed: only when nothing is open, and nothing is granted in its name then; what is taken back is its again.
SELECT max(p.transfer_id) AS granted FROM o2o.points_posting p JOIN o2o.points_partner r ON r.account_id = p.contra_account_id WHERE r.partner = 'cafe' AND p.amount::numeric > 0 \gset
SELECT regexp_replace(pg_temp.try($$SELECT o2o.points_partner_close('cafe', 'club')$$), 'has .*', 'has N');
SELECT balance FROM o2o.points_partner_withdraw('cafe', 'club');
SELECT o2o.points_partner_close('cafe', 'club') = o2o.points_partner_close('cafe', 'club') AS once;
SELECT regexp_replace(pg_temp.try(q), 'Account \d+', 'Account N') FROM unnest(ARRAY[
	$$SELECT o2o.points_earn('card:ann', 1, 'club', funding => 'partner:cafe')$$,
	$$SELECT o2o.points_partner_fund('cafe', 'club', 1)$$,
	$$SELECT o2o.points_partner_close('none', 'club')$$]) q;
SELECT taken, owed FROM o2o.points_clawback(:granted, 1);
SELECT balance FROM o2o.points_partner_balance('cafe', 'club');
SELECT regexp_replace(pg_temp.try($$SELECT o2o.points_partner_withdraw('cafe', 'club')$$), 'Account \d+', 'Account N');
SELECT * FROM o2o.points_verify();
SELECT o2o.points_partner_reopen('cafe', 'club');
SELECT o2o.points_partner_reopen('cafe', 'club') AS again;
SELECT withdrawn FROM o2o.points_partner_withdraw('cafe', 'club');
SELECT * FROM o2o.points_verify();
-- Stripes that promise more than was paid are seen.
BEGIN;
UPDATE o2o.points_stripe SET available = available + 1 WHERE stripe = 0 AND account_id = (SELECT account_id FROM o2o.points_partner WHERE partner = 'cafe');
SELECT "check", program, detail FROM o2o.points_verify();
ROLLBACK;
\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_partner;
DROP ROLE o2o_points_partner_owner;
