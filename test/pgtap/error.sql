-- Errors that a caller can act on: SQLSTATE of class O2, a message in one line, the
-- values in DETAIL or message, and a HINT that says what to do. (O2005, a module
-- that is missing, is in test/t.)
\set ON_ERROR_ROLLBACK off
BEGIN;
SET client_min_messages = warning;
SET search_path = public, o2o;
CREATE TEMP TABLE model_owner AS SELECT pg_get_userbyid(relowner) AS name FROM pg_class WHERE oid = 'o2o.profile'::regclass;
SELECT set_config('o2o_test.superuser', current_user, true), set_config('role', name, true) FROM model_owner;

-- What the errors need to happen.
SELECT o2o.points_program_create('error', 'Error', 'CNY'), o2o.points_program_create('error_euro', 'Error', 'EUR'),
	o2o.points_program_create('error_backed', 'Error', 'CNY', cost_per_point => 1, expected_redemption => 1, reserve_policy => 'enforce');
SELECT o2o.identify(v.ids, 'pos') FROM (VALUES ('{"card": "error-a"}'::jsonb), ('{"card": "error-b"}'), ('{"card": ["error-a", "error-b"]}'), ('{"card": "error-a", "email": "error@shop.example"}'),
	('{"card": "error-b", "email": "error@shop.example"}')) v (ids);
SELECT set_config('o2o_test.held', max(merge_id)::text, true) FROM o2o.identity_merge;
SELECT o2o.identify(v.ids, 'pos') FROM (VALUES ('{"card": "error-c"}'::jsonb), ('{"card": "error-d"}'), ('{"card": ["error-c", "error-d"]}')) v (ids);
SELECT set_config('o2o_test.undone', max(merge_id)::text, true) FROM o2o.identity_merge;
SELECT o2o.customer_unmerge(current_setting('o2o_test.undone')::bigint, 'test');
SELECT o2o.points_earn('card:error-a', 1, 'error', idempotency_key => 'error/1');
SELECT o2o.points_close('card:error-d'::o2o.identifier, 'error', 'test');
SELECT o2o.points_partner_open('card:error-b'::o2o.identifier, 'bank', 'error'),
	set_config('o2o_test.pool', o2o.points_pool_open('card:error-d'::o2o.identifier, 'error', 'Home')::text, true);
SELECT o2o.order_place('{"card": "error-a"}', '[{"sku": "error-tea", "name": "Tea", "unit_price": 5}]', 'pos', 'error/0', 'pos');
INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers) VALUES (-1, 'mars', '1', now(), '{}');

CREATE TEMP TABLE try (state text, query text, message text, detail text);
INSERT INTO try VALUES
	('O2004', $$SELECT o2o.points_earn('card:error-a', 2, 'error', idempotency_key => 'error/1')$$, '^idempotency key was used before', 'points_earn'),
	('O2004', $$SELECT o2o.points_burn('card:error-a', 1, 'error', idempotency_key => 'error/1')$$, '^idempotency key was used before', 'points_earn.*points_burn'),
	('O2101', $$SELECT o2o.identify('{}', 'mars')$$, 'source "mars"', NULL),
	('O2101', $$SELECT o2o.identity_import(-1)$$, 'source "mars"', NULL),
	('O2101', $$SELECT o2o.order_place('{}', '[{"sku": "a", "unit_price": 1}]', 'mars', '1', 'pos')$$, 'source "mars"', NULL),
	('O2101', $$SELECT o2o.location_import('[{"source": "mars", "source_id": "1", "name": "M"}]')$$, 'source "?mars', NULL),
	('O2102', $$SELECT o2o.order_place('{}', '[{"sku": "a", "unit_price": 1}]', 'pos', '1', 'pigeon')$$, 'channel "?pigeon', NULL),
	('O2103', $$SELECT o2o.order_place('{}', '[{"sku": "a", "unit_price": 1}]', 'pos', '1', 'pos', location_id => -3)$$, 'location -3', NULL),
	('O2103', $$SELECT o2o.store_is_open(-3)$$, 'location -3', NULL),
	('O2201', $$SELECT o2o.points_balance('phone:+8613912345678')$$, '^no customer has this identifier$', 'phone:\*\*\*78'),
	('O2201', $$SELECT o2o.points_earn('card:error-nobody', 1, 'error')$$, '^no customer has this identifier$', 'card:\*\*\*'),
	('O2201', $$SELECT o2o.points_balance(-3)$$, '^no customer or profile has this id$', '-3'),
	('O2201', $$SELECT o2o.order_place('{}', '[{"sku": "error-tea", "unit_price": 9}]', 'pos', 'error/1', 'pos', points_program => 'error', points_burn => 1)$$, 'points of nobody', 'no identifier'),
	('O2202', $$SELECT o2o.customer_merge('card:error-a', 'card:error-c', 'x')$$, 'so many profiles', '4 profiles, the cap is 3'),
	('O2203', $$SELECT o2o.customer_unmerge(-3, 'x')$$, '^there is no such merge$', '-3'),
	('O2203', $$SELECT o2o.evidence_retract(-3, 'x')$$, '^there is no such evidence', '-3'),
	('O2204', $$SELECT o2o.customer_unmerge(current_setting('o2o_test.undone')::bigint, 'x')$$, 'undone before', 'Merge \d+'),
	('O2205', $$SELECT o2o.identify(jsonb_build_object('card', (SELECT jsonb_agg('e' || n) FROM generate_series(1, 101) n)), 'pos')$$, 'too many identifiers', '100'),
	('O2206', $$SELECT o2o.customer_unmerge(current_setting('o2o_test.held')::bigint, 'x')$$, 'still connected', 'Evidence in force: \d+'),
	('O2207', $$SELECT o2o.identify('{"passport_no": "1"}', 'pos')$$, 'kind "passport_no"', NULL),
	('22023', $$SELECT o2o.identify('{"card": "error-a"}', 'pos', traits => '["Ann"]')$$, '^traits must be an object$', 'array'),
	('O2208', $$SELECT o2o.match_model_get('nobody')$$, '^there is no such match model$', 'nobody'),
	('O2301', $$SELECT o2o.points_burn('card:error-a', 500, 'error')$$, '^insufficient points$', '^available 1, asked 500$'),
	('O2301', $$SELECT o2o.points_transfer('card:error-a', 'card:error-c', 500, 'error')$$, '^insufficient points$', '^available 1, asked 500$'),
	('O2302', $$SELECT o2o.points_earn('card:error-a', 1, 'nowhere')$$, 'nowhere', NULL),
	('O2302', $$SELECT o2o.points_verify('nowhere')$$, 'nowhere', NULL),
	('O2302', $$SELECT o2o.order_place('{}', '[{"sku": "error-tea", "unit_price": 9}]', 'pos', 'error/1', 'pos', points_program => 'nowhere')$$, 'nowhere', NULL),
	('O2303', $$SELECT o2o.points_earn('card:error-a', 0, 'error')$$, 'must be positive', '0'),
	('O2303', $$SELECT o2o.points_burn('card:error-a', -5, 'error')$$, 'must be positive', '-5'),
	('O2303', $$SELECT o2o.points_transfer('card:error-a', 'card:error-c', NULL, 'error')$$, 'must be positive', 'NULL'),
	('O2304', $$SELECT o2o.points_earn('card:error-a', '1.5', 'error')$$, 'digits after the point', '1\.5'),
	('O2305', $$SELECT o2o.points_earn('card:error-a', 10, 'error_backed')$$, 'reserve', 'Required 10, reserve 0'),
	('O2330', $$SELECT o2o.points_reserve_withdraw('error_backed', 1, 'x')$$, 'to spare', 'Asked 1, reserve 0, required 0'),
	('O2331', $$SELECT o2o.points_budget_change(-3, 1, 'x')$$, 'no such budget', '-3'),
	('O2332', $$SELECT o2o.points_budget_change(o2o.points_budget_create('error', 'Error', 7), -8, 'x')$$, 'less than is taken', 'available 7, asked 8'),
	('O2333', $$SELECT o2o.points_budget_spend(o2o.points_budget_create('error', 'Error', 7), 1, 1, 8, now())$$, 'used up', 'available 7, asked 8'),
	('O2334', $$SELECT o2o.points_reconcile('pos')$$, 'no balances', 'Source pos'),
	('O2005', $$SELECT o2o.geo_h3('1,1', 5)$$, '^module h3 is not available$', 'h3'),
	('O2401', $$SELECT o2o.huff_fit('{1,1}', '{1,2}', '{1000,2000}', '{5,0}')$$, 'do not determine the exponents', '1 origins.*5 visits'),
	('O2401', $$SELECT o2o.store_huff_fit()$$, 'do not determine the exponents', '0 origins'),
	('O2101', $$SELECT o2o.location_import_csv(E'source_id,name\n1,A', 'mars')$$, '^line 2 \(mars/1\): unknown source "mars"$', NULL),
	('O2103', $$SELECT o2o.location_import_geojson('{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}, "properties": {"source_id": "error-none"}}', 'pos')$$, '^feature 1: unknown location "pos/error-none"$', NULL),
	('O2320', $$SELECT o2o.points_pay('card:error-a'::o2o.identifier, 'card:error-c'::o2o.identifier, 1, 'error')$$, 'seller has no account', 'Profile \d+'),
	('O2321', $$SELECT o2o.points_earn('card:error-d', 1, 'error')$$, '^the points account is closed$', 'Account \d+'),
	('O2322', $$SELECT o2o.points_earn('card:error-a', 1, 'error', funding => 'partner:nobody')$$, 'no partner "nobody"', NULL),
	('O2323', $$SELECT o2o.points_earn('card:error-a', 5, 'error', funding => 'partner:bank')$$, 'partner has paid', '^available 0, asked 5$'),
	('O2324', $$SELECT o2o.points_exchange('card:error-a'::o2o.identifier, 1, 'error', 'error_backed')$$, 'no rate of exchange', NULL),
	('O2326', $$SELECT o2o.points_pool_put('card:error-a'::o2o.identifier, -3, 1)$$, 'no such pool', '-3'),
	('O2327', $$SELECT o2o.points_pool_put('card:error-a'::o2o.identifier, current_setting('o2o_test.pool')::bigint, 1)$$, 'no member', 'Pool \d+'),
	('O2328', $$SELECT o2o.points_close('card:error-a'::o2o.identifier, 'error', 'test')$$, 'not empty', '^available 1, on hold 0, owed 0$'),
	('O2501', $$SELECT o2o.order_place('{}', '[{"sku": "error-tea", "unit_price": -9}]', 'pos', 'error/1', 'pos')$$, 'does not add up', 'Line 1'),
	('O2501', $$SELECT o2o.order_place('{}', '[{"sku": "error-tea", "unit_price": 9}]', 'pos', 'error/1', 'pos', payments => '[{"method": "cash", "amount": 8}]')$$, 'does not add up', '8.*9'),
	('O2501', $$SELECT o2o.order_place('{}', '[{"sku": "error-tea", "unit_price": 9}]', 'pos', 'error/1', 'pos', currency => 'CNY', points_program => 'error_euro')$$, 'different currencies', 'CNY.*EUR'),
	('O2502', $$SELECT o2o.order_place('{}', '[]', 'pos', 'error/1', 'pos')$$, 'needs lines', NULL),
	('O2503', $$SELECT o2o.order_place('{}', '[{"sku": "error-unheard", "unit_price": 9}]', 'pos', 'error/1', 'pos')$$, 'error-unheard', NULL),
	('O2601', $$SELECT o2o.segment_add('card:error-a', 'error', 'pos')$$, '^there is no segment "error"$', NULL),
	('O2601', $$SELECT o2o.segment_members(NULL)$$, '^there is no segment "<NULL>"$', NULL);
UPDATE o2o.setting SET value = '3' WHERE name = 'identity.customer_cap';

CREATE TEMP TABLE seen (n serial, state text, query text, wanted_message text, wanted_detail text, found_state text, message text, detail text, hint text);
DO $$
DECLARE t record; found_state text; message text; detail text; hint text;
BEGIN
	FOR t IN SELECT * FROM try LOOP
		found_state := NULL; message := NULL; detail := NULL; hint := NULL;
		BEGIN
			EXECUTE t.query;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS found_state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
		END;
		INSERT INTO seen (state, query, wanted_message, wanted_detail, found_state, message, detail, hint)
		VALUES (t.state, t.query, t.message, t.detail, found_state, message, detail, hint);
	END LOOP;
END $$;
RESET ROLE;

SELECT plan(3 * (SELECT count(*)::integer FROM seen) + 3);
SELECT is(found_state, state, 'SQLSTATE of ' || query) FROM seen ORDER BY n;
SELECT ok(coalesce(message ~ wanted_message AND (wanted_detail IS NULL OR detail ~ wanted_detail), false), format('message and DETAIL of %s: %s | %s', query, message, detail)) FROM seen ORDER BY n;
SELECT ok(hint <> '', format('HINT of %s: %s', query, hint)) FROM seen ORDER BY n;
SELECT is_empty($$SELECT message FROM seen WHERE message ~ '\n' OR message ~ '^[A-Z][a-z]' OR message ~ '\.$'$$, 'messages begin small and end without a full stop');
SELECT is_empty($$SELECT detail FROM seen WHERE concat_ws(' ', message, detail, hint) ~* '13912345678|error-nobody'$$, 'no error tells an identifier');
SELECT is_empty($$SELECT r.state FROM unnest('{O2004,O2101,O2102,O2103,O2201,O2202,O2203,O2204,O2205,O2206,O2207,O2208,O2301,O2302,O2303,O2304,O2305,O2330,O2331,O2332,O2333,O2334,O2501,O2502,O2503,O2601}'::text[]) r (state)
	WHERE NOT EXISTS (SELECT FROM seen s WHERE s.found_state = r.state)$$, 'each code was met');

SELECT * FROM finish();
ROLLBACK;
