-- Rules that were changed, applied to what was linked before.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_identity_reconcile;
CREATE DATABASE o2o_identity_reconcile;
\c o2o_identity_reconcile
SET client_min_messages = warning;
CREATE ROLE o2o_reconcile_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_reconcile_owner;
CALL o2o.setup(owner => 'o2o_reconcile_owner');
RESET client_min_messages;
SET ROLE o2o_reconcile_owner;
SET search_path = public, o2o;
-- The dates of this test are fixed, and it shall hold in years to come.
UPDATE o2o.identifier_kind SET time_to_live = '100 years' WHERE time_to_live IS NOT NULL;
CREATE VIEW pg_temp.people AS
	SELECT string_agg(i.identifier::text, ' ' ORDER BY i.identifier::text COLLATE "C") AS customer
	FROM o2o.profile p JOIN o2o.profile_identifier i USING (profile_id) GROUP BY p.customer_id ORDER BY 1;
CREATE FUNCTION pg_temp.named(profiles bigint[]) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(i.identifier::text, ' ' ORDER BY i.identifier::text COLLATE "C") FROM o2o.profile_identifier i WHERE i.profile_id = ANY (profiles) $$;
CREATE FUNCTION pg_temp.reconcile(dry_run boolean) RETURNS TABLE (change text, other text, reason text) LANGUAGE sql AS $$
	SELECT r.change, pg_temp.named(r.profiles), r.reason FROM o2o.identity_reconcile(dry_run) r $$;

-- The card seen last goes, not the one recorded last.
SELECT outcome FROM identify('{"email": "a@shop.cn", "card": "1"}', 'pos', NULL, 'e1', '2026-01-01 10:00+00');
SELECT outcome FROM identify('{"email": "a@shop.cn", "card": "3"}', 'pos', NULL, 'e3', '2026-01-03 10:00+00');
SELECT outcome FROM identify('{"email": "a@shop.cn", "card": "2"}', 'pos', NULL, 'e2', '2026-01-02 10:00+00');
SELECT outcome FROM identify('{"card": "3", "device": "d3"}', 'pos', NULL, 'e4', '2026-01-04 10:00+00');
SELECT count(*) FROM identity_reconcile();
UPDATE o2o.identifier_kind SET max_per_customer = 2 WHERE kind = 'card';
-- From now on a fourth card is refused; what has nothing to do with cards is not.
SELECT outcome FROM identify('{"card": ["1", "4"]}', 'pos', NULL, 'e5', '2026-01-05 10:00+00');
SELECT outcome FROM identify('{"card": "1", "cookie": "c1"}', 'web', NULL, 'e6', '2026-01-06 10:00+00');
SELECT * FROM pg_temp.reconcile(true);
TABLE pg_temp.people;
SELECT * FROM pg_temp.reconcile(false);
TABLE pg_temp.people;
SELECT * FROM identity_verify();
SELECT count(*) FROM identity_reconcile();
SELECT status, rule, event_id, reason, retract_reason FROM o2o.identity_evidence WHERE event_id = 'e3' ORDER BY 1;
SELECT kind_a, kind_b, reason, event_id FROM o2o.identity_review;
-- Undone by a wider rule; and that merge by a person, for good.
UPDATE o2o.identifier_kind SET max_per_customer = 10 WHERE kind = 'card';
SELECT * FROM pg_temp.reconcile(true);
SELECT * FROM pg_temp.reconcile(false);
TABLE pg_temp.people;
SELECT * FROM identity_verify();
SELECT count(*) FROM customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'two people');
TABLE pg_temp.people;
SELECT count(*) FROM identity_reconcile(NULL);

-- A value that identifies nobody by now lets everybody go; what it was seen with stays together.
SELECT outcome FROM identify('{"phone": "+8613800138000", "card": "p1"}', 'web', NULL, 'f1', '2026-02-01 10:00+00');
SELECT outcome FROM identify('{"phone": "+8613800138000", "card": "p2", "cookie": "c2"}', 'web', NULL, 'f2', '2026-02-02 10:00+00');
INSERT INTO o2o.identifier_block VALUES ('phone', '^\+8613800138000$', 'hot-line');
SELECT * FROM pg_temp.reconcile(true);
SELECT * FROM pg_temp.reconcile(false);
TABLE pg_temp.people;
SELECT * FROM identity_verify();
SELECT count(*) FROM identity_reconcile();

-- The cap: a chain of four, cut where it passes three. Unique: the second one goes. By hand: stays.
SELECT outcome FROM identify('{"cookie": ["k1", "k2"]}', 'web', NULL, 'g1', '2026-03-01 10:00+00');
SELECT outcome FROM identify('{"cookie": ["k2", "k3"]}', 'web', NULL, 'g2', '2026-03-02 10:00+00');
SELECT outcome FROM identify('{"cookie": ["k3", "k4"]}', 'web', NULL, 'g3', '2026-03-03 10:00+00');
SELECT outcome FROM identify('{"device": ["t1", "t2"]}', 'app', NULL, 'h1', '2026-03-01 10:00+00');
SELECT outcome FROM identify('{"device": "t3", "alipay": "m3"}', 'app', NULL, 'h2', '2026-03-01 10:00+00');
SELECT outcome FROM identify('{"device": "t4", "alipay": "m4"}', 'app', NULL, 'h3', '2026-03-01 10:00+00');
SELECT customer_merge('device:t3', 'device:t4', 'one man, two telephones') > 0 AS merged;
UPDATE o2o.identifier_kind SET is_unique = true WHERE kind = 'device';
SELECT * FROM pg_temp.reconcile(true);
UPDATE o2o.setting SET value = '3' WHERE name = 'identity.customer_cap';
SELECT * FROM pg_temp.reconcile(false);
TABLE pg_temp.people;
SELECT * FROM identity_verify();
SELECT count(*) FROM identity_reconcile();

-- What a match model left to people is left to them.
SELECT o2o.evidence_record(ARRAY[identifier_profile('card:p1'), identifier_profile('cookie:k4')], 'suppressed', 'match', 'match', 'match:review', 'm/1', now()) > 0 AS recorded;
SELECT count(*) FROM identity_reconcile();
\set VERBOSITY terse
BEGIN READ ONLY;
SELECT count(*) FROM identity_reconcile();
ROLLBACK;

RESET ROLE;
\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_identity_reconcile;
DROP ROLE o2o_reconcile_owner;
