-- No call on a person or a transfer reads a whole table of the ledger, however it
-- is planned: with sequential scans priced out, whoever makes one has no index for it.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_plan;
CREATE DATABASE o2o_points_plan;
\c o2o_points_plan
SET client_min_messages = warning;
CREATE ROLE o2o_plan_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_plan_owner;
CALL o2o.setup(owner => 'o2o_plan_owner');
\set SHOW_CONTEXT never

SELECT o2o.points_program_create('club', 'Club', 'CNY', expires_after => '1 year');
SELECT o2o.points_program_create('owing', 'Owing', 'CNY', clawback_policy => 'debt', refund_grace => '1 month');
SELECT o2o.points_program_create('miles', 'Miles', 'CNY');
INSERT INTO o2o.points_exchange_rate (from_program, to_program, valid_from, rate) VALUES ('club', 'miles', '2020-01-01 00:00+00', 2);
SELECT count(*) FROM generate_series(1, 9) i, o2o.identify(format('["card:%s"]', i)::jsonb, 'pos');
SELECT count(*) FROM o2o.identify('["card:1", "card:2"]', 'pos');
SELECT count(o2o.points_seller_open('card:9', 'club'));
SELECT count(o2o.points_partner_open('card:8', 'bank', 'club'));
CREATE TABLE made (name text PRIMARY KEY, id bigint);
CREATE FUNCTION made(name text) RETURNS bigint LANGUAGE sql AS $$ SELECT id FROM made WHERE made.name = $1 $$;
INSERT INTO made
SELECT 'earn', transfer_id FROM o2o.points_earn('card:1', 1000, 'club')
UNION ALL SELECT 'earn ' || g, transfer_id FROM generate_series(1, 4) g, o2o.points_earn('card:2', 100, 'owing', g::text)
UNION ALL SELECT 'burn', transfer_id FROM o2o.points_burn('card:1', 100, 'club')
UNION ALL SELECT 'burn 2', transfer_id FROM o2o.points_burn('card:1', 100, 'club', 'r1')
UNION ALL SELECT 'pay', transfer_id FROM o2o.points_pay('card:1', 'card:9', 20, 'club')
UNION ALL SELECT 'hold', hold_id FROM o2o.points_hold('card:1', 50, 'club')
UNION ALL SELECT 'hold 2', hold_id FROM o2o.points_hold('card:1', 50, 'club')
UNION ALL SELECT 'pending', transfer_id FROM o2o.points_earn('card:1', 10, 'club', activate_at => 'infinity')
UNION ALL SELECT 'exchange', transfer_id FROM o2o.points_exchange('card:1', 20, 'club', 'miles')
UNION ALL SELECT 'pool', o2o.points_pool_open('card:1', 'club', 'Family');

CREATE TABLE calls (n integer GENERATED ALWAYS AS IDENTITY, call text);
INSERT INTO calls (call) VALUES
	($$points_earn('card:1', 10, 'club', idempotency_key => 'k1')$$), ($$points_earn('card:1', 10, 'club')$$), ($$points_earn('card:1', 10, 'club', activate_at => 'infinity')$$),
	($$points_earn('card:3', 10, 'club', occurred_at => now() - interval '2 years')$$), ($$points_burn('card:2', 10, 'club')$$), ($$points_burn('card:2', 10, 'club', idempotency_key => 'k2')$$),
	($$points_transfer('card:1', 'card:3', 10, 'club')$$), ($$points_pay('card:1', 'card:9', 10, 'club')$$), ($$points_hold('card:2', 10, 'club')$$),
	($$points_capture(made('hold'), 5)$$), ($$points_void(made('hold 2'))$$), ($$points_activate(made('pending'))$$),
	($$points_refund(made('burn'), 5)$$), ($$points_refund(made('pay'), 5)$$), ($$points_reverse(made('burn 2'), 'why')$$),
	($$points_clawback(made('earn 1'), 5)$$), ($$points_reverse(made('earn 2'), 'why')$$), ($$points_burn('card:1', 250, 'owing')$$), ($$points_clawback(made('earn 3'))$$), ($$points_clawback(made('earn 4'))$$),
	($$points_earn('card:2', 300, 'owing')$$), ($$points_adjust('card:1', -5, 'club', 'why')$$), ($$points_adjust('card:1', 5, 'club', 'why')$$),
	($$points_settle('card:9', 'club', 5)$$), ($$points_seller_balance('card:9', 'club')$$), ($$points_partner_fund('bank', 'club', 50)$$), ($$points_earn('card:1', 10, 'club', funding => 'partner:bank')$$),
	($$points_exchange('card:1', 10, 'club', 'miles')$$), ($$points_exchange_reverse(made('exchange'), 'why')$$),
	($$points_pool_put('card:1', made('pool'), 10)$$), ($$points_pool_spend('card:1', made('pool'), 5)$$), ($$points_pool_balance(made('pool'))$$), ($$points_pool_leave('card:1', made('pool'))$$),
	($$points_balance('card:1')$$), ($$points_balance_at('card:1', now())$$), ($$points_statement('card:1', 'club')$$), ($$points_transfer_find('card:1', 'r1', 'club')$$),
	($$points_expire()$$), ($$points_close('card:3', 'club', 'why', 'forfeit')$$), ($$points_reopen('card:3', 'club')$$), ($$points_prove(1, 1, 1)$$),
	($$points_post_many('{earn,burn}', ARRAY[o2o.customer_lookup('card:1'::o2o.identifier), o2o.customer_lookup('card:1'::o2o.identifier)], '{5,5}', '{club,club}')$$),
	($$points_post_many('{refund,earn}', ARRAY[NULL, o2o.customer_lookup('card:1'::o2o.identifier)], '{1,5}', '{NULL,club}', transfer_ids => ARRAY[made('burn'), NULL])$$);
CREATE TABLE seen (call text, whole_table text);
CREATE PROCEDURE look() LANGUAGE plpgsql AS $$
DECLARE
	c record;
	answered text;
BEGIN
	FOR c IN SELECT * FROM calls ORDER BY n LOOP
		CREATE TEMP TABLE before AS SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE schemaname = 'o2o';
		answered := '';
		BEGIN
			EXECUTE 'SELECT count(*) FROM o2o.' || c.call;
		EXCEPTION WHEN OTHERS THEN
			answered := ' ' || SQLSTATE;
		END;
		INSERT INTO seen
		SELECT c.call || answered, string_agg(t.relname, ', ' ORDER BY t.relname)
		FROM pg_stat_xact_user_tables t JOIN before b USING (relname)
		WHERE t.schemaname = 'o2o' AND t.seq_scan > b.seq_scan
			AND t.relname IN ('points_posting', 'points_lot', 'points_account', 'points_hold', 'points_hold_part', 'points_exchanged', 'request', 'profile', 'profile_identifier', 'customer');
		DROP TABLE before;
	END LOOP;
END $$;
SET enable_seqscan = off;
CALL look();
RESET enable_seqscan;
SELECT call, whole_table FROM seen WHERE whole_table IS NOT NULL OR call ~ ' [0-9A-Z]{5}$' ORDER BY call COLLATE "C";
SELECT count(*) FROM seen;
SELECT * FROM o2o.points_verify();

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_plan;
DROP ROLE o2o_plan_owner;
