-- Budgets of campaigns: what rules may issue, drawn to the last point, and what the quote says of it.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_budget;
CREATE DATABASE o2o_points_budget;
\c o2o_points_budget
SET client_min_messages = warning;
CREATE ROLE o2o_points_budget_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_budget_owner;
CALL o2o.setup(owner => 'o2o_points_budget_owner');
RESET client_min_messages;
SET ROLE o2o_points_budget_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;

-- What a statement answers, or its error with SQLSTATE and detail; numbers are not told.
CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text; detail text;
BEGIN
	EXECUTE query INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || concat_ws(' | ', SQLERRM, CASE WHEN SQLSTATE <> '23514' THEN regexp_replace(nullif(detail, ''), 'Budget \d+', 'Budget N') END);
END $$;

SELECT o2o.points_program_create('club', 'Club', 'CNY', scale => 1, points_per_unit => 1);
SELECT outcome FROM o2o.identify('{"card": "ann"}', 'pos');
SELECT o2o.points_budget_create('club', 'Summer', 120, funding => 'brand', idempotency_key => 'b1') AS summer \gset
SELECT o2o.points_budget_create('club', 'Summer', 120, funding => 'brand', idempotency_key => 'b1') = :summer AS replayed;
SELECT o2o.points_budget_create('club', 'Tea', 10, stripes => 2) AS tea \gset
INSERT INTO o2o.points_rule (program, kind, name, value, budget_id) VALUES ('club', 'bonus', 'Summer bonus', 50, :summer);
INSERT INTO o2o.points_rule (program, kind, name, value, category, budget_id) VALUES ('club', 'multiplier', 'Double tea', 2, 'tea', :tea);
CREATE FUNCTION pg_temp.sell(number text, price numeric) RETURNS numeric LANGUAGE sql AS $$
	SELECT points_earned::numeric FROM o2o.order_place('{"card": "ann"}', jsonb_build_array(jsonb_build_object('sku', 'T', 'name', 'Tea', 'category', 'tea', 'unit_price', price)),
		'pos', number, 'pos', points_program => 'club')
$$;
CREATE VIEW pg_temp.quote AS
SELECT kind, name, points, budget_id IS NOT NULL AS of_budget FROM o2o.points_quote('club', '[{"amount": 4.55, "category": "tea"}]', 'pos');

-- 4.55 + 50 + 4.5 (4.55 cut to the program's scale, for a budget gives no more digits) = 59.05, cut to 59.
SELECT * FROM pg_temp.quote;
SELECT pg_temp.sell('1', 4.55);
SELECT operation, amount, funding FROM o2o.points_posting ORDER BY version;
SELECT name, funding, amount, issued, available FROM o2o.points_budgets ORDER BY budget_id;
SELECT b.name, u.amount FROM o2o.points_budget_use u JOIN o2o.points_budget b USING (budget_id) ORDER BY b.budget_id;
-- Once more; then one has 20 left of the 50 that the rule gives, the other 1 of 4.5: both give nothing, and the quote says so.
SELECT pg_temp.sell('2', 4.55);
SELECT * FROM pg_temp.quote;
SELECT pg_temp.sell('3', 4.55);
SELECT name, issued, available FROM o2o.points_budgets ORDER BY budget_id;
-- A smaller share fits.
SELECT pg_temp.sell('4', 1);
SELECT name, issued, available FROM o2o.points_budgets ORDER BY budget_id;

-- More is put in, and taken out again, but not what was issued.
SELECT available FROM o2o.points_budget_change(:summer, 30, 'longer', idempotency_key => 'c1');
SELECT available FROM o2o.points_budget_change(:summer, 30, 'longer', idempotency_key => 'c1');
SELECT pg_temp.sell('5', 1);
SELECT available FROM o2o.points_budget_change(:summer, 70, 'longer');
SELECT pg_temp.try(format($$SELECT o2o.points_budget_change(%s, '-70.1', 'shorter')$$, :summer));
SELECT available FROM o2o.points_budget_change(:summer, -20, 'shorter');

-- A cap cuts what the budget gives, and the rest stays in it: 100 + 50, capped to 110.
INSERT INTO o2o.points_rule (program, kind, name, value) SELECT 'club', 'cap', 'Cap', 110 + sum(amount::numeric) FROM o2o.points_posting;
SELECT kind, name, points FROM o2o.points_quote('club', '[{"amount": 100}]', 'pos', person_profile('card:ann'));
SELECT pg_temp.sell('6', 100);
SELECT name, issued, available FROM o2o.points_budgets ORDER BY budget_id;
SELECT operation, amount, funding FROM o2o.points_posting ORDER BY version DESC LIMIT 2;
DELETE FROM o2o.points_rule WHERE kind = 'cap';

-- Two rules of one budget: both or none. 40 left; 30 and 20 are 50.
UPDATE o2o.points_rule SET value = 30 WHERE name = 'Summer bonus';
INSERT INTO o2o.points_rule (program, kind, name, value, budget_id) VALUES ('club', 'bonus', 'Summer more', 20, :summer);
SELECT kind, name, points FROM o2o.points_quote('club', '[{"amount": 1}]', 'pos');
SELECT available FROM o2o.points_budget_change(:summer, 10, 'round');
SELECT pg_temp.sell('7', 1);
SELECT name, issued, available FROM o2o.points_budgets ORDER BY budget_id;

-- Before and after its time a budget gives nothing.
SELECT o2o.points_budget_create('club', 'Later', 1000, valid_from => now() + interval '1 day') AS later \gset
INSERT INTO o2o.points_rule (program, kind, name, value, budget_id) VALUES ('club', 'bonus', 'Later bonus', 7, :later);
SELECT kind, name, points FROM o2o.points_quote('club', '[{"amount": 1}]', 'pos') WHERE name LIKE 'Later%';
SELECT kind, name, points FROM o2o.points_quote('club', '[{"amount": 1}]', 'pos', at => now() + interval '1 day') WHERE name LIKE 'Later%';

-- What repays a debt comes from the budget all the same; the points of the program repay first.
SELECT outcome FROM o2o.identify('{"card": "bob"}', 'pos');
SELECT balance FROM o2o.points_adjust('card:bob', -3, 'club', 'owes');
DELETE FROM o2o.points_rule WHERE name = 'Summer more';
SELECT available FROM o2o.points_budget_change(:summer, 30, 'bob');
SELECT points_earned, points_balance FROM o2o.order_place('{"card": "bob"}', '[{"sku": "C", "name": "Cup", "unit_price": 2}]', 'pos', '8', 'pos', points_program => 'club');
SELECT operation, amount, funding FROM o2o.points_posting WHERE profile_id = person_profile('card:bob') ORDER BY version;
SELECT name, issued, available FROM o2o.points_budgets ORDER BY budget_id;

-- With an enforced reserve, what budgets give counts as the rest does.
SELECT reserve FROM o2o.points_reserve_deposit('club', 10, 'bank');
SELECT headroom > 0 FROM o2o.points_reserve_set('club', 'enforce');
SELECT available FROM o2o.points_budget_change(:summer, 30, 'reserve');
SELECT pg_temp.sell('9', 2);
SELECT pg_temp.try($$SELECT pg_temp.sell('10', 2000)$$);
SELECT name, available FROM o2o.points_budgets ORDER BY budget_id;
-- An imported order earns nothing by a rule with a budget.
SELECT available FROM o2o.points_budget_change(:summer, 30, 'import');
INSERT INTO o2o.import_order (batch_id, source, source_id, identifiers, channel_sold, currency, ordered_at, points_program, payment_method)
VALUES (1, 'pos', '11', '{"card": "ann"}', 'pos', 'CNY', now(), 'club', 'cash');
INSERT INTO o2o.import_order_line (batch_id, source, source_id, line_no, sku, quantity, unit_price) VALUES (1, 'pos', '11', 1, 'C', 1, 2);
SELECT orders FROM o2o.order_import(1);
SELECT amount, funding FROM o2o.points_posting WHERE profile_id = person_profile('card:ann') ORDER BY version DESC LIMIT 1;

-- What is taken back comes back to the budget in proportion, all of it in the end; a reversed clawback draws it again,
-- as far as it is there.
SELECT o2o.points_program_create('back', 'Back', 'CNY', points_per_unit => 1);
INSERT INTO o2o.points_rule (program, kind, name, value, budget_id) SELECT 'back', 'bonus', 'Back', 10, o2o.points_budget_create('back', 'Back', 20);
CREATE FUNCTION pg_temp.left_over() RETURNS text LANGUAGE sql AS $$ SELECT format('issued %s, available %s', trim_scale(issued), trim_scale(available)) FROM o2o.points_budgets WHERE name = 'Back' $$;
SELECT points_earned FROM o2o.order_place('{"card": "cy"}', '[{"sku": "C", "name": "Cup", "unit_price": 90}]', 'pos', 'b1', 'pos', points_program => 'back');
SELECT max(transfer_id) AS earned FROM o2o.points_posting WHERE profile_id = person_profile('card:cy') \gset
SELECT pg_temp.left_over();
SELECT taken, owed, pg_temp.left_over() FROM o2o.points_clawback(:earned, 1);
SELECT pg_temp.left_over() FROM o2o.points_clawback(:earned, 9);
SELECT clawback_transfer_id AS taken_back, pg_temp.left_over() FROM o2o.points_clawback(:earned, 65) \gset
SELECT :'left_over';
SELECT pg_temp.left_over();
SELECT amount, pg_temp.left_over() FROM o2o.points_reverse(:taken_back, 'not so much');
SELECT pg_temp.left_over();
-- Spent meanwhile, and owed: the budget has it back all the same.
SELECT balance FROM o2o.points_burn('card:cy', 80, 'back');
SELECT clawback_transfer_id AS all_back, taken, owed FROM o2o.points_clawback(:earned) \gset
SELECT :taken AS taken, :owed AS owed, pg_temp.left_over();
SELECT available FROM o2o.points_budget_change((SELECT budget_id FROM o2o.points_budget WHERE name = 'Back'), -17, 'for something else');
SELECT amount FROM o2o.points_reverse(:all_back, 'kept after all');
SELECT pg_temp.left_over();
SELECT u.amount FROM o2o.points_budget_use u JOIN o2o.points_budget b USING (budget_id) WHERE b.name = 'Back' ORDER BY u.transfer_id;
SELECT "check", detail FROM o2o.points_verify('back');

SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.points_budget_create('none', 'X', 1)$$,
	$$SELECT o2o.points_budget_create('club', 'X', 0)$$,
	$$SELECT o2o.points_budget_create('club', 'X', '0.01')$$,
	$$SELECT o2o.points_budget_create('club', 'X', 1, stripes => 2000)$$,
	$$SELECT o2o.points_budget_create('club', 'X', 1, valid_from => now(), valid_to => now())$$,
	$$SELECT o2o.points_budget_change(-1, 1, 'x')$$,
	format($$SELECT o2o.points_budget_change(%s, 1, '')$$, :tea),
	format($$SELECT o2o.points_budget_change(%s, 0, 'x')$$, :tea),
	format($$SELECT o2o.points_budget_spend(%s, 1, 1, 1000, now())$$, :tea),
	format($$INSERT INTO o2o.points_rule (program, kind, name, value, budget_id) VALUES ('club', 'cap', 'x', 1, %s)$$, :tea)]) q;
SELECT count(*) FROM o2o.points_verify();
BEGIN;
UPDATE o2o.points_stripe SET available = available + 1 WHERE account_id = :tea AND stripe = 0;
SELECT "check", regexp_replace(detail, '^budget \d+', 'budget N') FROM o2o.points_verify();
ROLLBACK;

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_budget;
DROP ROLE o2o_points_budget_owner;
