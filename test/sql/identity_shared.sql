-- A hot-line number: refused for too many customers it becomes shared. Its links
-- are taken back, what else was seen together stays together, now and later.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_identity_shared;
CREATE DATABASE o2o_identity_shared;
\c o2o_identity_shared
SET client_min_messages = warning;
CREATE ROLE o2o_shared_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_shared_owner;
CALL o2o.setup(owner => 'o2o_shared_owner');
RESET client_min_messages;
SET ROLE o2o_shared_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
CREATE VIEW pg_temp.people AS
	SELECT string_agg(i.identifier::text || CASE WHEN i.is_shared THEN ' (shared)' ELSE '' END, ' ' ORDER BY i.identifier::text COLLATE "C") AS customer
	FROM o2o.profile p JOIN o2o.profile_identifier i USING (profile_id) GROUP BY p.customer_id ORDER BY 1;
UPDATE o2o.identifier_kind SET shared_threshold = 3 WHERE kind = 'phone';

-- The number is first, so that its profile is the lowest of every set.
SELECT outcome FROM identify('["phone:+8613800138000"]', 'pos');
SELECT outcome FROM identify('["phone:+8613800138000", "card:1", "email:a@shop.cn"]', 'pos');
SELECT outcome FROM identify('["phone:+8613800138000", "unionid:u1"]', 'wechat');
SELECT outcome FROM identify('["phone:+8613800138000", "unionid:u2"]', 'wechat');
SELECT outcome FROM identify('["phone:+8613800138000", "unionid:u3"]', 'wechat');
TABLE pg_temp.people;
SELECT outcome FROM identify('["phone:+8613800138000", "unionid:u4"]', 'wechat');
TABLE pg_temp.people;
SELECT status, rule, source, retract_reason, cardinality(profiles) FROM o2o.identity_evidence ORDER BY status, source, cardinality;
SELECT * FROM identity_verify();

-- It brings nobody together and is nobody's.
SELECT outcome FROM identify('["phone:+8613800138000", "unionid:u5"]', 'wechat');
SELECT customer_lookup('phone:+8613800138000'::identifier);

-- The customer is split anew: card and e-mail were seen together and stay so.
SELECT outcome FROM identify('["card:1", "cookie:c"]', 'web');
SELECT count(*) FROM evidence_retract((SELECT evidence_id FROM o2o.identity_evidence WHERE status = 'link' AND source = 'web'), 'test');
TABLE pg_temp.people;
SELECT * FROM identity_verify();

-- Given to somebody else, it identifies again, and revives no link of the past.
SELECT identifier_reassign('phone:+8613800138000', 'line given up') IS NOT NULL AS reassigned;
SELECT outcome FROM identify('["phone:+8613800138000", "card:9"]', 'pos');
SELECT outcome FROM identify('["card:1", "cookie:d"]', 'web');
TABLE pg_temp.people;
SELECT * FROM identity_verify();

-- So does a shared one that expired.
SELECT outcome FROM identify('["card:7"]', 'pos');
UPDATE o2o.profile_identifier SET is_shared = true, first_seen_at = now() - interval '2 years', last_seen_at = now() - interval '2 years' WHERE identifier = 'card:7';
UPDATE o2o.identifier_kind SET time_to_live = interval '1 year' WHERE kind = 'card';
SELECT outcome FROM identify('["card:7", "cookie:e"]', 'web');
TABLE pg_temp.people;
SELECT * FROM identity_verify();
SELECT reason, count(*) FROM o2o.identifier_period GROUP BY reason ORDER BY reason;

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_identity_shared;
DROP ROLE o2o_shared_owner;
