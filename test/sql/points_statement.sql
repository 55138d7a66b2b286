-- Statement and balance as of a time.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_statement;
CREATE DATABASE o2o_points_statement;
\c o2o_points_statement
SET client_min_messages = warning;
CREATE ROLE o2o_points_statement_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_statement_owner;
CALL o2o.setup(owner => 'o2o_points_statement_owner');
RESET client_min_messages;
SET ROLE o2o_points_statement_owner;
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

SELECT o2o.points_program_create('club', 'Club', 'CNY', 'Asia/Shanghai', expires_after => '100 years', expires_round => 'month', clawback_policy => 'debt');
SELECT outcome FROM o2o.identity_resolve('{card:ann,phone:+8613800138000}', 'pos', 'e1', now());
SELECT outcome FROM o2o.identity_resolve('{card:bob}', 'pos', 'e2', now());
SELECT transfer_id AS earn FROM o2o.points_earn('card:ann', 60, 'club', reference => 'pos/1', occurred_at => '2026-01-05 10:00+08') \gset
SELECT balance FROM o2o.points_earn('phone:+8613800138000', 40, 'club', reference => 'web/1', occurred_at => '2025-12-05 10:00+08');
SELECT clock_timestamp() AS t1 \gset
SELECT balance FROM o2o.points_burn('card:ann', 80, 'club', reference => 'pos/2', reason => 'cup');
SELECT clock_timestamp() AS t2 \gset
SELECT taken, owed FROM o2o.points_clawback(:earn);
SELECT clock_timestamp() AS t3 \gset
SELECT balance FROM o2o.points_earn('card:ann', 50, 'club');

SELECT (SELECT regexp_replace(i.identifier::text, ':.*', '') FROM o2o.profile_identifier i WHERE i.profile_id = s.profile_id) AS account, operation, amount, balance, reference, reason
FROM o2o.points_statement('card:ann', 'club') s;
SELECT operation, amount, balance FROM o2o.points_statement('phone:+8613800138000', 'club', :'t1', :'t2') s;
SELECT bool_and(posted_at >= :'t1' AND posted_at < :'t3') AS within, count(*) FROM o2o.points_statement('card:ann', 'club', :'t1', :'t3');
-- What was posted at from_at is in it, what was posted at to_at is not.
SELECT s.operation, s.amount, s.balance
FROM (SELECT posted_at, lead(posted_at) OVER (ORDER BY posted_at) AS next FROM o2o.points_statement('card:ann', 'club') ORDER BY posted_at OFFSET 1 LIMIT 1) t,
	o2o.points_statement('card:ann', 'club', t.posted_at, t.next) s;
SELECT count(*) FROM o2o.points_statement('card:bob', 'club');
SELECT pg_temp.try($$SELECT count(*) FROM o2o.points_statement('card:ann', 'none')$$), pg_temp.try($$SELECT count(*) FROM o2o.points_statement('card:eve', 'club')$$);
SELECT t.n, b.program, b.balance FROM (VALUES (0, '-infinity'::timestamptz), (1, :'t1'), (2, :'t2'), (3, :'t3'), (4, 'infinity')) t (n, at), o2o.points_balance_at('card:ann', t.at) b ORDER BY t.n;
SELECT is_final FROM o2o.points_balance_at('card:ann', 'infinity');
SELECT pg_temp.try($$SELECT count(*) FROM o2o.points_balance_at('card:eve', now())$$);
-- The balance at any moment is that of the statement, where nobody owes.
SELECT count(*) AS moments, count(*) FILTER (WHERE b.balance IS DISTINCT FROM s.balance) AS differing
FROM (SELECT s.*, lead(posted_at) OVER (ORDER BY posted_at) AS next FROM o2o.points_statement('card:ann', 'club', to_at => :'t2') s) s, o2o.points_balance_at('card:ann', s.posted_at) b
WHERE s.next IS DISTINCT FROM s.posted_at;
-- Nobody else is writing: what was is final. In another isolation level no one can tell.
SELECT o2o.writer_horizon() > :'t3' AS nobody;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT is_final FROM o2o.points_balance_at('card:ann', :'t1');
COMMIT;
SELECT * FROM o2o.points_verify();

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_statement;
DROP ROLE o2o_points_statement_owner;
