-- Rewards for bringing somebody: once, both sides, capped, and what a merge brings to light.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_reward;
CREATE DATABASE o2o_points_reward;
\c o2o_points_reward
SET client_min_messages = warning;
CREATE ROLE o2o_points_reward_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_reward_owner;
CALL o2o.setup(owner => 'o2o_points_reward_owner');
RESET client_min_messages;
SET ROLE o2o_points_reward_owner;
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
	RETURN SQLSTATE || ' ' || concat_ws(' | ', SQLERRM, regexp_replace(nullif(detail, ''), '(Reward|Customer) \d+', '\1 N'));
END $$;
CREATE VIEW pg_temp.balances AS
	SELECT i.identifier AS person, b.balance FROM o2o.profile_identifier i, o2o.points_balance(i.identifier) b WHERE b.program = 'club' ORDER BY i.identifier;

SELECT o2o.points_program_create('club', 'Club', 'CNY', time_zone => 'Asia/Shanghai', clawback_policy => 'available');
INSERT INTO o2o.points_reward_rule (program, kind, sharer_points, referee_points, per_day, per_month, in_total) VALUES
	('club', 'referral', 50, 20, 2, 3, 4), ('club', 'share', 1, 0, NULL, NULL, NULL);
SELECT count(*) FROM unnest('{ann,bob,cid,dan,eva,fay,gus,hal}'::text[]) n, o2o.identity_resolve(ARRAY['card:' || n]::o2o.identifier[], 'pos', n, now()) r;

SELECT outcome, sharer_points, referee_points FROM o2o.points_reward('card:ann', 'card:bob', 'club', occurred_at => '2026-03-31 15:00+00', idempotency_key => 'r1');
SELECT outcome, sharer_points, referee_points FROM o2o.points_reward('card:ann', 'card:bob', 'club', occurred_at => '2026-03-31 15:00+00', idempotency_key => 'r1');
-- Once per person brought, whoever brings; sharing is another thing.
SELECT outcome, sharer_points, referee_points FROM o2o.points_reward('card:ann', 'card:bob', 'club');
SELECT outcome, sharer_points, referee_points FROM o2o.points_reward('card:cid', 'card:bob', 'club');
SELECT outcome, sharer_points, referee_points FROM o2o.points_reward('card:cid', 'card:bob', 'club', 'share');
-- Caps on the program's clock. 31 March 15:30 UTC is 23:30 there: two of that day. 16:30 is 1 April: another day and another month.
-- (Two on 31 March, the third of that day is capped. In April two more, which are four in total; then nothing more.)
SELECT v.referee, r.outcome, r.sharer_points, r.referee_points
FROM (VALUES (1, 'card:dan', '2026-03-31 15:30+00'), (2, 'card:eva', '2026-03-31 15:45+00'), (3, 'card:fay', '2026-03-31 16:30+00'), (4, 'card:gus', '2026-04-02 10:00+00'),
	(5, 'card:hal', '2026-04-03 10:00+00')) v (n, referee, at), LATERAL o2o.points_reward('card:ann', v.referee::o2o.identifier, 'club', occurred_at => v.at::timestamptz) r
ORDER BY v.n;
-- 4 x 50 = 200 for ann, 20 for each brought, 1 for sharing.
SELECT * FROM pg_temp.balances;
SELECT * FROM o2o.points_reward_review;

-- A merge brings to light: dan and eva are one, who was brought twice; ann and gus are one, who brought himself.
SELECT o2o.customer_merge('card:dan', 'card:eva', 'same phone') IS NOT NULL AS merged;
SELECT o2o.customer_merge('card:ann', 'card:gus', 'same phone') IS NOT NULL AS merged;
SELECT i.identifier AS referee, v.problem, v.sharer_points, v.referee_points
FROM o2o.points_reward_review v JOIN o2o.points_reward r ON r.reward_id = v.reward_id JOIN o2o.profile_identifier i ON i.profile_id = r.profile_id ORDER BY 1, 2;
-- Nothing was taken back by itself. One is kept, one is taken back: 50 and 20 of ann's and gus's account.
SELECT sum(balance) FROM pg_temp.balances WHERE person IN ('card:ann', 'card:dan');
SELECT taken, owed FROM o2o.points_reward_decide((SELECT reward_id FROM o2o.points_reward_review WHERE problem = 'brought_before'), false, 'husband and wife');
SELECT taken, owed FROM o2o.points_reward_decide((SELECT reward_id FROM o2o.points_reward_review WHERE problem = 'same_customer'), true, 'brought himself', 'd1');
SELECT taken, owed FROM o2o.points_reward_decide((SELECT reward_id FROM o2o.points_reward WHERE review = 'taken_back'), true, 'brought himself', 'd1') AS replay;
SELECT * FROM pg_temp.balances;
SELECT * FROM o2o.points_reward_review;
-- Caps count over all profiles of today: cid shared once today, so did fay, and one a day is the cap now.
UPDATE o2o.points_reward_rule SET per_day = 1 WHERE kind = 'share';
SELECT outcome FROM o2o.points_reward('card:fay', 'card:dan', 'club', 'share');
SELECT count(*) FROM o2o.points_reward_review;
SELECT o2o.customer_merge('card:cid', 'card:fay', 'same phone') IS NOT NULL AS merged;
SELECT kind, problem, sharer_points FROM o2o.points_reward_review;
-- (Two a day: one of each profile.)
UPDATE o2o.points_reward_rule SET per_day = 2 WHERE kind = 'share';
SELECT outcome FROM o2o.points_reward('card:fay', 'card:hal', 'club', 'share');
-- Whoever was brought by another profile was brought.
SELECT outcome FROM o2o.identity_resolve('{card:jon}', 'pos', 'jon', now());
SELECT o2o.customer_merge('card:jon', 'card:bob', 'same phone') IS NOT NULL AS merged;
SELECT outcome, sharer_points, referee_points FROM o2o.points_reward('card:hal', 'card:jon', 'club');
SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.points_reward('card:cid', 'card:fay', 'club')$$,
	$$SELECT o2o.points_reward('card:cid', 'card:nobody', 'club')$$,
	$$SELECT o2o.points_reward('card:cid', 'card:bob', 'club', 'gift')$$,
	$$SELECT o2o.points_reward('card:cid', 'card:bob', 'none')$$,
	$$SELECT o2o.points_reward('card:cid', 'card:bob', 'club', idempotency_key => 'r1')$$,
	$$SELECT o2o.points_reward_decide(0, true, 'why')$$,
	$$SELECT o2o.points_reward_decide((SELECT reward_id FROM o2o.points_reward WHERE review = 'taken_back'), true, 'again')$$,
	$$SELECT o2o.points_reward_decide(1, NULL, 'why')$$]) q;
SELECT * FROM o2o.points_verify();
\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_reward;
DROP ROLE o2o_points_reward_owner;
