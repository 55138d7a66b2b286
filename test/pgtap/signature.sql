-- What is promised to be typed: names, argument names in their order, which may be
-- left out, and the columns that come back. Nothing here changes without a new
-- major version; arguments may be appended at the end, with a default.
\set ON_ERROR_ROLLBACK off
BEGIN;
SET client_min_messages = warning;
SET search_path = public, o2o;

CREATE TEMP TABLE promised (name text, arguments text, result text);
INSERT INTO promised VALUES
	('identify', 'identifiers jsonb, source text, traits jsonb?, event_id text?, occurred_at timestamp with time zone?', 'profile_id bigint, customer_id bigint, outcome text'),
	('customer_lookup', 'person identifier', 'bigint'),
	('customer_lookup', 'person bigint', 'bigint'),
	('customer_merge', 'a identifier, b identifier, reason text', 'bigint'),
	('customer_merge', 'a bigint, b bigint, reason text', 'bigint'),
	('customer_unmerge', 'merge_id bigint, reason text', 'customer_id bigint, profiles bigint[]'),
	('evidence_retract', 'evidence_id bigint, reason text', 'customer_id bigint, profiles bigint[]'),
	('identifier_reassign', 'identifier identifier, reason text', 'bigint'),
	('identity_explain', 'a identifier, b identifier', 'step integer, from text, to text, rule text, source text, at timestamp with time zone, weight double precision, evidence_id bigint'),
	('identity_explain', 'a bigint, b bigint', 'step integer, from text, to text, rule text, source text, at timestamp with time zone, weight double precision, evidence_id bigint'),
	('identity_import', 'batch_id bigint', 'bigint'),
	('identity_resolve_batch', 'batch_id bigint, chunk_rows integer?', 'procedure'),
	('identity_verify', '', 'check text, customer_id bigint, detail text'),
	('customer_changes', 'since_seq bigint?', 'seq bigint, profile_id bigint, old_customer_id bigint, new_customer_id bigint, cause text, changed_at timestamp with time zone'),
	('points_earn', 'person identifier, amount points, program text, reference text?, reason text?, idempotency_key text?, occurred_at timestamp with time zone?, funding text?', 'transfer_id bigint, balance points'),
	('points_earn', 'person bigint, amount points, program text, reference text?, reason text?, idempotency_key text?, occurred_at timestamp with time zone?, funding text?', 'transfer_id bigint, balance points'),
	('points_burn', 'person identifier, amount points, program text, reference text?, reason text?, idempotency_key text?', 'transfer_id bigint, balance points'),
	('points_burn', 'person bigint, amount points, program text, reference text?, reason text?, idempotency_key text?', 'transfer_id bigint, balance points'),
	('points_transfer', 'from_person identifier, to_person identifier, amount points, program text, reason text?, idempotency_key text?', 'transfer_id bigint, balance points'),
	('points_transfer', 'from_person bigint, to_person bigint, amount points, program text, reason text?, idempotency_key text?', 'transfer_id bigint, balance points'),
	('points_balance', 'person identifier', 'program text, balance points, held points, available points, expiring_30d points'),
	('points_balance', 'person bigint', 'program text, balance points, held points, available points, expiring_30d points'),
	('points_reserve_deposit', 'program text, amount numeric, reason text, idempotency_key text?', 'entry_id bigint, reserve numeric'),
	('points_reserve_withdraw', 'program text, amount numeric, reason text, idempotency_key text?', 'entry_id bigint, reserve numeric'),
	('points_reserve_set', 'program text, reserve_policy text, reserve_ratio numeric?', 'required numeric, reserve numeric, headroom numeric, is_breached boolean'),
	('points_budget_create', 'program text, name text, amount points, funding text?, valid_from timestamp with time zone?, valid_to timestamp with time zone?, stripes integer?, idempotency_key text?', 'bigint'),
	('points_budget_change', 'budget_id bigint, amount points, reason text, idempotency_key text?', 'entry_id bigint, available points'),
	('points_liability_roll', 'program text, from_at timestamp with time zone, to_at timestamp with time zone, known_at timestamp with time zone?', 'opening numeric, deferred numeric, clawed numeric, redeemed numeric, breakage numeric, closing numeric'),
	('points_opening_import', 'batch_id bigint', 'source text, program text, rows bigint, points numeric, owed numeric, pending numeric, expired numeric, problems bigint, problem_points numeric'),
	('points_reconcile', 'source text, as_of timestamp with time zone?', 'program text, customer_id bigint, person text, cause text, reference text, theirs numeric, ours numeric, difference numeric, detail text'),
	('points_pay', 'person identifier, seller identifier, amount points, program text, reference text?, reason text?, idempotency_key text?', 'transfer_id bigint, balance points'),
	('points_pay', 'person bigint, seller bigint, amount points, program text, reference text?, reason text?, idempotency_key text?', 'transfer_id bigint, balance points'),
	('points_settle', 'seller identifier, program text, amount points?, reference text?, reason text?, idempotency_key text?', 'transfer_id bigint, settled points, balance points'),
	('points_settle', 'seller bigint, program text, amount points?, reference text?, reason text?, idempotency_key text?', 'transfer_id bigint, settled points, balance points'),
	('points_exchange', 'person identifier, amount points, from_program text, to_program text, reference text?, reason text?, idempotency_key text?', 'transfer_id bigint, received points, from_balance points, to_balance points'),
	('points_exchange', 'person bigint, amount points, from_program text, to_program text, reference text?, reason text?, idempotency_key text?', 'transfer_id bigint, received points, from_balance points, to_balance points'),
	('points_reward', 'sharer identifier, referee identifier, program text, kind text?, reference text?, occurred_at timestamp with time zone?, idempotency_key text?', 'outcome text, reward_id bigint, sharer_points points, referee_points points'),
	('points_reward', 'sharer bigint, referee bigint, program text, kind text?, reference text?, occurred_at timestamp with time zone?, idempotency_key text?', 'outcome text, reward_id bigint, sharer_points points, referee_points points'),
	('points_tier', 'person identifier', 'program text, tier text, name text, since timestamp with time zone, valid_until timestamp with time zone, falls_to text, points points, spend numeric, next_tier text, points_missing points, spend_missing numeric'),
	('points_tier', 'person bigint', 'program text, tier text, name text, since timestamp with time zone, valid_until timestamp with time zone, falls_to text, points points, spend numeric, next_tier text, points_missing points, spend_missing numeric'),
	('points_close', 'person identifier, program text, reason text, disposition text?, to_person identifier?, idempotency_key text?', 'accounts bigint, moved points, forfeited points, forgiven points'),
	('points_close', 'person bigint, program text, reason text, disposition text?, to_person bigint?, idempotency_key text?', 'accounts bigint, moved points, forfeited points, forgiven points'),
	('points_verify', 'for_program text?, since bigint?', 'check text, program text, profile_id bigint, account_id bigint, detail text'),
	('stores_nearest', 'point geopoint, k integer?, max_m double precision?, open_at timestamp with time zone?, services text[]?, roles text[]?', 'store_id bigint, name text, distance_m double precision'),
	('order_place', 'identifiers jsonb, lines jsonb, source text, source_id text, channel text, location_id bigint?, payments jsonb?, currency text?, channel_fulfilled text?, location_fulfilled bigint?, points_program text?, points_burn points?, ordered_at timestamp with time zone?, idempotency_key text?',
		'order_id bigint, profile_id bigint, customer_id bigint, points_earned points, points_balance points'),
	('source_register', 'source text, name text, kind text?, default_country text?, time_zone text?', 'void'),
	('grant_access', 'role name, profile text', 'void'),
	('revoke_access', 'role name, profile text', 'void'),
	('maintain', 'max_seconds integer?', 'procedure'),
	('setup', 'owner name?, dry_run boolean?', 'procedure'),
	('health', '', 'check text, status text, value text, hint text');
CREATE TEMP TABLE column_promised (view text, columns text);
INSERT INTO column_promised VALUES
	('customer_360', 'customer_id bigint, web_orders bigint, store_orders bigint, points_available numeric'),
	('points_reserve', 'program text, currency text, outstanding numeric, liability numeric, required numeric, reserve numeric, reserve_ratio numeric, is_breached boolean'),
	('points_cohorts', 'program text, grant_month date, month date, granted numeric, redeemed numeric, expired numeric'),
	('points_budgets', 'budget_id bigint, program text, name text, amount numeric, issued numeric, available numeric'),
	('customer_ref', 'source text, source_id text, customer_id bigint');

SELECT plan((SELECT count(*)::integer FROM promised) + (SELECT count(*)::integer FROM column_promised) + 1);

CREATE TEMP VIEW found AS
SELECT p.proname::text AS name, a.arguments,
	CASE WHEN p.prokind = 'p' THEN 'procedure' WHEN a.columns <> '' THEN a.columns
		ELSE coalesce(
			(SELECT string_agg(concat_ws(' ', c.attname, format_type(c.atttypid, NULL)), ', ' ORDER BY c.attnum)
				FROM pg_type t JOIN pg_attribute c ON c.attrelid = t.typrelid AND c.attnum > 0 WHERE t.oid = p.prorettype),
			format_type(p.prorettype, NULL)) END AS result
FROM pg_proc p, LATERAL (
	SELECT coalesce(string_agg(concat_ws(' ', u.name, format_type(u.type, NULL)) || CASE WHEN u.inputs > p.pronargs - p.pronargdefaults THEN '?' ELSE '' END, ', ' ORDER BY u.n)
			FILTER (WHERE u.mode = 'i'), '') AS arguments,
		coalesce(string_agg(concat_ws(' ', u.name, format_type(u.type, NULL)), ', ' ORDER BY u.n) FILTER (WHERE u.mode IN ('o', 't')), '') AS columns
	FROM (SELECT v.n, v.type, coalesce(p.proargmodes[v.n], 'i') AS mode, p.proargnames[v.n] AS name,
			count(*) FILTER (WHERE coalesce(p.proargmodes[v.n], 'i') = 'i') OVER (ORDER BY v.n) AS inputs
		FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY v (type, n)) u) a
WHERE p.pronamespace = 'o2o'::regnamespace;

SELECT ok(EXISTS (SELECT FROM found f WHERE f.name = p.name AND f.result = p.result
		AND (f.arguments = p.arguments OR (f.arguments LIKE p.arguments || ', %' AND NOT substr(f.arguments, length(p.arguments) + 1) ~ '[^?](,|$)'))),
	format('%s(%s)', p.name, p.arguments))
FROM promised p ORDER BY p.name, p.arguments;
SELECT ok(NOT EXISTS (
		SELECT FROM unnest(string_to_array(c.columns, ', ')) u (entry)
		WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = ('o2o.' || c.view)::regclass AND a.attname || ' ' || format_type(a.atttypid, a.atttypmod) = u.entry)),
	'view ' || c.view) FROM column_promised c ORDER BY c.view;
-- A function with a second overload that fits as well would make the promised call ambiguous.
SELECT is((SELECT string_agg(DISTINCT f.name, ', ') FROM found f WHERE f.name IN (SELECT p.name FROM promised p)
	AND (SELECT count(*) FROM found g WHERE g.name = f.name) <> (SELECT count(*) FROM promised p WHERE p.name = f.name)), NULL, 'no further overloads of promised names');

SELECT * FROM finish();
ROLLBACK;
