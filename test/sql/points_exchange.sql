-- Exchange between programs: a dated rate, both legs or none, and back again.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_exchange;
CREATE DATABASE o2o_points_exchange;
\c o2o_points_exchange
SET client_min_messages = warning;
CREATE ROLE o2o_points_exchange_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_exchange_owner;
CALL o2o.setup(owner => 'o2o_points_exchange_owner');
RESET client_min_messages;
SET ROLE o2o_points_exchange_owner;
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
CREATE VIEW pg_temp.lots AS
	SELECT i.identifier AS of, a.program, CASE WHEN l.expires_at < '2045-01-01' OR l.expires_at = 'infinity' THEN l.expires_at::date::text ELSE 'in 20 years' END AS expires, l.funding, l.granted, l.remaining, l.consumed, l.clawed
	FROM o2o.points_lot l JOIN o2o.points_account a ON a.account_id = l.account_id JOIN o2o.profile_identifier i ON i.profile_id = l.profile_id
	ORDER BY i.identifier, a.program, l.expires_at, l.funding;

SELECT o2o.points_program_create('club', 'Club', 'CNY', expires_after => '20 years');
SELECT o2o.points_program_create('miles', 'Miles', 'EUR', scale => 1);
SELECT o2o.points_program_create('backed', 'Backed', 'EUR', cost_per_point => 1, reserve_policy => 'enforce');
INSERT INTO o2o.points_exchange_rate (from_program, to_program, valid_from, rate, rounding) VALUES
	('club', 'miles', '-infinity', 0.5, 'floor'), ('club', 'miles', now() - interval '1 day', 0.333, 'floor'), ('club', 'miles', now() + interval '1 day', 9, 'floor'),
	('miles', 'club', '-infinity', 2.5, 'half_up'), ('miles', 'backed', '-infinity', 1, 'floor'), ('backed', 'club', '-infinity', 1, 'floor'), ('backed', 'club', now(), 0, 'floor');
SELECT count(*) FROM unnest('{ann,phone}'::text[]) n, o2o.identity_resolve(ARRAY['card:' || n]::o2o.identifier[], 'pos', n, now()) r;
SELECT o2o.customer_merge('card:ann', 'card:phone', 'one person') IS NOT NULL AS merged;
SELECT balance FROM o2o.points_earn('card:ann', 100, 'club', occurred_at => '2020-01-10');
SELECT balance FROM o2o.points_earn('card:phone', 50, 'club', occurred_at => '2021-01-10');

-- 110 of both profiles at 0.333 are 36.63: 36.6 to the profile that asked. They never expire there.
SELECT received, from_balance, to_balance FROM o2o.points_exchange('card:phone', 110, 'club', 'miles', idempotency_key => 'x1');
SELECT received, from_balance, to_balance FROM o2o.points_exchange('card:phone', 110, 'club', 'miles', idempotency_key => 'x1') AS replay;
SELECT * FROM pg_temp.lots;
-- And the other way: 6.3 at 2.5 are 15.75, half up 16.
SELECT received, from_balance, to_balance FROM o2o.points_exchange('card:ann', '6.3', 'miles', 'club');
-- Back again: the second first, since the first needs all of its 36.6.
SELECT pg_temp.try($$SELECT o2o.points_exchange_reverse((SELECT min(transfer_id) FROM o2o.points_exchanged), 'mistake')$$);
SELECT from_balance, to_balance FROM o2o.points_exchange_reverse((SELECT max(transfer_id) FROM o2o.points_exchanged), 'mistake');
SELECT from_balance, to_balance FROM o2o.points_exchange_reverse((SELECT min(transfer_id) FROM o2o.points_exchanged), 'mistake', 'b1');
SELECT from_balance, to_balance FROM o2o.points_exchange_reverse((SELECT min(transfer_id) FROM o2o.points_exchanged), 'mistake', 'b1') AS replay;
SELECT * FROM pg_temp.lots;
SELECT from_program, to_program, given, received, trim_scale(rate) AS rate, reversed_at IS NOT NULL AS reversed FROM o2o.points_exchanged ORDER BY transfer_id;
-- What was owed is repaid by what comes in. 10 of 30 miles were spent, 30 are taken back: 10 are owed; 90 points are 29.9 miles, of which 19.9 stay.
SELECT balance FROM o2o.points_earn('card:ann', 30, 'miles', reference => 'm1');
SELECT balance FROM o2o.points_burn('card:ann', 10, 'miles');
SELECT taken, owed, balance FROM o2o.points_clawback(o2o.points_transfer_find('card:ann', 'm1', 'miles', 'earn'));
SELECT received, to_balance FROM o2o.points_exchange('card:ann', 90, 'club', 'miles');
-- Both or nothing: the reserve of the other program does not cover them, so nothing was taken here.
SELECT pg_temp.try($$SELECT o2o.points_exchange('card:ann', 5, 'miles', 'backed')$$);
SELECT program, balance FROM o2o.points_balance('card:ann');
SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.points_exchange('card:ann', 61, 'club', 'miles')$$,
	$$SELECT o2o.points_exchange('card:ann', '0.1', 'miles', 'backed')$$,
	$$SELECT o2o.points_exchange('card:ann', 1, 'backed', 'club')$$,
	$$SELECT o2o.points_exchange('card:ann', 1, 'club', 'backed')$$,
	$$SELECT o2o.points_exchange('card:ann', 1, 'club', 'none')$$,
	$$SELECT o2o.points_exchange('card:ann', '0.5', 'club', 'miles')$$,
	$$SELECT o2o.points_exchange('card:nobody', 1, 'club', 'miles')$$,
	$$SELECT o2o.points_exchange('card:ann', 1, 'club', 'miles', idempotency_key => 'x1')$$,
	$$SELECT o2o.points_exchange_reverse(0, 'why')$$,
	$$SELECT o2o.points_exchange_reverse((SELECT min(transfer_id) FROM o2o.points_exchanged), 'again')$$,
	$$SELECT o2o.points_exchange_reverse(0, '')$$,
	$$SELECT o2o.points_refund((SELECT max(transfer_id) FROM o2o.points_exchanged))$$]) q;
SELECT * FROM o2o.points_verify();
\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_exchange;
DROP ROLE o2o_points_exchange_owner;
