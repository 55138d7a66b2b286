-- The SQLSTATEs in the comments of the points functions: each that is named can be
-- provoked, and what these calls meet is named.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_errors;
CREATE DATABASE o2o_points_errors;
\c o2o_points_errors
SET client_min_messages = warning;
CREATE ROLE o2o_errors_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_errors_owner;
CALL o2o.setup(owner => 'o2o_errors_owner');
\set SHOW_CONTEXT never

SELECT o2o.points_program_create('club', 'Club', 'CNY');
SELECT o2o.points_program_create('miles', 'Miles', 'CNY');
SELECT o2o.points_program_create('backed', 'Backed', 'CNY', reserve_policy => 'enforce');
SELECT o2o.points_program_create('huge', 'Huge', 'CNY');
SELECT o2o.points_program_create('strict', 'Strict', 'CNY', clawback_policy => 'available');
INSERT INTO o2o.points_exchange_rate (from_program, to_program, valid_from, rate) VALUES ('club', 'miles', '2020-01-01 00:00+00', 0.001), ('club', 'backed', '2020-01-01 00:00+00', 1);
INSERT INTO o2o.points_reward_rule (program, kind, sharer_points, referee_points) VALUES ('club', 'referral', 10, 5), ('backed', 'referral', 10, 5);
INSERT INTO o2o.points_tier_rule (program) VALUES ('club');
INSERT INTO o2o.points_tier_level (program, tier, rank, name, qualifying_points) VALUES ('club', 'silver', 1, 'Silver', 100);
SELECT count(*) FROM generate_series(1, 19) i, o2o.identify(format('["card:%s"]', i)::jsonb, 'pos');
CREATE TABLE made (name text PRIMARY KEY, id bigint);
CREATE FUNCTION made(name text) RETURNS bigint LANGUAGE sql AS $$ SELECT id FROM made WHERE made.name = $1 $$;
INSERT INTO made
SELECT 'earn', transfer_id FROM o2o.points_earn('card:1', 2000, 'club', 'twice')
UNION ALL SELECT 'gone', transfer_id FROM o2o.points_earn('card:1', 10, 'club', 'twice')
UNION ALL SELECT 'burn', transfer_id FROM o2o.points_burn('card:1', 10, 'club')
UNION ALL SELECT 'refunded', transfer_id FROM o2o.points_burn('card:1', 10, 'club')
UNION ALL SELECT 'gift', transfer_id FROM o2o.points_transfer('card:1', 'card:3', 10, 'club')
UNION ALL SELECT 'hold', hold_id FROM o2o.points_hold('card:1', 10, 'club')
UNION ALL SELECT 'over', hold_id FROM o2o.points_hold('card:1', 10, 'club')
UNION ALL SELECT 'pending', transfer_id FROM o2o.points_earn('card:1', 10, 'club', activate_at => 'infinity')
UNION ALL SELECT 'active', transfer_id FROM o2o.points_earn('card:1', 10, 'club', activate_at => 'infinity')
UNION ALL SELECT 'exchange', transfer_id FROM o2o.points_exchange('card:1', 1000, 'club', 'miles')
UNION ALL SELECT 'pool', o2o.points_pool_open('card:1', 'club', 'Family')
UNION ALL SELECT 'closed pool', o2o.points_pool_open('card:1', 'club', 'Friends')
UNION ALL SELECT 'budget', o2o.points_budget_create('club', 'Autumn', 100);
INSERT INTO made SELECT 'pending hold', hold_id FROM o2o.points_hold WHERE kind = 'pending' AND transfer_id = made('pending');
SELECT count(*) FROM o2o.points_void(made('over'));
SELECT count(*) FROM o2o.points_activate(made('active'));
SELECT count(*) FROM o2o.points_refund(made('refunded'));
SELECT count(*) FROM o2o.points_clawback(made('gone'));
SELECT count(*) FROM o2o.points_pool_close(made('closed pool'));
SELECT count(*) FROM o2o.points_pool_put('card:1', made('pool'), 5);
SELECT count(*) FROM o2o.points_earn('card:18', 1000, 'club');
INSERT INTO made SELECT 'undone', transfer_id FROM o2o.points_exchange('card:18', 1000, 'club', 'miles');
SELECT count(*) FROM o2o.points_exchange_reverse(made('undone'), 'why');
SELECT count(*) FROM o2o.points_burn('card:1', 1, 'miles');
SELECT count(o2o.points_seller_open('card:9', 'club')), count(o2o.points_seller_open('card:8', 'club'));
INSERT INTO made SELECT 'paid', transfer_id FROM o2o.points_pay('card:1', 'card:9', 10, 'club');
SELECT count(*) FROM o2o.points_settle('card:9', 'club', 8);
SELECT count(o2o.points_seller_close('card:8', 'club'));
SELECT count(o2o.points_partner_open('card:7', 'bank', 'club')), count(o2o.points_partner_open('card:6', 'shut', 'club')), count(o2o.points_partner_open('card:5', 'credit', 'club', 'postpaid', 100));
SELECT count(*) FROM o2o.points_partner_fund('bank', 'club', 10);
SELECT count(*) FROM o2o.points_earn('card:1', 10, 'club', funding => 'partner:credit');
SELECT count(*) FROM o2o.points_partner_fund('shut', 'club', 5);
INSERT INTO made SELECT 'shut', transfer_id FROM o2o.points_earn('card:1', 5, 'club', funding => 'partner:shut');
SELECT count(o2o.points_partner_close('shut', 'club'));
SELECT count(*) FROM o2o.points_clawback(made('shut'));
SELECT count(*) FROM o2o.points_earn('card:16', 1, 'club');
SELECT count(*) FROM o2o.points_close('card:16', 'club', 'gone', 'forfeit');
-- One who had dealings before, and whose accounts are closed now.
SELECT count(*) FROM o2o.points_earn('card:17', 1000, 'club'), o2o.points_pool_join('card:17', made('pool'));
INSERT INTO made
SELECT 'his earn', max(transfer_id) FROM o2o.points_posting
UNION ALL SELECT 'his burn', transfer_id FROM o2o.points_burn('card:17', 100, 'club')
UNION ALL SELECT 'his reward', o.reward_id FROM o2o.points_reward('card:17', 'card:19', 'club') r, LATERAL (SELECT max(reward_id) AS reward_id FROM o2o.points_reward) o
UNION ALL SELECT 'his clawback', clawback_transfer_id FROM o2o.points_clawback((SELECT max(p.transfer_id) FROM o2o.points_posting p), 1);
SELECT count(*) FROM o2o.points_pool_put('card:17', made('pool'), 5);
SELECT count(*) FROM o2o.points_close('card:17', 'club', 'gone', 'forfeit');
SELECT o2o.points_chain_set('strict', true);
SELECT count(*) FROM o2o.points_earn('card:15', 1, 'strict');
SELECT o2o.points_chain_set('strict', false);
SELECT count(*) FROM o2o.points_earn('card:15', '922337203685476', 'huge');
SELECT count(*) FROM o2o.points_reward('card:1', 'card:12', 'club');
INSERT INTO made SELECT 'reward', max(reward_id) FROM o2o.points_reward;
SELECT count(*) FROM o2o.points_reward('card:1', 'card:13', 'club');
INSERT INTO made SELECT 'clawed reward', max(reward_id) FROM o2o.points_reward;
SELECT count(*) FROM o2o.points_posting p, o2o.points_clawback(p.transfer_id) c WHERE p.operation = 'earn' AND p.profile_id = o2o.customer_lookup('card:13'::o2o.identifier);
SELECT count(*) FROM o2o.points_reward_decide(made('reward'), true, 'why');
-- card:10 spent points of card:11.
SELECT count(*) FROM o2o.points_earn('card:10', 100, 'club') a, o2o.points_earn('card:11', 100, 'club') b;
SELECT count(o2o.customer_merge('card:10', 'card:11', 'twins'));
SELECT count(*) FROM o2o.points_burn('card:10', 150, 'club');
SELECT count(*) FROM o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'no twins');
SELECT count(*) FROM o2o.points_snapshot_take();
-- The key 'used' belongs to another call.
SELECT count(*) FROM o2o.points_earn('card:2', 1, 'club', idempotency_key => 'used', reason => 'the first');

CREATE TABLE calls (n integer GENERATED ALWAYS AS IDENTITY, call text);
INSERT INTO calls (call) VALUES
	($$points_earn('card:none', 1, 'club')$$), ($$points_earn('card:1', 1, 'none')$$), ($$points_earn('card:1', 0, 'club')$$), ($$points_earn('card:1', NULL, 'club')$$), ($$points_earn('card:1', '0.5', 'club')$$),
	($$points_earn('card:1', 1, 'backed')$$), ($$points_earn('card:1', 1, 'club', funding => 'partner:none')$$), ($$points_earn('card:1', 11, 'club', funding => 'partner:bank')$$),
	($$points_earn('card:1', 1, 'club', occurred_at => 'infinity')$$), ($$points_earn('card:1', 1, 'club', occurred_at => now() + interval '2 days')$$), ($$points_earn('card:1', 1, 'club', funding => NULL)$$),
	($$points_earn('card:16', 1, 'club')$$), ($$points_earn('card:1', 1, 'club', funding => 'partner:shut')$$), ($$points_earn(NULL::o2o.identifier, 1, 'club')$$), ($$points_earn(-5, 1, 'club')$$), ($$points_earn('card:15', '922337203685476', 'huge')$$),
	($$points_earn('card:1', 1, 'club', idempotency_key => '')$$),
	($$points_burn('card:none', 1, 'club')$$), ($$points_burn('card:1', 1, 'none')$$), ($$points_burn('card:1', -1, 'club')$$), ($$points_burn('card:1', '0.5', 'club')$$), ($$points_burn('card:2', 10, 'club')$$), ($$points_burn('card:16', 1, 'club')$$),
	($$points_burn(NULL::bigint, 1, 'club')$$), ($$points_burn('card:1', 1, 'club', idempotency_key => '')$$),
	($$points_transfer('card:none', 'card:1', 1, 'club')$$), ($$points_transfer('card:1', 'card:none', 1, 'club')$$), ($$points_transfer('card:1', 'card:1', 1, 'club')$$), ($$points_transfer('card:1', 'card:2', 1, 'none')$$),
	($$points_transfer('card:1', 'card:2', 0, 'club')$$), ($$points_transfer('card:1', 'card:2', '0.5', 'club')$$), ($$points_transfer('card:2', 'card:1', 10, 'club')$$), ($$points_transfer('card:1', 'card:16', 1, 'club')$$),
	($$points_transfer('card:1', NULL, 1, 'club')$$),
	($$points_pay('card:none', 'card:9', 1, 'club')$$), ($$points_pay('card:1', 'card:none', 1, 'club')$$), ($$points_pay('card:1', 'card:2', 1, 'club')$$), ($$points_pay('card:1', 'card:9', 1, 'none')$$), ($$points_pay('card:1', 'card:9', 0, 'club')$$),
	($$points_pay('card:1', 'card:9', '0.5', 'club')$$), ($$points_pay('card:2', 'card:9', 10, 'club')$$), ($$points_pay('card:9', 'card:9', 1, 'club')$$), ($$points_pay('card:1', 'card:8', 1, 'club')$$), ($$points_pay('card:1', NULL, 1, 'club')$$),
	($$points_settle('card:none', 'club')$$), ($$points_settle('card:1', 'club')$$), ($$points_settle('card:9', 'club', 3)$$), ($$points_settle('card:9', 'club', 0)$$), ($$points_settle('card:9', 'club', '0.5')$$), ($$points_settle('card:9', 'none')$$),
	($$points_hold('card:none', 1, 'club')$$), ($$points_hold('card:1', 1, 'none')$$), ($$points_hold('card:1', 0, 'club')$$), ($$points_hold('card:1', '0.5', 'club')$$), ($$points_hold('card:2', 10, 'club')$$), ($$points_hold('card:1', 1, 'club', expires_at => now())$$),
	($$points_hold('card:1', 1, 'club', expires_at => 'infinity')$$), ($$points_hold('card:16', 1, 'club')$$), ($$points_hold(NULL::bigint, 1, 'club')$$),
	($$points_capture(0)$$), ($$points_capture(NULL)$$), ($$points_capture(made('over'))$$), ($$points_capture(made('hold'), 11)$$), ($$points_capture(made('hold'), 0)$$), ($$points_capture(made('hold'), '0.5')$$), ($$points_capture(made('pending hold'))$$),
	($$points_void(0)$$), ($$points_void(made('over'))$$), ($$points_void(made('pending hold'))$$),
	($$points_activate(made('earn'))$$), ($$points_activate(NULL)$$), ($$points_activate(made('active'))$$),
	($$points_refund(0)$$), ($$points_refund(NULL)$$), ($$points_refund(made('earn'))$$), ($$points_refund(made('refunded'))$$), ($$points_refund(made('burn'), 11)$$), ($$points_refund(made('burn'), 0)$$), ($$points_refund(made('burn'), '0.5')$$), ($$points_refund(made('paid'))$$),
	($$points_clawback(0)$$), ($$points_clawback(made('burn'))$$), ($$points_clawback(made('gone'))$$), ($$points_clawback(made('earn'), 2001)$$), ($$points_clawback(made('earn'), 0)$$), ($$points_clawback(made('earn'), '0.5')$$),
	($$points_adjust('card:none', 1, 'club', 'why')$$), ($$points_adjust('card:1', 1, 'none', 'why')$$), ($$points_adjust('card:1', 0, 'club', 'why')$$), ($$points_adjust('card:1', '0.5', 'club', 'why')$$), ($$points_adjust('card:1', -1, 'strict', 'why')$$),
	($$points_adjust('card:1', 1, 'backed', 'why')$$), ($$points_adjust('card:1', 1, 'club', '')$$), ($$points_adjust('card:16', 1, 'club', 'why')$$), ($$points_adjust('card:15', '922337203685476', 'huge', 'why')$$),
	($$points_reverse(0, 'why')$$), ($$points_reverse(made('gone'), 'why')$$), ($$points_reverse(made('gift'), 'why')$$), ($$points_reverse(made('burn'), '')$$), ($$points_reverse(made('paid'), 'why')$$),
	($$points_exchange('card:none', 1000, 'club', 'miles')$$), ($$points_exchange('card:1', 1, 'none', 'miles')$$), ($$points_exchange('card:1', 1, 'club', 'none')$$), ($$points_exchange('card:1', 1, 'miles', 'club')$$), ($$points_exchange('card:1', 0, 'club', 'miles')$$),
	($$points_exchange('card:1', 1, 'club', 'miles')$$), ($$points_exchange('card:1', '0.5', 'club', 'miles')$$), ($$points_exchange('card:2', 1000, 'club', 'miles')$$), ($$points_exchange('card:1', 1, 'club', 'backed')$$),
	($$points_exchange_reverse(0, 'why')$$), ($$points_exchange_reverse(made('undone'), 'why')$$), ($$points_exchange_reverse(made('exchange'), '')$$), ($$points_exchange_reverse(made('exchange'), 'why')$$),
	($$points_pool_open('card:none', 'club', 'X')$$), ($$points_pool_open('card:1', 'none', 'X')$$), ($$points_pool_open('card:1', 'club', 'X', 'never')$$), ($$points_pool_open('card:1', 'club', NULL)$$),
	($$points_pool_join('card:none', made('pool'))$$), ($$points_pool_join('card:2', 0)$$), ($$points_pool_join('card:2', made('closed pool'))$$),
	($$points_pool_put('card:none', made('pool'), 1)$$), ($$points_pool_put('card:1', 0, 1)$$), ($$points_pool_put('card:2', made('pool'), 1)$$), ($$points_pool_put('card:1', made('pool'), 0)$$), ($$points_pool_put('card:1', made('pool'), '0.5')$$), ($$points_pool_put('card:1', made('pool'), 99999)$$),
	($$points_pool_spend('card:none', made('pool'), 1)$$), ($$points_pool_spend('card:1', 0, 1)$$), ($$points_pool_spend('card:2', made('pool'), 1)$$), ($$points_pool_spend('card:1', made('pool'), 0)$$), ($$points_pool_spend('card:1', made('pool'), '0.5')$$), ($$points_pool_spend('card:1', made('pool'), 99999)$$),
	($$points_pool_leave('card:none', made('pool'))$$), ($$points_pool_leave('card:1', 0)$$), ($$points_pool_leave('card:2', made('pool'))$$), ($$points_pool_close(0)$$), ($$points_pool_close(made('closed pool'))$$), ($$points_pool_balance(0)$$),
	($$points_reward('card:none', 'card:2', 'club')$$), ($$points_reward('card:1', 'card:2', 'none')$$), ($$points_reward('card:1', 'card:2', 'backed')$$), ($$points_reward('card:1', 'card:1', 'club')$$), ($$points_reward('card:1', 'card:2', 'club', occurred_at => 'infinity')$$),
	($$points_reward('card:1', 'card:2', 'club', 'unknown')$$), ($$points_reward_decide(0, true, 'why')$$), ($$points_reward_decide(made('reward'), true, 'why')$$), ($$points_reward_decide(made('clawed reward'), true, 'why')$$), ($$points_reward_decide(made('clawed reward'), NULL, 'why')$$),
	($$points_qualify('card:none', 'club', 'why', 1)$$), ($$points_qualify('card:1', 'miles', 'why', 1)$$), ($$points_qualify('card:1', 'club', 'why')$$), ($$points_qualify('card:1', 'club', '', 1)$$), ($$points_qualify('card:1', 'club', 'why', 1, occurred_at => 'infinity')$$),
	($$points_compensate('card:none', 'card:11', 'club', 'why')$$), ($$points_compensate('card:10', 'card:11', 'club', 'why', 0)$$), ($$points_compensate('card:10', 'card:11', 'club', 'why', '0.5')$$), ($$points_compensate('card:10', 'card:11', 'club', 'why', 51)$$),
	($$points_compensate('card:10', 'card:11', 'club', 'why')$$), ($$points_compensate('card:10', 'card:11', 'club', '')$$), ($$points_cross_draw('card:none', 'card:1')$$),
	($$points_close('card:none', 'club', 'why')$$), ($$points_close('card:1', 'none', 'why')$$), ($$points_close('card:3', 'club', 'why')$$), ($$points_close('card:1', 'club', 'why', 'forfeit')$$), ($$points_close('card:3', 'club', 'why', 'burn')$$), ($$points_close('card:3', 'club', '')$$),
	($$points_close('card:3', 'club', 'why', 'transfer', 'card:16')$$), ($$points_close('card:3', 'club', 'why', 'transfer', 'card:3')$$), ($$points_reopen('card:none', 'club')$$),
	($$points_seller_open('card:none', 'club')$$), ($$points_seller_open('card:1', 'none')$$), ($$points_seller_close('card:none', 'club')$$), ($$points_seller_close('card:1', 'club')$$), ($$points_seller_close('card:9', 'club')$$), ($$points_seller_balance('card:none', 'club')$$), ($$points_seller_balance('card:1', 'club')$$),
	($$points_partner_open('card:none', 'x', 'club')$$), ($$points_partner_open('card:2', 'bank', 'club')$$), ($$points_partner_open('card:7', 'other', 'club')$$), ($$points_partner_open('card:2', 'x', 'none')$$), ($$points_partner_open('card:2', 'x', 'club', credit_limit => 1)$$), ($$points_partner_open('card:2', 'x', 'club', 'sometimes')$$),
	($$points_partner_fund('none', 'club', 1)$$), ($$points_partner_fund('bank', 'club', 0)$$), ($$points_partner_fund('bank', 'club', '0.5')$$), ($$points_partner_fund('shut', 'club', 1)$$),
	($$points_partner_withdraw('none', 'club', 1)$$), ($$points_partner_withdraw('bank', 'club', 0)$$), ($$points_partner_withdraw('bank', 'club', '0.5')$$), ($$points_partner_withdraw('bank', 'club', 11)$$),
	($$points_partner_limit('none', 'club', 1)$$), ($$points_partner_limit('credit', 'club', 9)$$), ($$points_partner_limit('bank', 'club', 1)$$), ($$points_partner_balance('none', 'club')$$), ($$points_partner_close('none', 'club')$$), ($$points_partner_close('bank', 'club')$$), ($$points_partner_reopen('none', 'club')$$),
	($$points_budget_create('none', 'X', 1)$$), ($$points_budget_create('club', 'X', 0)$$), ($$points_budget_create('club', 'X', '0.5')$$), ($$points_budget_create('club', 'X', 1, stripes => 0)$$), ($$points_budget_create('club', 'X', 1, 'partner:x')$$),
	($$points_budget_change(0, 1, 'why')$$), ($$points_budget_change(made('budget'), -101, 'why')$$), ($$points_budget_change(made('budget'), 0, 'why')$$), ($$points_budget_change(made('budget'), '0.5', 'why')$$), ($$points_budget_change(made('budget'), 1, '')$$),
	($$points_reserve_deposit('none', 1, 'why')$$), ($$points_reserve_deposit('club', 0, 'why')$$), ($$points_reserve_deposit('club', 1, '')$$), ($$points_reserve_withdraw('none', 1, 'why')$$), ($$points_reserve_withdraw('club', 0, 'why')$$), ($$points_reserve_withdraw('club', 1, 'why')$$), ($$points_reserve_withdraw('club', 1, '')$$),
	($$points_reserve_set('none', 'warn')$$), ($$points_reserve_set('club', 'maybe')$$), ($$points_reserve_set('club', NULL)$$),
	($$points_program_create('club', 'X', 'CNY')$$), ($$points_program_create('new', 'X', 'XXX')$$), ($$points_program_create('New', 'X', 'CNY')$$), ($$points_program_create('new', 'X', 'CNY', 'Nowhere/Town')$$), ($$points_program_create('new', 'X', 'CNY', expires_after => '-1 day')$$), ($$points_program_create('new', NULL, 'CNY')$$),
	($$points_exchange('card:1', 1000, 'miles', 'club')$$), ($$points_refund(made('his burn'))$$), ($$points_clawback(made('his earn'), 5)$$), ($$points_reverse(made('his earn'), 'why')$$), ($$points_reverse(made('his burn'), 'why')$$), ($$points_reverse(made('his clawback'), 'why')$$),
	($$points_pool_put('card:17', made('pool'), 1)$$), ($$points_pool_leave('card:17', made('pool'))$$), ($$points_pool_close(made('pool'))$$), ($$points_reward('card:17', 'card:4', 'club')$$), ($$points_reward('card:4', 'card:17', 'club')$$), ($$points_reward_decide(made('his reward'), true, 'why')$$),
	($$points_settle('card:8', 'club', 1)$$), ($$points_partner_withdraw('shut', 'club', 1)$$), ($$points_chain_set('strict', true)$$), ($$points_chain_set('none', true)$$), ($$points_chain_set('club', NULL)$$), ($$points_prove(1, 1, 1)$$), ($$points_snapshot_drop(0)$$), ($$points_verify('none')$$), ($$points_verify(since => 0)$$), ($$points_system_balance('none')$$), ($$points_reconcile('none')$$),
	($$points_balance('card:none')$$), ($$points_balance_at('card:none', now())$$), ($$points_statement('card:none', 'club')$$), ($$points_statement('card:1', 'none')$$), ($$points_tier('card:none')$$), ($$points_transfer_find('card:none', 'x', 'club')$$),
	($$points_transfer_find('card:1', 'x', 'club')$$), ($$points_transfer_find('card:1', 'twice', 'club', 'earn')$$), ($$points_accounting('none')$$), ($$points_liability_roll('none', now(), now() + interval '1 day')$$), ($$points_liability_roll('club', now(), now())$$),
	($$points_quote('none', '[]', 'pos')$$), ($$points_quote('club', '[{"amount": -1}]', 'pos')$$), ($$points_quote_order('none', '[]', 'pos')$$), ($$points_quote_order('club', '{}', 'pos')$$), ($$points_quote_amount('none', 1)$$), ($$points_quote_amount('club', 'NaN')$$), ($$points_quote_amount('club', 1e18)$$),
	($$points_post_many('{earn}', '{1,2}', '{1}', '{club}')$$), ($$points_post_many('{earn}', '{1}', '{1}', '{club}', idempotency_keys => '{""}')$$);

-- One call more of each that takes a key: with that of another call.
INSERT INTO calls (call)
SELECT DISTINCT ON (f) regexp_replace(c.call, '\)$', ', idempotency_key => ''used'')')
FROM calls c, substring(c.call from '^\w+') f
WHERE EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = 'o2o'::regnamespace AND p.proname = f AND 'idempotency_key' = ANY (p.proargnames))
ORDER BY f, c.n;

CREATE TABLE seen (function text, state text, call text);
CREATE FUNCTION state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	-- Done after all: nothing of it stays.
	RAISE EXCEPTION 'done' USING ERRCODE = 'O2R99';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
INSERT INTO seen SELECT substring(c.call from '^\w+'), state_of('SELECT count(*) FROM o2o.' || c.call), c.call FROM calls c ORDER BY c.n;

CREATE VIEW named AS
	SELECT DISTINCT p.proname::text AS function, s.state[1] AS state
	FROM pg_proc p
		CROSS JOIN LATERAL (SELECT substring(obj_description(p.oid, 'pg_proc') from 'Errors?: .*') AS errors) d
		LEFT JOIN pg_proc q ON q.pronamespace = p.pronamespace AND q.proname = substring(d.errors from 'as (points_\w+)\(')
		CROSS JOIN LATERAL regexp_matches(concat(d.errors, substring(obj_description(q.oid, 'pg_proc') from 'Errors?: .*')), '\m(O2[0-9]{3}|22[0-9P][0-9A-Z]{2}|23[0-9]{3})\M', 'g') s (state)
	WHERE p.pronamespace = 'o2o'::regnamespace AND p.prosecdef AND p.proname LIKE 'points%';
-- What docs/errors.md says of all of them: out of range, an argument that is missing, an empty key.
SELECT state AS not_named, call FROM seen WHERE (function, state) NOT IN (SELECT n.function, n.state FROM named n)
	AND state NOT IN ('22003', '22004', '23502') AND NOT (state = '22023' AND call LIKE '%idempotency_key => '''')') ORDER BY call COLLATE "C";
SELECT function, state AS not_seen FROM named WHERE (function, state) NOT IN (SELECT s.function, s.state FROM seen s) AND function NOT IN ('points_import', 'points_opening_import') ORDER BY function COLLATE "C", state;
SELECT count(*) AS calls, count(DISTINCT function) AS functions FROM seen;
SELECT * FROM o2o.points_verify('club');

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_errors;
DROP ROLE o2o_errors_owner;
