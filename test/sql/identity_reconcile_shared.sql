-- A shared_threshold or a time_to_live that was changed, applied to what was linked before.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_identity_reconcile_shared;
CREATE DATABASE o2o_identity_reconcile_shared;
\c o2o_identity_reconcile_shared
SET client_min_messages = warning;
CREATE ROLE o2o_reconcile_shared_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_reconcile_shared_owner;
CALL o2o.setup(owner => 'o2o_reconcile_shared_owner');
RESET client_min_messages;
SET ROLE o2o_reconcile_shared_owner;
SET search_path = public, o2o;
CREATE VIEW pg_temp.people AS
	SELECT string_agg(i.identifier::text || CASE WHEN i.is_shared THEN ' (shared)' ELSE '' END, ' ' ORDER BY i.identifier::text COLLATE "C") AS customer
	FROM o2o.profile p JOIN o2o.profile_identifier i USING (profile_id) GROUP BY p.customer_id ORDER BY 1;
CREATE FUNCTION pg_temp.named(profiles bigint[]) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(coalesce(i.identifier::text, 'once ' || p.kind), ' ' ORDER BY coalesce(i.identifier::text, p.kind) COLLATE "C")
	FROM o2o.profile p LEFT JOIN o2o.profile_identifier i USING (profile_id) WHERE p.profile_id = ANY (profiles) $$;
CREATE FUNCTION pg_temp.reconcile(dry_run boolean) RETURNS TABLE (change text, who text, reason text) LANGUAGE sql AS $$
	SELECT r.change, pg_temp.named(r.profiles), r.reason FROM o2o.identity_reconcile(dry_run) r $$;
CREATE FUNCTION pg_temp.points(person o2o.identifier) RETURNS o2o.points LANGUAGE sql AS $$ SELECT b.balance FROM o2o.points_balance(person) b $$;

-- Three people and a tablet of the shop. The second was seen with the tablet and an e-mail at once.
SELECT outcome FROM identify('{"device": "tablet", "unionid": "u1"}', 'pos', NULL, 'e1', '2026-01-01 10:00+00');
SELECT outcome FROM identify('{"device": "tablet", "unionid": "u2", "email": "b@shop.cn"}', 'pos', NULL, 'e2', '2026-01-02 10:00+00');
UPDATE o2o.identifier_kind SET is_unique = false, max_per_customer = 5 WHERE kind = 'unionid';
SELECT outcome FROM identify('{"device": "tablet", "unionid": "u2", "email": "b@shop.cn"}', 'pos', NULL, 'e3', '2026-01-03 10:00+00');
SELECT outcome FROM identify('{"device": "tablet", "unionid": "u3"}', 'pos', NULL, 'e4', '2026-01-04 10:00+00');
SELECT outcome FROM identify('{"card": "9", "unionid": "u3"}', 'pos', NULL, 'e5', '2026-01-05 10:00+00');
TABLE pg_temp.people;
SELECT count(*) FROM identity_reconcile();
-- Points stand with a profile, whatever becomes of its customer.
SELECT points_program_create('stars', 'Stars', 'CNY', value_per_point => 0.1);
SELECT points_earn('card:9', 10, 'stars') IS NOT NULL AS earned, points_earn('unionid:u1', 5, 'stars') IS NOT NULL AS earned;
SELECT pg_temp.points('card:9');

-- Lower: shared by now.
UPDATE o2o.identifier_kind SET shared_threshold = 3 WHERE kind = 'device';
SELECT * FROM pg_temp.reconcile(true);
TABLE pg_temp.people;
SELECT * FROM pg_temp.reconcile(false);
TABLE pg_temp.people;
SELECT * FROM identity_verify();
SELECT count(*) FROM identity_reconcile();
SELECT pg_temp.points('card:9'), pg_temp.points('unionid:u1');
SELECT outcome FROM identify('{"device": "tablet", "unionid": "u4"}', 'pos', NULL, 'e6', '2026-01-06 10:00+00');

-- Higher: ordinary again; what it brought together before it was marked is together again.
UPDATE o2o.identifier_kind SET shared_threshold = 4 WHERE kind = 'device';
SELECT * FROM pg_temp.reconcile(true);
SELECT * FROM pg_temp.reconcile(false);
TABLE pg_temp.people;
SELECT * FROM identity_verify();
SELECT count(*) FROM identity_reconcile();
SELECT pg_temp.points('card:9');
SELECT DISTINCT "from", "to", rule, source FROM identity_explain(customer_lookup('unionid:u1'), identifier_profile('unionid:u3'));

-- As far as another rule allows: the third union id is one too many. Both ways, twice.
UPDATE o2o.identifier_kind SET shared_threshold = 3 WHERE kind = 'device';
UPDATE o2o.identifier_kind SET max_per_customer = 2 WHERE kind = 'unionid';
SELECT * FROM pg_temp.reconcile(false);
UPDATE o2o.identifier_kind SET shared_threshold = NULL WHERE kind = 'device';
SELECT * FROM pg_temp.reconcile(false);
TABLE pg_temp.people;
SELECT kind_a, kind_b, reason, event_id FROM o2o.identity_review;
SELECT * FROM identity_verify();
SELECT count(*) FROM identity_reconcile();
UPDATE o2o.identifier_kind SET shared_threshold = 3 WHERE kind = 'device';
SELECT * FROM pg_temp.reconcile(false);
SELECT * FROM identity_verify();
SELECT count(*) FROM identity_reconcile();

-- Marked by hand: no threshold makes it ordinary.
UPDATE o2o.profile_identifier SET is_shared = true WHERE identifier = 'unionid:u4';
UPDATE o2o.identifier_kind SET shared_threshold = NULL;
SELECT * FROM pg_temp.reconcile(true);

-- A shared identifier that was handed on belongs to the new one: what detection took back before stays taken back.
SELECT identifier_reassign('device:tablet', 'sold') IS NOT NULL AS reassigned;
SELECT * FROM pg_temp.reconcile(true);
TABLE pg_temp.people;

-- A recycled number: two people had it, and each keeps what was theirs.
SELECT outcome FROM identify('{"phone": "+8613800138000", "card": "a"}', 'pos', NULL, 't1', '2020-01-01 10:00+00');
SELECT outcome FROM identify('{"phone": "+8613800138000", "card": "b"}', 'pos', NULL, 't2', '2024-01-01 10:00+00');
SELECT points_earn('card:a', 7, 'stars') IS NOT NULL AS earned, points_earn('card:b', 1, 'stars') IS NOT NULL AS earned;
SELECT count(*) FROM identity_reconcile();
-- It would not have expired: one person.
UPDATE o2o.identifier_kind SET time_to_live = interval '5 years' WHERE kind = 'phone';
SELECT * FROM pg_temp.reconcile(true);
SELECT * FROM pg_temp.reconcile(false);
TABLE pg_temp.people;
SELECT pg_temp.points('card:b');
SELECT * FROM identity_verify();
SELECT count(*) FROM identity_reconcile();
SELECT rule, "from", "to" FROM identity_explain(customer_lookup('card:a'), identifier_profile('card:b')) ORDER BY 1, 2, 3;
-- Who had it when stays; an event of then is the first one's.
SELECT count(*), min(reason) FROM o2o.identifier_period WHERE reason = 'expired';
-- Shorter again: two people. Longer: one, for good if a person does not say otherwise.
UPDATE o2o.identifier_kind SET time_to_live = interval '3 years' WHERE kind = 'phone';
SELECT * FROM pg_temp.reconcile(true);
SELECT * FROM pg_temp.reconcile(false);
TABLE pg_temp.people;
SELECT pg_temp.points('card:a'), pg_temp.points('card:b');
SELECT * FROM identity_verify();
SELECT count(*) FROM identity_reconcile();
SELECT kind_a, kind_b, reason FROM o2o.identity_review WHERE reason LIKE 'time%';
UPDATE o2o.identifier_kind SET time_to_live = NULL WHERE kind = 'phone';
SELECT * FROM pg_temp.reconcile(false);
SELECT * FROM identity_verify();
SELECT count(*) FROM customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'two people');
SELECT * FROM pg_temp.reconcile(false);
-- A shorter one does not divide the time of a number that never expired; unseen for so long, it is nobody's, and at the next event somebody else's.
SELECT outcome FROM identify('{"phone": "+8613800138001", "card": "c"}', 'pos', NULL, 't3', '2024-01-01 10:00+00');
SELECT outcome FROM identify('{"phone": "+8613800138001", "card": "c"}', 'web', NULL, 't4', '2025-06-01 10:00+00');
UPDATE o2o.identifier_kind SET time_to_live = interval '1 year' WHERE kind = 'phone';
SELECT * FROM pg_temp.reconcile(false);
SELECT o2o.identifier_profile('phone:+8613800138001', '2026-06-02 10:00+00') IS NULL AS nobodys;
SELECT outcome FROM identify('{"phone": "+8613800138001", "card": "d"}', 'pos', NULL, 't5', '2026-07-01 10:00+00');
SELECT * FROM pg_temp.reconcile(false);
TABLE pg_temp.people;
SELECT * FROM identity_verify();

-- Two identifiers of one event may be shared: that of higher priority is asked first, and without it the other is one person's.
-- So it stays when both were ordinary meanwhile.
UPDATE o2o.identifier_kind SET shared_threshold = 2 WHERE kind IN ('device', 'cookie');
SELECT outcome FROM identify('{"device": "desk", "email": "one@shop.cn"}', 'pos', NULL, 'o1', '2026-08-01 10:00+00');
SELECT outcome FROM identify('{"cookie": "desk", "email": "two@shop.cn"}', 'pos', NULL, 'o2', '2026-08-02 10:00+00');
SELECT outcome FROM identify('{"card": "desk", "device": "desk", "cookie": "desk"}', 'pos', NULL, 'o3', '2026-08-03 10:00+00');
SELECT * FROM pg_temp.people WHERE customer ~ 'desk';
SELECT count(*) FROM identity_reconcile();
UPDATE o2o.identifier_kind SET shared_threshold = NULL WHERE kind IN ('device', 'cookie');
SELECT * FROM pg_temp.reconcile(false);
SELECT * FROM pg_temp.people WHERE customer ~ 'desk';
UPDATE o2o.identifier_kind SET shared_threshold = 2 WHERE kind IN ('device', 'cookie');
SELECT * FROM pg_temp.reconcile(false);
SELECT * FROM pg_temp.people WHERE customer ~ 'desk';
SELECT count(*) FROM identity_reconcile();

-- Without the cookie the device is seen with two people. An event of one of them, all known, asks for nothing; one that brings
-- somebody does.
SELECT outcome FROM identify('{"email": "x@shop.cn", "device": "till", "cookie": "till"}', 'pos', NULL, 'o4', '2026-08-04 10:00+00');
SELECT outcome FROM identify('{"email": "y@shop.cn", "device": "till", "cookie": "till"}', 'pos', NULL, 'o5', '2026-08-05 10:00+00');
SELECT outcome FROM identify('{"email": "z@shop.cn", "cookie": "till"}', 'pos', NULL, 'o6', '2026-08-06 10:00+00');
SELECT outcome FROM identify('{"email": "x@shop.cn", "device": "till"}', 'web', NULL, 'o7', '2026-08-07 10:00+00');
SELECT * FROM pg_temp.people WHERE customer ~ 'till';
SELECT count(*) FROM identity_reconcile();
SELECT outcome FROM identify('{"card": "till", "device": "till"}', 'web', NULL, 'o8', '2026-08-08 10:00+00');
SELECT * FROM pg_temp.people WHERE customer ~ 'till';
SELECT count(*) FROM identity_reconcile();

RESET ROLE;
\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_identity_reconcile_shared;
DROP ROLE o2o_reconcile_shared_owner;
