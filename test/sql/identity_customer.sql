-- identify() and what becomes of customers: outcomes, priorities, rules, merges
-- by hand, undoing, explaining, recycled numbers, and that identity_verify() sees.
-- In a database of its own: the model belongs to an owner who is no superuser.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_identity_customer;
CREATE DATABASE o2o_identity_customer;
\c o2o_identity_customer
SET client_min_messages = warning;
CREATE ROLE o2o_identity_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_identity_owner;
CALL o2o.setup(owner => 'o2o_identity_owner');
RESET client_min_messages;
SET ROLE o2o_identity_owner;
SET search_path = public, o2o;
-- The dates of this test are fixed, and it shall hold in years to come.
UPDATE o2o.identifier_kind SET time_to_live = '100 years' WHERE kind IN ('cookie', 'device');
SET datestyle = ISO;
SET intervalstyle = postgres;
SET timezone = 'UTC';
\set SHOW_CONTEXT never

-- A customer is shown as the identifiers it has, a profile as its own. '-' where
-- a profile has no identifier (any more).
CREATE FUNCTION pg_temp.members(customer bigint) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(coalesce(i.identifier::text, '-'), ' ' ORDER BY i.identifier::text COLLATE "C"), '-')
	FROM o2o.profile p LEFT JOIN o2o.profile_identifier i USING (profile_id) WHERE p.customer_id = customer
$$;
CREATE FUNCTION pg_temp.person(profile bigint) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce((SELECT i.identifier::text FROM o2o.profile_identifier i WHERE i.profile_id = profile), '-')
$$;
-- Members are read when identify() is done: hence a statement of its own.
CREATE FUNCTION pg_temp.event(identifiers jsonb, source text DEFAULT 'pos', at timestamptz DEFAULT now(), event_id text DEFAULT NULL,
	OUT outcome text, OUT known_by text, OUT customer text) LANGUAGE plpgsql AS $$
DECLARE
	answer record;
BEGIN
	SELECT * INTO answer FROM o2o.identify(identifiers, source, occurred_at => at, event_id => event_id);
	outcome := answer.outcome;
	known_by := pg_temp.person(answer.profile_id);
	customer := pg_temp.members(answer.customer_id);
END $$;
CREATE FUNCTION pg_temp.profile(identifier o2o.identifier) RETURNS bigint LANGUAGE sql AS $$
	SELECT i.profile_id FROM o2o.profile_identifier i WHERE i.identifier = $1
$$;
-- What a statement answers, or its error with SQLSTATE, detail and hint.
CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text; detail text; hint text;
BEGIN
	EXECUTE query INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || concat_ws(' | ', SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE VIEW pg_temp.evidence AS
	SELECT e.status, e.rule, e.source, e.reason, e.event_id, (
		SELECT string_agg(pg_temp.person(u.id), ' ' ORDER BY pg_temp.person(u.id) COLLATE "C") FROM unnest(e.profiles) u (id)) COLLATE "C" AS profiles
	FROM o2o.identity_evidence e
	ORDER BY 6, 1, 3, 5;

-- Outcomes.
SELECT * FROM pg_temp.event('{"phone": "+8613800138000", "unionid": "oX1"}', 'wechat');
SELECT * FROM pg_temp.event('{"phone": "+8613800138000", "unionid": "oX1"}', 'wechat');
SELECT * FROM pg_temp.event('{"phone": "138 0013 8000"}', 'wechat');
SELECT * FROM pg_temp.event('{"phone": "+8613800138000", "card": "88001"}');
SELECT * FROM pg_temp.event('{"card": "88001", "phone": "+8613800138000"}', 'web');
SELECT * FROM pg_temp.event('{"email": "Ann@Shop.EXAMPLE"}', 'web');
SELECT * FROM pg_temp.event('["email:ann@shop.example", "card:88001"]', 'web');
SELECT * FROM pg_temp.event('{}');
SELECT * FROM pg_temp.event('[]');
SELECT * FROM pg_temp.event('{"phone": null, "email": "", "card": []}');
SELECT count(DISTINCT a.profile_id) AS anonymous_profiles, bool_and(a.profile_id = a.customer_id) AS own
FROM generate_series(1, 3) n, LATERAL o2o.identify(jsonb_build_object('card', repeat(' ', n)), 'pos') a;
SELECT * FROM o2o.identity_verify();
-- One identifier alone, two values of a kind, all at once, three customers in one.
SELECT * FROM pg_temp.event('{"card": "1000000001"}');
SELECT * FROM pg_temp.event('{"card": ["1000000002", "1000000003"], "email": "bob@shop.example"}');
SELECT * FROM pg_temp.event('{"device": "bobs-phone"}', 'app');
SELECT * FROM pg_temp.event('{"device": "bobs-phone", "card": ["1000000001", "1000000003"], "cookie": "c-1"}', 'app');
SELECT count(*) AS merges FROM o2o.identity_merge;
SELECT * FROM o2o.identity_verify();

-- The identifier of highest priority is the one a fact is tied to.
SELECT kind, priority FROM o2o.identifier_kind ORDER BY priority DESC;
SELECT (pg_temp.event(ids)).known_by FROM (VALUES
	('{"cookie": "c-9", "device": "d-9", "phone": "+8613900000009", "email": "p9@shop.example", "card": "c9", "openid": "wxa/o9", "unionid": "u9", "ref": "crm/9"}'::jsonb),
	('{"cookie": "c-9", "device": "d-9", "phone": "+8613900000009", "email": "p9@shop.example", "card": "c9", "openid": "wxa/o9", "unionid": "u9"}'),
	('{"cookie": "c-9", "device": "d-9", "phone": "+8613900000009", "email": "p9@shop.example", "card": "c9", "openid": "wxa/o9"}'),
	('{"cookie": "c-9", "device": "d-9", "phone": "+8613900000009", "email": "p9@shop.example", "card": "c9"}'),
	('{"cookie": "c-9", "device": "d-9", "phone": "+8613900000009", "email": "p9@shop.example"}'),
	('{"cookie": "c-9", "device": "d-9", "phone": "+8613900000009"}'),
	('{"cookie": "c-9", "device": "d-9"}'), ('{"cookie": "c-9"}')) v (ids);
-- Of two with the same priority the lower one, whatever their order.
SELECT (pg_temp.event('{"card": ["twin2", "twin1"]}')).known_by;
SELECT * FROM o2o.identity_verify();

-- Values that identify nobody are left out.
SELECT v.ids, e.outcome, e.known_by FROM (VALUES
	('{"card": "0000"}'::jsonb), ('{"card": "NULL"}'), ('{"email": "noreply@shop.example"}'), ('{"email": "who@example.com"}'),
	('{"device": "00000000-0000-0000-0000-000000000000"}'), ('{"device": "9774d56d682e549c"}'), ('{"cookie": "xxxxx"}'), ('{"card": "aaaaaa"}'),
	('{"phone": "+8611111111111"}'), ('{"phone": "+4915211111111"}'), ('{"card": "test", "phone": "+8613800138000"}')) v (ids),
	LATERAL pg_temp.event(v.ids) e;
SELECT count(*) AS blocked_in_table FROM o2o.profile_identifier WHERE identifier::text ~ '^(card:(0000|null|test|a+)|email:(noreply|who)|device:[09][07]|cookie:x|phone:\+86111)';
INSERT INTO o2o.identifier_block VALUES ('card', '^STAFF', 'card of the till');
SELECT outcome FROM pg_temp.event('{"card": "STAFF-7"}');
SELECT * FROM o2o.identity_verify();

-- What is refused, and that no error tells somebody's number.
SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.identify('{"passport": "X123"}', 'pos')$$,
	$$SELECT o2o.identify('{"card": "1"}', 'nowhere')$$,
	$$SELECT o2o.identify('{"card": "1"}', NULL)$$,
	$$SELECT o2o.identify('{"email": "ann at shop"}', 'pos')$$,
	$$SELECT o2o.identify('{"phone": "138 0013 8000"}', 'pos')$$,
	$$SELECT o2o.identify('{"phone": "12"}', 'wechat')$$,
	$$SELECT o2o.identify('"card:1"', 'pos')$$,
	$$SELECT o2o.identify('{"card": {"no": 1}}', 'pos')$$,
	$$SELECT o2o.identify(jsonb_build_object('card', (SELECT jsonb_agg('c' || n) FROM generate_series(1, 101) n)), 'pos')$$,
	$$SELECT o2o.identify('{"card": "finite"}', 'pos', occurred_at => 'infinity')$$,
	$$SELECT o2o.identify('{"card": "finite"}', 'pos', occurred_at => '-infinity')$$,
	$$SELECT o2o.customer_lookup('nonsense')$$]) q;
INSERT INTO o2o.identifier_kind (kind, priority, description) VALUES ('passport', 99, 'Passport');
SELECT * FROM pg_temp.event('{"passport": "X123", "phone": "+8613800138000"}');
-- No time given is now; no identifier and no traits are nobody.
SELECT outcome FROM o2o.identify('{"card": "timeless"}', 'pos', occurred_at => NULL);
SELECT count(*) AS seen_today FROM o2o.profile_identifier WHERE identifier = 'card:timeless' AND last_seen_at > now() - interval '1 hour';
SELECT outcome FROM o2o.identify(NULL, 'pos');
SELECT * FROM o2o.identity_verify();

-- Rules. A unique kind: two union ids are two people. The link is refused and on record.
SELECT * FROM pg_temp.event('{"unionid": "u-left", "phone": "+8613700000001"}', 'wechat');
SELECT * FROM pg_temp.event('{"unionid": "u-right", "phone": "+8613700000001"}', 'wechat', event_id => 'e-right');
SELECT * FROM pg_temp.event('{"unionid": "u-right", "phone": "+8613700000001"}', 'wechat', event_id => 'e-right');
SELECT * FROM pg_temp.event('{"unionid": ["u-a", "u-b"], "card": "ab"}', 'wechat');
-- An open id is unique within its app, a record number within its source.
SELECT * FROM pg_temp.event('{"openid": ["wxa/1", "wxb/1"]}', 'wechat');
SELECT * FROM pg_temp.event('{"openid": ["wxa/1", "wxa/2"]}', 'wechat');
SELECT * FROM pg_temp.event('{"ref": ["crm/1", "crm/2", "erp/1"]}', 'crm');
-- How many of a kind a customer may have, in one call and over several.
UPDATE o2o.identifier_kind SET max_per_customer = 2 WHERE kind = 'alipay';
SELECT * FROM pg_temp.event('{"alipay": ["a1", "a2", "a3"], "card": "ali"}', 'app');
SELECT * FROM pg_temp.event('{"alipay": "a4", "card": "ali"}', 'app');
SELECT * FROM pg_temp.event('{"card": "ali", "device": "ali-device"}', 'app');
-- The cap: 4 profiles at most, counted over a merge and a newcomer.
UPDATE o2o.setting SET value = '4' WHERE name = 'identity.customer_cap';
SELECT * FROM pg_temp.event('{"cookie": ["k1", "k2", "k3"]}', 'web');
SELECT * FROM pg_temp.event('{"cookie": ["k4", "k5"]}', 'web');
SELECT * FROM pg_temp.event('{"cookie": ["k1", "k4"]}', 'web');
SELECT * FROM pg_temp.event('{"cookie": ["k1", "k6"]}', 'web');
SELECT * FROM pg_temp.event('{"cookie": ["k1", "k7"]}', 'web');
UPDATE o2o.setting SET value = '100' WHERE name = 'identity.customer_cap';
SELECT status, source, reason, event_id, profiles FROM pg_temp.evidence WHERE status = 'suppressed';
SELECT * FROM o2o.identity_verify();
-- The other way to answer a conflict: the event is nobody's, and nobody is linked.
UPDATE o2o.setting SET value = 'anonymous' WHERE name = 'identity.on_conflict';
SELECT * FROM pg_temp.event('{"unionid": ["u-c", "u-d"], "card": "cd"}', 'wechat');
SELECT pg_temp.members(o2o.customer_lookup('unionid:u-c')) AS c, pg_temp.members(o2o.customer_lookup('unionid:u-d')) AS d, pg_temp.members(o2o.customer_lookup('card:cd')) AS card;
SELECT * FROM pg_temp.event('{"unionid": "u-c", "card": "cd"}', 'wechat');
UPDATE o2o.setting SET value = 'drop' WHERE name = 'identity.on_conflict';
SELECT * FROM o2o.identity_verify();

-- Traits: the latest value per profile, source and name; late news do not win; nothing from nothing.
SELECT outcome FROM o2o.identify('{"card": "trait"}', 'pos', '{"name": "Ann", "city": "Shanghai"}', occurred_at => '2026-02-01 00:00+00');
SELECT outcome FROM o2o.identify('{"card": "trait"}', 'pos', '{"name": "Anne", "birthday": "1990-01-02", "city": ""}', occurred_at => '2026-03-01 00:00+00');
SELECT outcome FROM o2o.identify('{"card": "trait"}', 'pos', '{"name": "Old", "points": 7, "vip": null}', occurred_at => '2026-01-01 00:00+00');
SELECT outcome FROM o2o.identify('{"card": "trait"}', 'crm', '{"name": "A. Li"}', occurred_at => '2026-01-01 00:00+00');
SELECT source, name, value, observed_at FROM o2o.profile_trait WHERE profile_id = pg_temp.profile('card:trait') ORDER BY source, name;
-- What was said again is as new as when it was said last.
SELECT outcome FROM o2o.identify('{"card": "trait"}', 'pos', '{"city": "Shanghai"}', occurred_at => '2026-04-01 00:00+00');
SELECT outcome FROM o2o.identify('{"card": "trait"}', 'pos', '{"city": "Suzhou"}', occurred_at => '2026-03-01 00:00+00');
SELECT value, observed_at FROM o2o.profile_trait WHERE profile_id = pg_temp.profile('card:trait') AND name = 'city';

-- Looking up: by identifier, by profile, by a customer id that was absorbed; nobody is NULL.
SELECT o2o.customer_lookup('card:88001') = o2o.customer_lookup('phone:+8613800138000') AS same,
	o2o.customer_lookup('card:never') IS NULL AS nobody, o2o.customer_lookup(NULL::o2o.identifier) IS NULL AS null_identifier;
SELECT bool_and(o2o.customer_lookup(p.profile_id) = p.customer_id) AS by_profile FROM o2o.profile p;
SELECT count(*) > 0 AS some, bool_and(o2o.customer_lookup(m.absorbed_customer_id) = o2o.customer_lookup(m.survivor_customer_id)) AS by_absorbed_id FROM o2o.identity_merge m;
SELECT o2o.customer_lookup(-1) IS NULL AS nobody, o2o.customer_lookup(NULL::bigint) IS NULL AS null_id;

-- Merging and taking back. Two people, each with orders and points on two profiles.
CREATE VIEW pg_temp.who AS
	SELECT 'profile' AS of, to_jsonb(p) AS state FROM o2o.profile p
	UNION ALL SELECT 'customer', to_jsonb(c) - 'changed_at' FROM o2o.customer c
	UNION ALL SELECT 'identifier', to_jsonb(i) FROM o2o.profile_identifier i
	UNION ALL SELECT 'trait', to_jsonb(t) FROM o2o.profile_trait t;
CREATE VIEW pg_temp.fact AS
	SELECT 'order' AS of, to_jsonb(o) AS state FROM o2o.sales_order o
	UNION ALL SELECT 'line', to_jsonb(l) FROM o2o.order_line l
	UNION ALL SELECT 'payment', to_jsonb(p) FROM o2o.payment p
	UNION ALL SELECT 'touchpoint', to_jsonb(t) FROM o2o.touchpoint t
	UNION ALL SELECT 'account', to_jsonb(a) FROM o2o.points_account a
	UNION ALL SELECT 'posting', to_jsonb(p) FROM o2o.points_posting p
	UNION ALL SELECT 'lot', to_jsonb(l) FROM o2o.points_lot l;
CREATE VIEW pg_temp.report AS SELECT to_jsonb(v) AS state FROM o2o.customer_360 v;
SELECT o2o.points_program_create('club', 'Club', 'CNY');
SELECT * FROM pg_temp.event('{"card": "lee", "phone": "+8613600000001"}');
SELECT * FROM pg_temp.event('{"card": "kim", "email": "kim@shop.example"}');
SELECT count(*) AS orders FROM (VALUES ('{"card": "lee"}'::jsonb, 'l1', 'pos'), ('{"phone": "+8613600000001"}', 'l2', 'web'), ('{"card": "kim"}', 'k1', 'pos'), ('{"email": "kim@shop.example"}', 'k2', 'web')) v (ids, id, channel),
	LATERAL o2o.order_place(v.ids, '[{"sku": "tea", "name": "Tea", "unit_price": 10}]', 'pos', v.id, v.channel, points_program => 'club') o;
SELECT balance FROM o2o.points_earn('email:kim@shop.example', 5, 'club');
CREATE TEMP TABLE who_before AS TABLE pg_temp.who;
CREATE TEMP TABLE fact_before AS TABLE pg_temp.fact;
CREATE TEMP TABLE report_before AS TABLE pg_temp.report;
CREATE FUNCTION pg_temp.difference() RETURNS TABLE (who bigint, facts bigint, report bigint) LANGUAGE sql AS $$
	SELECT (SELECT count(*) FROM ((TABLE who_before EXCEPT ALL TABLE pg_temp.who) UNION ALL (TABLE pg_temp.who EXCEPT ALL TABLE who_before)) d),
		(SELECT count(*) FROM ((TABLE fact_before EXCEPT ALL TABLE pg_temp.fact) UNION ALL (TABLE pg_temp.fact EXCEPT ALL TABLE fact_before)) d),
		(SELECT count(*) FROM ((TABLE report_before EXCEPT ALL TABLE pg_temp.report) UNION ALL (TABLE pg_temp.report EXCEPT ALL TABLE report_before)) d)
$$;
SELECT * FROM pg_temp.difference();
SELECT count(*) AS facts FROM fact_before;
-- By an event: one customer, not one fact changed.
SELECT * FROM pg_temp.event('{"card": "kim", "phone": "+8613600000001"}', event_id => 'typing-error');
SELECT * FROM pg_temp.difference();
SELECT web_orders, store_orders, web_sales, store_sales, points_available FROM o2o.customer_360 WHERE customer_id = o2o.customer_lookup('card:lee');
SELECT available FROM o2o.points_balance('card:kim');
SELECT max(merge_id) AS merge FROM o2o.identity_merge \gset
SELECT pg_temp.person(m.survivor_customer_id) AS survivor, pg_temp.person(m.absorbed_customer_id) AS absorbed, cardinality(m.survivor_profiles) AS survivors, cardinality(m.absorbed_profiles) AS absorbed_profiles, m.merged_by = session_user AS by_me, m.undone_at IS NULL AS holds
FROM o2o.identity_merge m WHERE merge_id = :merge;
SELECT * FROM o2o.identity_verify();
-- Taken back: each has what it had, under the ids it had.
SELECT pg_temp.members(u.customer_id) AS customer, u.customer_id = u.profiles[1] AS lowest, cardinality(u.profiles) AS profiles
FROM o2o.customer_unmerge(merge_id => :merge, reason => 'wrong card') u ORDER BY 1;
SELECT * FROM pg_temp.difference();
SELECT undone_at IS NOT NULL AS undone, undone_by = session_user AS by_me, undo_reason FROM o2o.identity_merge WHERE merge_id = :merge;
SELECT status, rule, source, reason, profiles FROM pg_temp.evidence WHERE profiles = 'card:KIM phone:+8613600000001';
SELECT * FROM o2o.identity_verify();
-- A second time there is nothing to take back; what never was is not found.
SELECT replace(pg_temp.try(format($$SELECT o2o.customer_unmerge(%s, 'again')$$, :merge)), ' ' || :merge || '.', ' N.');
SELECT pg_temp.try($$SELECT o2o.customer_unmerge(-5, 'never')$$);
SELECT pg_temp.try($$SELECT o2o.customer_unmerge(NULL, 'never')$$);
-- The same event again, and the same pair from elsewhere: kept apart, on record.
SELECT * FROM pg_temp.event('{"card": "kim", "phone": "+8613600000001"}', event_id => 'typing-error');
SELECT * FROM pg_temp.event('{"email": "kim@shop.example", "card": "lee"}', 'web');
SELECT * FROM pg_temp.difference();
SELECT * FROM o2o.identity_verify();
-- A merge by hand stands above that, and can be taken back like any other.
SELECT o2o.customer_merge('card:kim', 'card:lee', 'a couple, one household card') = o2o.customer_lookup('card:lee') AS survivor;
SELECT pg_temp.members(o2o.customer_lookup('card:kim')) AS customer;
SELECT status, rule, source, reason, profiles FROM pg_temp.evidence WHERE profiles ~ 'card:(KIM|LEE)' AND status <> 'suppressed';
SELECT * FROM o2o.identity_verify();
SELECT o2o.customer_merge('card:kim', 'phone:+8613600000001', 'said twice') = o2o.customer_lookup('card:lee') AS survivor;
SELECT count(*) AS parts FROM o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'no, two people');
SELECT * FROM pg_temp.difference();
SELECT * FROM o2o.identity_verify();
-- By ids; with itself; with nobody; past the cap.
SELECT o2o.customer_merge(pg_temp.profile('email:kim@shop.example'), pg_temp.profile('phone:+8613600000001'), 'by id') = o2o.customer_lookup('card:lee') AS survivor;
SELECT count(*) AS parts FROM o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'no');
SELECT o2o.customer_merge('card:kim', 'card:kim', 'oneself') = o2o.customer_lookup('card:kim') AS itself;
UPDATE o2o.setting SET value = '3' WHERE name = 'identity.customer_cap';
SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.customer_merge('card:kim', 'card:lee', 'too many')$$,
	$$SELECT o2o.customer_merge('card:kim', 'card:nobody', 'who')$$,
	$$SELECT o2o.customer_merge(-1, -2, 'who')$$,
	$$SELECT o2o.customer_merge(NULL::bigint, o2o.customer_lookup('card:kim'), 'who')$$]) q;
UPDATE o2o.setting SET value = '100' WHERE name = 'identity.customer_cap';
SELECT * FROM pg_temp.difference();
SELECT * FROM o2o.identity_verify();

-- Points spent and orders placed while two were one stay with the profile that
-- did it. (kim has 25, lee 20.)
SELECT * FROM pg_temp.event('{"card": ["mix-a", "mix-b"]}');
SELECT o2o.customer_merge('card:kim', 'card:lee', 'one person') IS NOT NULL AS merged;
SELECT balance FROM o2o.points_burn('card:kim', 30, 'club');
SELECT points_balance FROM o2o.order_place('{"card": "kim"}', '[{"sku": "tea", "unit_price": 10}]', 'pos', 'k3', 'pos', points_program => 'club');
SELECT count(*) AS parts FROM o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'two people');
SELECT web_orders, store_orders, points_available FROM o2o.customer_360 WHERE customer_id = o2o.customer_lookup('card:kim');
SELECT web_orders, store_orders, points_available FROM o2o.customer_360 WHERE customer_id = o2o.customer_lookup('card:lee');
SELECT * FROM o2o.points_verify();
SELECT * FROM o2o.identity_verify();

-- Three customers, one event: its merges can be taken back one by one, in any order.
SELECT outcome FROM pg_temp.event('{"card": "t1"}') UNION ALL SELECT outcome FROM pg_temp.event('{"card": "t2"}') UNION ALL SELECT outcome FROM pg_temp.event('{"card": "t3"}');
SELECT * FROM pg_temp.event('{"card": ["t1", "t2", "t3"]}');
SELECT array_agg(merge_id ORDER BY merge_id) AS merges FROM (SELECT merge_id FROM o2o.identity_merge ORDER BY merge_id DESC LIMIT 2) m \gset
SELECT pg_temp.members(u.customer_id) AS customer FROM o2o.customer_unmerge((:'merges'::bigint[])[1], 'first') u ORDER BY 1;
SELECT pg_temp.members(u.customer_id) AS customer FROM o2o.customer_unmerge((:'merges'::bigint[])[2], 'second') u ORDER BY 1;
SELECT * FROM pg_temp.event('{"card": ["t1", "t2", "t3"]}');
SELECT * FROM o2o.identity_verify();
-- The second merge alone: the first stands, and neither of its two links the third again.
SELECT outcome FROM pg_temp.event('{"card": "w1"}') UNION ALL SELECT outcome FROM pg_temp.event('{"card": "w2"}') UNION ALL SELECT outcome FROM pg_temp.event('{"card": "w3"}');
SELECT * FROM pg_temp.event('{"card": ["w1", "w2", "w3"]}');
SELECT max(merge_id) AS second FROM o2o.identity_merge \gset
SELECT pg_temp.members(u.customer_id) AS customer FROM o2o.customer_unmerge(:second, 'not the third') u ORDER BY 1;
SELECT * FROM pg_temp.event('{"card": ["w2", "w3"]}');
SELECT pg_temp.members(u.customer_id) AS customer FROM o2o.customer_unmerge(:second - 1, 'nor the second') u ORDER BY 1;
SELECT * FROM o2o.identity_verify();

-- A merge that other evidence holds is not taken back, and nothing is changed.
SELECT outcome FROM pg_temp.event('{"card": "x1"}') UNION ALL SELECT outcome FROM pg_temp.event('{"card": "x2"}');
SELECT * FROM pg_temp.event('{"card": ["x1", "x2"]}');
SELECT max(merge_id) AS held FROM o2o.identity_merge \gset
SELECT * FROM pg_temp.event('{"card": "x1", "email": "x@shop.example"}');
SELECT * FROM pg_temp.event('{"card": "x2", "email": "x@shop.example"}');
CREATE TEMP TABLE all_before AS SELECT to_jsonb(e) AS row FROM o2o.identity_evidence e UNION ALL SELECT to_jsonb(m) FROM o2o.identity_merge m
	UNION ALL SELECT to_jsonb(h) FROM o2o.customer_change h UNION ALL SELECT to_jsonb(p) FROM o2o.profile p UNION ALL SELECT to_jsonb(c) FROM o2o.customer c;
SELECT regexp_replace(pg_temp.try(format($$SELECT o2o.customer_unmerge(%s, 'wrong')$$, :held)), '\d+, \d+', 'N, N');
SELECT count(*) AS changed FROM (
	(SELECT to_jsonb(e) AS row FROM o2o.identity_evidence e UNION ALL SELECT to_jsonb(m) FROM o2o.identity_merge m
	UNION ALL SELECT to_jsonb(h) FROM o2o.customer_change h UNION ALL SELECT to_jsonb(p) FROM o2o.profile p UNION ALL SELECT to_jsonb(c) FROM o2o.customer c)
	EXCEPT ALL TABLE all_before) d;
-- One piece of the other evidence taken back, and the merge can be undone; the
-- same events again join nothing.
SELECT e.evidence_id AS piece FROM o2o.identity_evidence e WHERE e.status = 'link' AND e.profiles = ARRAY[pg_temp.profile('card:x2'), pg_temp.profile('email:x@shop.example')] \gset
SELECT pg_temp.members(r.customer_id) AS customer FROM o2o.evidence_retract(:piece, 'wrong mail') r;
SELECT pg_temp.members(r.customer_id) AS customer FROM o2o.customer_unmerge(:held, 'wrong') r ORDER BY 1;
SELECT * FROM pg_temp.event('{"card": ["x1", "x2"]}');
SELECT * FROM pg_temp.event('{"card": "x2", "email": "x@shop.example"}');
SELECT status, reason, profiles FROM pg_temp.evidence WHERE profiles ~ 'card:X';
SELECT * FROM o2o.identity_verify();
-- Undoing asks who is together now, not who was: the first link of a side was
-- taken back before its merge was.
SELECT outcome FROM pg_temp.event('{"card": ["y1", "y2"]}') UNION ALL SELECT outcome FROM pg_temp.event('{"card": ["y5", "y6"]}') UNION ALL SELECT outcome FROM pg_temp.event('{"card": ["y2", "y6"]}');
SELECT max(merge_id) AS merge FROM o2o.identity_merge \gset
SELECT e.evidence_id AS piece FROM o2o.identity_evidence e WHERE e.profiles = ARRAY[pg_temp.profile('card:y1'), pg_temp.profile('card:y2')] \gset
SELECT pg_temp.members(r.customer_id) AS customer FROM o2o.evidence_retract(:piece, 'not one') r ORDER BY 1;
SELECT pg_temp.members(r.customer_id) AS customer FROM o2o.customer_unmerge(:merge, 'nor these') r ORDER BY 1;
SELECT * FROM o2o.identity_verify();

-- Evidence taken back by itself: the chain falls into its parts, again not to be joined.
SELECT outcome FROM pg_temp.event('{"card": "chain1", "device": "chain2"}', 'app') UNION ALL SELECT outcome FROM pg_temp.event('{"device": "chain2", "cookie": "chain3"}', 'web');
SELECT e.evidence_id AS piece FROM o2o.identity_evidence e WHERE e.profiles = ARRAY[pg_temp.profile('card:chain1'), pg_temp.profile('device:chain2')] \gset
SELECT pg_temp.members(r.customer_id) AS customer, r.customer_id = r.profiles[1] AS lowest FROM o2o.evidence_retract(:piece, 'shop tablet') r ORDER BY 1;
SELECT replace(pg_temp.try(format($$SELECT o2o.evidence_retract(%s, 'again')$$, :piece)), ' ' || :piece || '.', ' N.');
SELECT * FROM pg_temp.event('{"card": "chain1", "device": "chain2"}', 'app');
SELECT * FROM pg_temp.event('{"card": "chain1", "cookie": "chain3"}', 'web');
SELECT status, source, reason, profiles FROM pg_temp.evidence WHERE profiles ~* 'chain';
SELECT * FROM o2o.identity_verify();

-- Why are they one? The shortest path, values masked.
SELECT outcome FROM pg_temp.event('{"card": "path-1", "email": "path@shop.example"}', 'pos', '2026-01-01 00:00+00')
UNION ALL SELECT outcome FROM pg_temp.event('{"email": "path@shop.example", "unionid": "path-2"}', 'wechat', '2026-01-02 00:00+00')
UNION ALL SELECT outcome FROM pg_temp.event('{"unionid": "path-2", "device": "path-3"}', 'app', '2026-01-03 00:00+00')
UNION ALL SELECT outcome FROM pg_temp.event('{"device": "path-3", "cookie": "path-4"}', 'web', '2026-01-04 00:00+00');
SELECT * FROM o2o.identity_explain('card:path-1', 'cookie:path-4');
SELECT outcome FROM pg_temp.event('{"card": "path-1", "device": "path-3"}', 'crm', '2026-01-05 00:00+00');
SELECT * FROM o2o.identity_explain('card:path-1', 'cookie:path-4');
SELECT step, "from", "to" FROM o2o.identity_explain('cookie:path-4', 'email:path@shop.example');
SELECT count(*) AS of_oneself FROM o2o.identity_explain('card:path-1', 'card:path-1');
SELECT count(*) AS of_strangers FROM o2o.identity_explain('card:path-1', 'card:kim');
SELECT count(*) AS by_id FROM o2o.identity_explain(pg_temp.profile('card:path-1'), pg_temp.profile('device:path-3'));
SELECT o2o.customer_merge('card:path-1', 'card:mix-a', 'known in the shop') IS NOT NULL AS merged;
SELECT step, "from", "to", rule, source FROM o2o.identity_explain('card:mix-b', 'card:path-1');
SELECT pg_temp.try($$SELECT o2o.identity_explain('card:path-1', 'phone:+8613612345678')$$);

-- The stream of changes: every profile that moved, once, in order, and back.
SELECT coalesce(max(seq), 0) AS seen FROM o2o.customer_changes() \gset
SELECT outcome FROM pg_temp.event('{"card": "ch1", "email": "ch1@shop.example"}') UNION ALL SELECT outcome FROM pg_temp.event('{"card": "ch2", "email": "ch2@shop.example"}');
SELECT count(*) AS of_new_customers FROM o2o.customer_changes(:seen);
SELECT outcome FROM pg_temp.event('{"card": ["ch1", "ch2"]}');
SELECT count(*) AS parts FROM o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'two');
SELECT dense_rank() OVER (ORDER BY seq) AS step, seq > :seen AS later, pg_temp.person(profile_id) AS profile, pg_temp.person(old_customer_id) AS old, pg_temp.person(new_customer_id) AS new, cause
FROM o2o.customer_changes(:seen) ORDER BY seq, 3;
SELECT max(seq) AS seen FROM o2o.customer_changes() \gset
SELECT count(*) AS repeated FROM o2o.customer_changes(:seen);
-- Replayed from the beginning it gives today's customer of every profile.
SELECT count(*) AS wrong FROM o2o.profile p JOIN (
	SELECT DISTINCT ON (c.profile_id) c.profile_id, c.new_customer_id FROM o2o.customer_change c ORDER BY c.profile_id, c.seq DESC, c.change_id DESC) l USING (profile_id)
WHERE p.customer_id <> l.new_customer_id;

-- Records of source systems.
SELECT outcome FROM pg_temp.event('{"ref": ["crm/10023", "erp/a/b"], "card": "refs"}', 'crm');
SELECT source, source_id, customer_id = o2o.customer_lookup('card:refs') AS same FROM o2o.customer_ref WHERE customer_id = o2o.customer_lookup('card:refs') ORDER BY source;
SELECT count(*) = (SELECT count(*) FROM o2o.profile_identifier WHERE o2o.identifier_kind(identifier) = 'ref') AS all_of_them FROM o2o.customer_ref;

-- A phone number that somebody else has now. Once by time: unseen for longer than
-- its time to live.
SELECT * FROM pg_temp.event('{"phone": "+8613512345678", "card": "old-owner"}', at => now() - interval '3 years');
SELECT points_balance FROM o2o.order_place('{"phone": "+8613512345678"}', '[{"sku": "tea", "unit_price": 40}]', 'pos', 'r1', 'pos', points_program => 'club', ordered_at => now() - interval '3 years');
SELECT available FROM o2o.points_balance('card:old-owner');
SELECT o2o.customer_lookup('phone:+8613512345678') IS NULL AS nobody_any_more;
SELECT pg_temp.try($$SELECT o2o.points_balance('phone:+8613512345678')$$);
SELECT * FROM pg_temp.event('{"phone": "+8613512345678", "card": "new-owner"}');
SELECT count(*) AS programs FROM o2o.points_balance('phone:+8613512345678');
SELECT web_orders + store_orders AS orders, points_available FROM o2o.customer_360 WHERE customer_id = o2o.customer_lookup('phone:+8613512345678');
SELECT count(*) AS timeline FROM o2o.customer_timeline WHERE customer_id = o2o.customer_lookup('card:new-owner');
SELECT store_orders, points_available FROM o2o.customer_360 WHERE customer_id = o2o.customer_lookup('card:old-owner');
SELECT points_balance FROM o2o.order_place('{"phone": "+8613512345678"}', '[{"sku": "tea", "unit_price": 7}]', 'pos', 'r2', 'pos', points_program => 'club');
SELECT available FROM o2o.points_balance('card:old-owner') UNION ALL SELECT available FROM o2o.points_balance('card:new-owner');
SELECT pg_temp.person(p.profile_id) AS was, pg_temp.person(p.successor_profile_id) AS is, p.valid_to = p.valid_from + interval '2 years' AS time_to_live, p.reason FROM o2o.identifier_period p;
-- What comes late belongs to who had the number when it happened; between the two, to the new owner.
SELECT customer_id = o2o.customer_lookup('card:old-owner') AS old_owner FROM o2o.order_place('{"phone": "+8613512345678"}', '[{"sku": "tea", "unit_price": 7}]', 'pos', 'r4', 'pos', points_program => 'club',
	ordered_at => (SELECT valid_from + interval '1 day' FROM o2o.identifier_period));
SELECT customer_id = o2o.customer_lookup('card:new-owner') AS new_owner FROM o2o.order_place('{"phone": "+8613512345678"}', '[{"sku": "tea", "unit_price": 7}]', 'pos', 'r5', 'pos', points_program => 'club',
	ordered_at => (SELECT valid_to + interval '1 second' FROM o2o.identifier_period));
-- The old owner's side knows the number as one that is no longer in use.
SELECT step, "from", "to" FROM o2o.identity_explain(o2o.customer_lookup('card:old-owner'), (SELECT profile_id FROM o2o.identifier_period)) UNION ALL
SELECT step, "from", "to" FROM o2o.identity_explain(pg_temp.profile('card:old-owner'), (SELECT profile_id FROM o2o.identifier_period)) ORDER BY 1;
SELECT * FROM o2o.identity_verify();
-- Seen again within the time to live, in steps: it stays who it was.
SELECT outcome FROM pg_temp.event('{"phone": "+8613587654321", "card": "loyal"}', at => now() - interval '5 years')
UNION ALL SELECT outcome FROM pg_temp.event('{"phone": "+8613587654321"}', at => now() - interval '42 months')
UNION ALL SELECT outcome FROM pg_temp.event('{"phone": "+8613587654321"}', at => now() - interval '20 months')
UNION ALL SELECT outcome FROM pg_temp.event('{"phone": "+8613587654321"}');
SELECT o2o.customer_lookup('phone:+8613587654321') = o2o.customer_lookup('card:loyal') AS same;
-- And once by saying so.
SELECT available FROM o2o.points_balance('card:lee');
SELECT points_balance FROM o2o.order_place('{"phone": "+8613600000001"}', '[{"sku": "tea", "unit_price": 3}]', 'pos', 'r3', 'pos', points_program => 'club');
SELECT o2o.identifier_reassign('phone:+8613600000001', 'new contract') = pg_temp.profile('phone:+8613600000001') AS fresh;
SELECT count(*) AS programs FROM o2o.points_balance('phone:+8613600000001');
SELECT web_orders + store_orders AS orders, points_available FROM o2o.customer_360 WHERE customer_id = o2o.customer_lookup('phone:+8613600000001');
SELECT web_orders + store_orders AS orders, points_available FROM o2o.customer_360 WHERE customer_id = o2o.customer_lookup('card:lee');
SELECT * FROM pg_temp.event('{"phone": "+8613600000001", "card": "heir"}');
SELECT reason, count(*) FROM o2o.identifier_period GROUP BY reason ORDER BY reason;
-- What many people used links nobody when it went to a new owner, by its age or by saying so.
UPDATE o2o.identifier_kind SET shared_threshold = 2 WHERE kind = 'phone';
SELECT count(*) AS events FROM generate_series(1, 4) n, LATERAL o2o.identify(jsonb_build_object('unionid', 'hall' || n, 'phone', '+8613600000011'), 'pos');
SELECT count(*) AS events FROM generate_series(1, 4) n, LATERAL o2o.identify(jsonb_build_object('unionid', 'desk' || n, 'phone', '+8613600000012'), 'pos', occurred_at => now() - interval '3 years');
UPDATE o2o.identifier_kind SET shared_threshold = 10 WHERE kind = 'phone';
SELECT identifier FROM o2o.profile_identifier WHERE is_shared ORDER BY identifier;
SELECT o2o.identifier_reassign('phone:+8613600000011', 'no hot line any more') = pg_temp.profile('phone:+8613600000011') AS fresh;
SELECT * FROM pg_temp.event('{"phone": "+8613600000012"}');
SELECT reason, count(*) FROM o2o.identifier_period GROUP BY reason ORDER BY reason;
-- A clock that is ahead keeps no number from being recycled.
SELECT outcome FROM pg_temp.event('{"phone": "+8613600000013"}', at => '294276-12-01');
SELECT last_seen_at <= now() AS seen_by_now FROM o2o.profile_identifier WHERE identifier = 'phone:+8613600000013';
SELECT o2o.customer_lookup('phone:+8613600000013') IS NOT NULL AS found;
SELECT pg_temp.try(q) FROM unnest(ARRAY[$$SELECT o2o.identifier_reassign('card:nobody', 'x')$$, $$SELECT o2o.identifier_reassign(NULL, 'x')$$]) q;
SELECT * FROM o2o.identity_verify();
SELECT * FROM o2o.points_verify();

-- What is wrong is found: each by its own name, in transactions that are undone.
CREATE PROCEDURE pg_temp.damage(title text, damage text) LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
	EXECUTE damage;
	found := (SELECT string_agg(DISTINCT v."check", ' + ' ORDER BY v."check") FROM o2o.identity_verify() v);
	ROLLBACK;
	RAISE INFO '%: %', title, found;
END $$;
CALL pg_temp.damage('a profile moved to another customer', $$UPDATE o2o.profile SET customer_id = o2o.customer_lookup('card:kim') WHERE profile_id = pg_temp.profile('card:lee')$$);
CALL pg_temp.damage('two customers became one without evidence, counts kept', $$WITH moved AS (
		UPDATE o2o.profile SET customer_id = o2o.customer_lookup('card:t1') WHERE customer_id = o2o.customer_lookup('card:1000000001') RETURNING 1),
	absorbed AS (UPDATE o2o.customer SET profile_count = 0 WHERE customer_id = o2o.customer_lookup('card:1000000001'))
	UPDATE o2o.customer SET profile_count = profile_count + (SELECT count(*) FROM moved) WHERE customer_id = o2o.customer_lookup('card:t1')$$);
CALL pg_temp.damage('evidence was deleted', $$DELETE FROM o2o.identity_evidence WHERE profiles @> ARRAY[pg_temp.profile('card:88001')] AND status = 'link'$$);
CALL pg_temp.damage('evidence that nobody followed', $$INSERT INTO o2o.identity_evidence (profile_id, profiles, status, rule, source, occurred_at, last_seen_at)
	SELECT least(a, b), ARRAY[least(a, b), greatest(a, b)], 'link', 'event', 'pos', now(), now() FROM (SELECT pg_temp.profile('card:88001') AS a, pg_temp.profile('card:heir') AS b) p$$);
CALL pg_temp.damage('a wrong count', $$UPDATE o2o.customer SET profile_count = profile_count + 1 WHERE customer_id = o2o.customer_lookup('card:kim')$$);
CALL pg_temp.damage('an absorbed customer counts again', $$UPDATE o2o.customer SET profile_count = 1 WHERE customer_id = (SELECT min(absorbed_customer_id) FROM o2o.identity_merge WHERE undone_at IS NULL)$$);
CALL pg_temp.damage('a customer is missing', $$DELETE FROM o2o.customer WHERE customer_id = o2o.customer_lookup('card:kim')$$);
CALL pg_temp.damage('a profile is missing', $$DELETE FROM o2o.profile WHERE profile_id = pg_temp.profile('card:heir')$$);
CALL pg_temp.damage('an identifier means no profile', $$UPDATE o2o.profile_identifier SET profile_id = -1 WHERE identifier = 'card:timeless'$$);
CALL pg_temp.damage('two that cannot link are one', $$UPDATE o2o.identity_evidence SET status = 'cannot_link' WHERE status = 'link' AND profiles = ARRAY[pg_temp.profile('card:ch1'), pg_temp.profile('email:ch1@shop.example')]$$);
CALL pg_temp.damage('two that cannot link are linked too', $$INSERT INTO o2o.identity_evidence (profile_id, profiles, status, rule, source, occurred_at, last_seen_at)
	SELECT e.profile_id, e.profiles, 'cannot_link', 'manual', 'manual', now(), now() FROM o2o.identity_evidence e WHERE e.status = 'link' AND e.profiles = ARRAY[pg_temp.profile('card:ch1'), pg_temp.profile('email:ch1@shop.example')]$$);
CALL pg_temp.damage('an identifier is shared, its links stand', $$UPDATE o2o.profile_identifier SET is_shared = true WHERE identifier = 'email:path@shop.example'$$);
CALL pg_temp.damage('nothing', 'SELECT 1');

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_identity_customer;
DROP ROLE o2o_identity_owner;
