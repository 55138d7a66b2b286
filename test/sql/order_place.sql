-- order_place and order_return: whole or not at all, and once; order_import by the same rules.
-- In a database of its own: the model belongs to an owner who is no superuser.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_order_place;
CREATE DATABASE o2o_order_place;
\c o2o_order_place
SET client_min_messages = warning;
CREATE ROLE o2o_order_place_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_order_place_owner;
CALL o2o.setup(owner => 'o2o_order_place_owner');
SET ROLE o2o_order_place_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;
SET timezone = 'UTC';

-- What a statement answers, or its error with SQLSTATE and detail.
CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text; detail text;
BEGIN
	EXECUTE query INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || concat_ws(' | ', SQLERRM, nullif(detail, ''));
END $$;

-- Everything that is in the model, as one digest.
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	t regclass; part text; whole text := '';
BEGIN
	FOR t IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'o2o'::regnamespace AND c.relkind = 'r' ORDER BY c.relname LOOP
		EXECUTE format('SELECT md5(string_agg(r::text, chr(10) ORDER BY r::text)) FROM %s r', t) INTO part;
		whole := whole || coalesce(part, '-');
	END LOOP;
	RETURN md5(whole);
END $$;

SELECT points_program_create('club', 'Club', 'CNY', points_per_unit => 1, value_per_point => 0.01);
SELECT points_program_create('fine', 'Fine', 'EUR', scale => 2, points_per_unit => 0.5);
SELECT location_import('[{"source": "pos", "source_id": "S1", "name": "One"}, {"source": "pos", "source_id": "S2", "name": "Two"}]');
CREATE TEMP VIEW book AS
SELECT o.source, o.source_id, o.channel_sold, ls.source_id AS sold_at, o.channel_fulfilled, lf.source_id AS fulfilled_at, o.currency, o.total,
	o.points_earned AS earned, o.points_burned AS burned, (SELECT count(*) FROM order_line n WHERE n.order_id = o.order_id) AS lines,
	(SELECT string_agg(format('%s %s', p.method, p.amount), ', ' ORDER BY p.payment_no) FROM payment p WHERE p.order_id = o.order_id) AS payments
FROM sales_order o LEFT JOIN location ls ON ls.location_id = o.location_sold LEFT JOIN location lf ON lf.location_id = o.location_fulfilled
ORDER BY o.source, o.source_id;

-- The first order: identity, product, order, payment, points, touchpoint.
SELECT points_earned, points_balance
FROM order_place('{"card": "88001"}', '[{"sku": "T1", "name": "Tea", "category": "Drinks", "quantity": 3, "unit_price": 33.335, "discount": 0.01}, {"sku": "T1", "unit_price": 10}]',
	'web', '1001', 'web', points_program => 'club', ordered_at => '2026-03-01 10:00+00');
SELECT n.line_no, n.sku, p.name, p.category, n.quantity, n.unit_price, n.discount, n.amount
FROM order_line n JOIN sku USING (sku) JOIN product p USING (product_id) ORDER BY n.line_no;
SELECT t.stage, t.verb, t.channel, t.source, t.event_id, t.order_id = o.order_id AS same_order, t.profile_id = o.profile_id AS same_profile,
	customer_lookup(o.profile_id) = customer_lookup('card:88001') AS of_the_card
FROM touchpoint t, sales_order o;
-- Click and collect, paid in part with points: no points on that part.
SELECT points_earned, points_balance
FROM order_place('{"card": "88001"}', '[{"sku": "T1", "quantity": 2, "unit_price": 10}]', 'app', 'A1', 'app',
	payments => '[{"method": "wechat_pay", "amount": 15}, {"method": "voucher", "amount": 4}]', channel_fulfilled => 'store',
	location_fulfilled => (SELECT location_id FROM location WHERE source_id = 'S2'),
	points_program => 'club', points_burn => 100, ordered_at => '2026-03-02 10:00+00', idempotency_key => 'till-7/1');
-- In a store, by nobody known: no points.
SELECT points_earned, points_balance
FROM order_place('{}', '[{"sku": "T1", "unit_price": 8}]', 'pos', 'P1', 'store', (SELECT location_id FROM location WHERE source_id = 'S1'),
	points_program => 'club', ordered_at => '2026-03-03 10:00+00');
SELECT points_earned, points_balance
FROM order_place('{"card": "88001"}', '[{"sku": "T1", "unit_price": 12.99}]', 'pos', 'P2', 'store', points_program => 'fine', ordered_at => '2026-03-03 10:00+00');
-- Without a program and a currency: the setting's.
SELECT points_earned, points_balance FROM order_place('{"card": "88001"}', '[{"sku": "T1", "unit_price": 4}]', 'web', '1002', 'web', ordered_at => '2026-03-03 11:00+00');
SELECT * FROM pg_temp.book;
SELECT p.operation, p.amount, p.balance, p.reference FROM points_posting p JOIN points_account a USING (profile_id, account_id)
WHERE a.program = 'club' ORDER BY p.version;

-- A replay changes nothing and answers the same, also after new identifiers arrived in between.
CREATE TEMP TABLE first AS SELECT o.order_id, o.profile_id, pg_temp.state() AS state
FROM sales_order o WHERE o.source = 'app';
CREATE FUNCTION pg_temp.again(idempotency_key text) RETURNS TABLE (order_id bigint, profile_id bigint, points_earned o2o.points, points_balance o2o.points) LANGUAGE sql
AS $$ SELECT p.order_id, p.profile_id, p.points_earned, p.points_balance
FROM o2o.order_place('{"card": "88001"}', '[{"sku": "T1", "quantity": 2, "unit_price": 10}]', 'app', 'A1', 'app',
	payments => '[{"method": "wechat_pay", "amount": 15}, {"method": "voucher", "amount": 4}]', channel_fulfilled => 'store',
	location_fulfilled => (SELECT location_id FROM o2o.location WHERE source_id = 'S2'),
	points_program => 'club', points_burn => 100, ordered_at => '2026-03-02 10:00+00', idempotency_key => again.idempotency_key) p $$;
SELECT a.order_id = f.order_id AS same_order, a.profile_id = f.profile_id AS same_profile, a.points_earned, a.points_balance
FROM first f, pg_temp.again('till-7/1') a;
SELECT f.state = pg_temp.state() AS nothing_changed FROM first f;
SELECT outcome FROM identify('{"unionid": "oAnn", "phone": "+8613800138000"}', 'wechat', occurred_at => '2026-03-04 10:00+00');
SELECT outcome FROM identify('{"card": "88001", "phone": "+8613800138000"}', 'pos', occurred_at => '2026-03-04 11:00+00');
UPDATE first SET state = pg_temp.state();
SELECT a.order_id = f.order_id AS same_order, a.points_earned, a.points_balance FROM first f, pg_temp.again('till-7/1') a;
SELECT f.state = pg_temp.state() AS nothing_changed FROM first f;
-- The order's own key guards it too: with no key it is the same order, with a new key no second one (that key is kept).
SELECT a.order_id = f.order_id AS same_order FROM first f, pg_temp.again(NULL) a;
SELECT f.state = pg_temp.state() AS nothing_changed FROM first f;
SELECT a.order_id = f.order_id AS same_order FROM first f, pg_temp.again('till-8/1') a;
SELECT count(*) FROM sales_order WHERE source = 'app';
SELECT regexp_replace(pg_temp.try($$SELECT order_place('{"card": "88001"}', '[{"sku": "T1", "unit_price": 11}]', 'app', 'A1', 'app')$$), '[0-9a-f-]{36}', '<id>');
SELECT regexp_replace(pg_temp.try($$SELECT order_place('{"card": "88001"}', '[{"sku": "T1", "unit_price": 11}]', 'app', 'A2', 'app', idempotency_key => 'till-7/1')$$), '[0-9a-f-]{36}', '<id>');

-- Half way is nowhere: whatever fails, nothing is left.
UPDATE first SET state = pg_temp.state();
CREATE TEMP TABLE refused (no int, call text);
INSERT INTO refused VALUES
	(1, $$order_place('{"card": "new1"}', '[{"sku": "N1", "name": "New", "unit_price": 99}]', 'web', 'X', 'web', points_program => 'club', points_burn => 5000)$$),
	(2, $$order_place('{"card": "88001"}', '[{"sku": "N1", "name": "New", "unit_price": 1}]', 'web', 'X', 'web', points_program => 'club', points_burn => 101)$$),
	(3, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}]', 'web', 'X', 'web', points_program => 'club', points_burn => 1)$$),
	(4, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}]', 'web', 'X', 'web', points_burn => 1)$$),
	(5, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}]', 'web', 'X', 'web', points_program => 'none')$$),
	(6, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}]', 'web', 'X', 'web', points_program => 'club', points_burn => -1)$$),
	(7, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}]', 'web', 'X', 'web', points_program => 'club', currency => 'EUR')$$),
	(8, $$order_place('{}', '[]', 'web', 'X', 'web')$$),
	(9, $$order_place('{}', NULL, 'web', 'X', 'web')$$),
	(10, $$order_place('{}', '[{"sku": "U1", "unit_price": 9}]', 'web', 'X', 'web')$$),
	(11, $$order_place('{}', '[{"sku": "T1", "qty": 2, "unit_price": 9}]', 'web', 'X', 'web')$$),
	(12, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}, {"sku": "T1", "quantity": 0, "unit_price": 9}]', 'web', 'X', 'web')$$),
	(13, $$order_place('{}', '[{"sku": "T1", "quantity": "NaN", "unit_price": 9}]', 'web', 'X', 'web')$$),
	(14, $$order_place('{}', '[{"sku": "T1", "unit_price": 9, "discount": 9.01}]', 'web', 'X', 'web')$$),
	(15, $$order_place('{}', '[{"sku": "T1", "unit_price": 9.00001}]', 'web', 'X', 'web')$$),
	(16, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}]', 'web', 'X', 'web', payments => '[{"method": "card", "amount": 8.99}]')$$),
	(17, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}]', 'web', 'X', 'web', payments => '[{"method": "points", "amount": 9}]')$$),
	(18, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}]', 'web', 'X', 'web', payments => '[]')$$),
	(19, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}]', 'moon', 'X', 'web')$$),
	(20, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}]', 'web', 'X', 'fax')$$),
	(21, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}]', 'web', 'X', 'web', 999)$$),
	(22, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}]', 'web', 'X', 'web', currency => 'XXX')$$),
	(23, $$order_place('{"phone": "12"}', '[{"sku": "N1", "name": "New", "unit_price": 99}]', 'web', 'X', 'web')$$),
	(24, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}]', 'web', NULL, 'web')$$),
	(25, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}]', 'web', '', 'web')$$),
	(26, $$order_place('{}', '[{"sku": "", "name": "Nothing", "unit_price": 9}]', 'web', 'X', 'web')$$),
	(27, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}, {"sku": {"a": 1}, "name": ["x"], "unit_price": 9}]', 'web', 'X', 'web')$$),
	(28, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}, 1]', 'web', 'X', 'web')$$),
	(29, $$order_place('{}', '[{"sku": "T1", "unit_price": 9}]', 'web', 'X', 'web', payments => '[9]')$$);
SELECT r.no, pg_temp.try('SELECT ' || r.call) AS answer FROM refused r ORDER BY r.no;
SELECT f.state = pg_temp.state() AS nothing_left FROM first f;
-- What was refused may come again, made right.
SELECT points_earned FROM order_place('{"card": "new1"}', '[{"sku": "N1", "name": "New", "unit_price": 99}]', 'web', 'X', 'web', points_program => 'club');

-- Returns: money only, once, never more than the order was.
SELECT r.profile_id = o.profile_id AS buyer, r.order_id = o.order_id AS of_order
FROM order_return('pos', 'R1', 'store', 7, 'P1') r, sales_order o WHERE o.source_id = 'P1';
UPDATE first SET state = pg_temp.state();
SELECT count(*) FROM order_return('pos', 'R1', 'store', 7, 'P1');
SELECT f.state = pg_temp.state() AS nothing_changed FROM first f;
SELECT pg_temp.try($$SELECT order_return('pos', 'R2', 'store', 1.01, 'P1')$$);
SELECT pg_temp.try($$SELECT order_return('pos', 'R2', 'store', 1, 'P9')$$);
SELECT pg_temp.try($$SELECT order_return('pos', 'R2', 'store', 1, 'P1', currency => 'EUR')$$);
SELECT pg_temp.try($$SELECT order_return('pos', 'R2', 'store', -1)$$);
SELECT r.order_id IS NULL AS no_order FROM order_return('pos', 'R3', 'store', 5, identifiers => '{"card": "88001"}') r;
SELECT s.source_id, s.currency, s.total, p.customer_id = customer_lookup('card:88001') AS ann FROM sales_return s LEFT JOIN profile p USING (profile_id) ORDER BY 1;

-- The import obeys the same rules: the same order placed and imported is one book row each, with the same numbers.
INSERT INTO import_order (batch_id, source, source_id, ordered_at, identifiers, channel_sold, location_sold, channel_fulfilled, location_fulfilled, currency, payment_method, points_program, points_burned) VALUES
	(1, 'crm', 'I1', '2026-01-01 10:00+00', '{"card": "imp"}', 'web', NULL, NULL, NULL, 'CNY', 'card', 'club', 0),
	(1, 'crm', 'I2', '2026-01-02 10:00+00', '{"card": "imp"}', 'app', NULL, 'store', 'pos/S2', 'CNY', 'card', 'club', 100),
	(1, 'crm', 'I3', '2026-01-03 10:00+00', '{}', 'store', 'pos/S1', NULL, NULL, 'CNY', 'cash', 'club', 0),
	(1, 'crm', 'I4', '2026-01-04 10:00+00', '{"card": "imp"}', 'store', 'pos/S1', NULL, NULL, 'CNY', 'cash', 'club', 900),
	(1, 'web', '1001', '2026-03-01 10:00+00', '{"card": "88001"}', 'web', NULL, NULL, NULL, 'CNY', 'card', 'club', 0);
INSERT INTO import_order_line (batch_id, source, source_id, line_no, sku, product_name, category, quantity, unit_price, discount) VALUES
	(1, 'crm', 'I1', 1, 'T2', 'Oolong', 'Drinks', 3, 33.335, 0.01), (1, 'crm', 'I1', 2, 'T1', NULL, NULL, 1, 10, 0),
	(1, 'crm', 'I2', 1, 'T1', NULL, NULL, 2, 10, 0), (1, 'crm', 'I3', 1, 'T3', NULL, NULL, 1, 8, 0),
	(1, 'crm', 'I4', 1, 'T1', NULL, NULL, 1, 50, 0), (1, 'web', '1001', 1, 'T1', NULL, NULL, 1, 1, 0);
INSERT INTO import_return (batch_id, source, source_id, returned_at, identifiers, order_source_id, channel_returned, location_returned, currency, total) VALUES
	(1, 'crm', 'B1', '2026-01-05 10:00+00', '{}', 'I1', 'store', 'pos/S1', 'CNY', 10),
	(1, 'crm', 'B2', '2026-01-05 10:00+00', '{"card": "imp"}', NULL, 'store', 'pos/S1', 'CNY', 3);
SELECT * FROM order_import(1);
SELECT * FROM pg_temp.book WHERE source = 'crm';
SELECT source, source_id, problem FROM import_problem ORDER BY 1, 2;
SELECT source, source_id, outcome FROM import_order ORDER BY 1, 2;
SELECT b.balance FROM points_balance('card:imp') b;
SELECT s.source_id, s.total, p.customer_id = customer_lookup('card:imp') AS buyer FROM sales_return s JOIN profile p USING (profile_id) WHERE s.source = 'crm' ORDER BY 1;
SELECT p.name, p.category FROM sku JOIN product p USING (product_id) WHERE sku IN ('T2', 'T3') ORDER BY sku;
SELECT tableoid::regclass AS month, t.verb, t.event_id FROM touchpoint t WHERE t.source = 'crm' ORDER BY t.event_id;
UPDATE first SET state = pg_temp.state();
SELECT * FROM order_import(1);
SELECT f.state = pg_temp.state() AS nothing_changed FROM first f;
-- An imported order cannot be placed again.
SELECT regexp_replace(pg_temp.try($$SELECT order_place('{"card": "imp"}', '[{"sku": "T1", "unit_price": 11}]', 'crm', 'I1', 'web')$$), '[0-9a-f-]{36}', '<id>');
-- A batch that cannot be taken whole is not taken at all.
CREATE TEMP TABLE wrong (no int, change text);
INSERT INTO wrong VALUES
	(1, $$INSERT INTO import_order_line VALUES (2, 'crm', 'J9', 1, 'T1', NULL, NULL, 1, 1, 0)$$),
	(2, $$DELETE FROM import_order_line WHERE batch_id = 2$$),
	(3, $$UPDATE import_order_line SET quantity = 0 WHERE batch_id = 2$$),
	(4, $$UPDATE import_order SET channel_sold = 'fax' WHERE batch_id = 2$$),
	(5, $$UPDATE import_order SET location_fulfilled = 'pos/S9' WHERE batch_id = 2$$),
	(6, $$UPDATE import_order SET points_program = 'fine' WHERE batch_id = 2$$),
	(7, $$UPDATE import_order SET points_burned = 101, points_program = 'club' WHERE batch_id = 2$$),
	(8, $$UPDATE import_order SET currency = 'XXX' WHERE batch_id = 2$$);
INSERT INTO import_order (batch_id, source, source_id, ordered_at, identifiers, channel_sold, currency, payment_method)
VALUES (2, 'crm', 'J1', '2026-01-01 10:00+00', '{"card": "imp"}', 'web', 'CNY', 'card');
INSERT INTO import_order_line VALUES (2, 'crm', 'J1', 1, 'T1', NULL, NULL, 1, 1, 0);
UPDATE first SET state = pg_temp.state();
CREATE FUNCTION pg_temp.try_batch(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	EXECUTE change;
	PERFORM o2o.order_import(2);
	RAISE EXCEPTION 'taken';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || concat_ws(' | ', SQLERRM, nullif(detail, ''));
END $$;
SELECT w.no, pg_temp.try_batch(w.change) FROM wrong w ORDER BY w.no;
SELECT f.state = pg_temp.state() AS nothing_left FROM first f;
SELECT * FROM order_import(2);
SELECT * FROM points_verify();
SELECT * FROM identity_verify();

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_order_place;
DROP ROLE o2o_order_place_owner;
