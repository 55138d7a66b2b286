-- Defects that other loyalty systems had, each as a test of ours. Races of twenty
-- gifts, of expiry and burns, and serialization failures are isolation tests:
-- points_crowd, points_expire, points_refund, points_calls.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_defects;
CREATE DATABASE o2o_points_defects;
\c o2o_points_defects
SET client_min_messages = warning;
CREATE ROLE o2o_points_defects_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_defects_owner;
CALL o2o.setup(owner => 'o2o_points_defects_owner');
RESET client_min_messages;
SET ROLE o2o_points_defects_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;

-- What a statement answers, or its error with SQLSTATE and detail; numbers of holds are not told.
CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text; detail text;
BEGIN
	EXECUTE query INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || concat_ws(' | ', SQLERRM, regexp_replace(nullif(detail, ''), '(Hold|Transfer) \d+', '\1 N'));
END $$;

SELECT o2o.points_program_create('club', 'Club', 'CNY', points_per_unit => 1, value_per_point => 0.1, clawback_policy => 'available');
SELECT o2o.points_program_create('short', 'Short', 'CNY', expires_after => '10 days', expires_round => 'none');
SELECT outcome FROM o2o.identity_resolve('{card:ann}', 'pos', 'e1', now());
SELECT outcome FROM o2o.identity_resolve('{card:bob}', 'pos', 'e2', now());
SELECT count(*) FROM o2o.source_register('till', 'Till', 'pos', 'CN');

-- A return does not take back what the order earned, so that points have no end; or takes it back twice.
SELECT balance FROM o2o.points_adjust('card:ann', 100, 'club', 'welcome');
SELECT points_earned, points_balance FROM o2o.order_place('["card:ann"]', '[{"sku": "cup", "name": "Cup", "unit_price": 50}]', 'till', '1', 'pos',
	points_program => 'club', points_burn => 100);
-- (No points on the part paid by points: 50 - 100 * 0.1 = 40.)
SELECT refunded FROM o2o.points_refund(o2o.points_transfer_find('card:ann', 'order/till/1', 'club'), 50);
SELECT taken FROM o2o.points_clawback(o2o.points_transfer_find('card:ann', 'order/till/1', 'club', 'earn'), 20);
SELECT refunded FROM o2o.points_refund(o2o.points_transfer_find('card:ann', 'order/till/1', 'club'));
SELECT taken, balance FROM o2o.points_clawback(o2o.points_transfer_find('card:ann', 'order/till/1', 'club', 'earn'));
SELECT pg_temp.try($$SELECT o2o.points_refund(o2o.points_transfer_find('card:ann', 'order/till/1', 'club'))$$);
SELECT pg_temp.try($$SELECT o2o.points_clawback(o2o.points_transfer_find('card:ann', 'order/till/1', 'club', 'earn'))$$);
-- Buying and returning ten times leaves what there was.
DO $$
BEGIN
	FOR i IN 2 .. 11 LOOP
		PERFORM o2o.order_place('["card:ann"]', '[{"sku": "cup", "unit_price": 50}]', 'till', i::text, 'pos', points_program => 'club', points_burn => 100);
		PERFORM o2o.points_clawback(o2o.points_transfer_find('card:ann', 'order/till/' || i, 'club', 'earn'));
		PERFORM o2o.points_refund(o2o.points_transfer_find('card:ann', 'order/till/' || i, 'club'));
	END LOOP;
END $$;
SELECT balance, available FROM o2o.points_balance('card:ann');

-- Expired and not swept: spendable.
SELECT balance FROM o2o.points_earn('card:bob', 70, 'short', occurred_at => now() - interval '11 days');
SELECT pg_temp.try($$SELECT o2o.points_burn('card:bob', 1, 'short')$$), pg_temp.try($$SELECT o2o.points_transfer('card:bob', 'card:ann', 1, 'short')$$),
	pg_temp.try($$SELECT o2o.points_hold('card:bob', 1, 'short')$$);

-- A spent lot expires, and the balance collapses: what was spent is counted once more.
BEGIN;
SELECT balance FROM o2o.points_earn('card:ann', 100, 'short', occurred_at => now() - interval '10 days' + interval '100 milliseconds');
SELECT balance FROM o2o.points_burn('card:ann', 90, 'short');
COMMIT;
SELECT balance FROM o2o.points_earn('card:ann', 50, 'short');
SELECT FROM pg_sleep(0.11);
SELECT balance, available FROM o2o.points_balance('card:ann') WHERE program = 'short';
SELECT o2o.points_expire() > 0 AS swept;
SELECT balance, available FROM o2o.points_balance('card:ann') WHERE program = 'short';

-- Redeeming for ever, because what is checked and what is taken are different rows: points that came by each way are spent once.
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at)
SELECT 1, i.profile_id, 'club', o.operation, 10, now() - interval '1 day' FROM o2o.profile_identifier i, unnest('{opening,earn}'::text[]) o (operation) WHERE i.identifier = 'card:bob';
SELECT o2o.points_import(1);
SELECT balance FROM o2o.points_earn('card:bob', 10, 'club');
SELECT balance FROM o2o.points_adjust('card:bob', 10, 'club', 'goodwill');
SELECT balance FROM o2o.points_transfer('card:ann', 'card:bob', 10, 'club');
SELECT points_earned FROM o2o.order_place('["card:bob"]', '[{"sku": "cup", "unit_price": 10}]', 'till', '20', 'pos', points_program => 'club');
DO $$
DECLARE
	burned integer := 0;
BEGIN
	LOOP
		BEGIN
			PERFORM o2o.points_burn('card:bob', 7, 'club', reference => burned::text);
			burned := burned + 7;
		EXCEPTION WHEN SQLSTATE 'O2301' THEN
			RAISE INFO 'burned % of 60', burned;
			RETURN;
		END;
	END LOOP;
END $$;
SELECT balance, available FROM o2o.points_balance('card:bob') WHERE program = 'club';
SELECT * FROM o2o.points_verify();

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_defects;
DROP ROLE o2o_points_defects_owner;
