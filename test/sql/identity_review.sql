-- What people decide: split, keep apart, review refused links; bridges, history,
-- and identify() for many events.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_identity_review;
CREATE DATABASE o2o_identity_review;
\c o2o_identity_review
SET client_min_messages = warning;
CREATE ROLE o2o_review_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_review_owner;
CALL o2o.setup(owner => 'o2o_review_owner');
RESET client_min_messages;
SET ROLE o2o_review_owner;
SET search_path = public, o2o;
-- The dates of this test are fixed, and it shall hold in years to come.
UPDATE o2o.identifier_kind SET time_to_live = '100 years' WHERE time_to_live IS NOT NULL;
\set SHOW_CONTEXT never
CREATE VIEW pg_temp.people AS
	SELECT string_agg(i.identifier::text, ' ' ORDER BY i.identifier::text COLLATE "C") AS customer
	FROM o2o.profile p JOIN o2o.profile_identifier i USING (profile_id) GROUP BY p.customer_id ORDER BY 1;

-- Many events, in the order of time, not of the arrays; the second one brings the first and third together.
SELECT ordinal, outcome FROM identify_many(
	ARRAY['{"card": "1", "email": "a@shop.cn"}', '{"email": "a@shop.cn", "phone": "+8613800138000"}', '{"phone": "+8613800138000", "cookie": "c"}', '{}']::jsonb[],
	'web', ARRAY['e1', 'e2', 'e3', 'e4'],
	ARRAY['2026-01-01 10:00+00', '2026-01-01 12:00+00', '2026-01-01 11:00+00', '2026-01-01 13:00+00']::timestamptz[]);
TABLE pg_temp.people;
SELECT identify_many(ARRAY['{}', '{}']::jsonb[], 'web', ARRAY['only one']);
SELECT count(*) FROM identify_many('{}', 'web');

-- Each link is a bridge; the one in the middle holds the larger parts.
SELECT o2o.profile_label(profiles[1]), o2o.profile_label(profiles[2]), part_sizes, source FROM identity_bridges(customer_lookup('card:1'));
SELECT outcome FROM identify('{"card": "1", "phone": "+8613800138000", "email": "a@shop.cn"}', 'pos');
SELECT o2o.profile_label(profiles[1]), o2o.profile_label(profiles[2]), part_sizes, source FROM identity_bridges(customer_lookup('card:1'));
SELECT identity_bridges(987654321);

-- Split: phone and cookie leave together; the set of three goes on holding card and e-mail.
SELECT identifier_profile('phone:+8613800138000') AS phone, identifier_profile('cookie:c') AS cookie, identifier_profile('card:1') AS card,
	identifier_profile('email:a@shop.cn') AS email, customer_lookup('card:1'::identifier) AS whole, clock_timestamp() AS before \gset
SELECT array_length(profiles, 1) FROM customer_split(ARRAY[:phone, :cookie], 'two people');
TABLE pg_temp.people;
SELECT status, cardinality(profiles), count(*) FROM o2o.identity_evidence GROUP BY 1, 2 ORDER BY 1, 2;
SELECT outcome FROM identify('{"card": "1", "phone": "+8613800138000"}', 'pos');
SELECT * FROM identity_verify();
SELECT customer_at(:phone, :'before') = :whole AS "before", customer_at(:phone, now()) = customer_lookup(:phone) AS now,
	customer_at(:card, :'before') = :whole AS stayed, customer_at(987654321, now());
-- Who was one customer then, and how it came to what it is.
SELECT label FROM customer_profiles_at('card:1', :'before') ORDER BY 1;
SELECT label FROM customer_profiles_at('card:1', now()) ORDER BY 1;
SELECT count(*) FROM customer_profiles_at('card:1', '2000-01-01 00:00+00');
SELECT customer_at('phone:+8613800138000', :'before') = :whole AS before, count(*) FROM identity_bridges('card:1');
SELECT h.what, (SELECT string_agg(o2o.profile_label(u), ' ' ORDER BY o2o.profile_label(u)) FROM unnest(h.profiles) u) AS whom, h.rule, h.source, h.reason, h.who IS NOT NULL AS told
FROM identity_history('card:1') h;
SELECT what, count(*) FROM identity_history('phone:+8613800138000') GROUP BY what ORDER BY what;
SELECT count(*) FROM identity_history('card:1', :'before') h WHERE h.what = 'retracted';
SELECT identity_history('card:nobody');
-- Some, and not all, of one customer.
SELECT customer_split('{card:1,email:a@shop.cn}'::identifier[], 'all of them');
SELECT customer_split(ARRAY[:card, :email], 'all of them');
SELECT customer_split(ARRAY[:card, :phone], 'of two customers');
SELECT customer_split('{}'::bigint[], 'nobody');
SELECT customer_split(ARRAY[987654321], 'unknown');

-- Review of what was refused: accept one, reject the other, each once.
SELECT outcome FROM identify('{"unionid": "u1", "email": "b@shop.cn"}', 'wechat');
SELECT outcome FROM identify('{"unionid": "u2", "email": "b@shop.cn"}', 'wechat');
UPDATE o2o.identifier_kind SET max_per_customer = 1 WHERE kind = 'cookie';
SELECT outcome FROM identify('{"unionid": "u1", "cookie": "x"}', 'web');
SELECT outcome FROM identify('{"unionid": "u1", "cookie": "y"}', 'web');
SELECT kind_a, kind_b, reason, source FROM o2o.identity_review ORDER BY evidence_id;
SELECT evidence_id AS cookie_link FROM o2o.identity_review WHERE reason = 'limit:cookie' \gset
SELECT evidence_id AS union_link FROM o2o.identity_review WHERE reason = 'unique:unionid' \gset
SELECT evidence_accept(:cookie_link, 'second browser') = customer_lookup('unionid:u1'::identifier) AS survivor;
SELECT evidence_reject(:union_link, 'man and wife');
\set VERBOSITY terse
SELECT evidence_accept(:union_link, 'decided before');
\set VERBOSITY default
SELECT evidence_reject(NULL, 'none');
SELECT count(*) FROM o2o.identity_review WHERE reason <> 'cannot_link';
TABLE pg_temp.people;
SELECT review, reviewed_by = session_user AS by_me, count(*) FROM o2o.identity_evidence WHERE review IS NOT NULL GROUP BY 1, 2 ORDER BY 1;

-- Kept apart: no event merges them, a person may.
SELECT outcome FROM identify('{"card": "7"}', 'pos');
SELECT outcome FROM identify('{"card": "8"}', 'pos');
SELECT customer_keep_apart('card:7'::identifier, 'card:8', 'twins');
SELECT outcome FROM identify('{"card": ["7", "8"]}', 'pos');
SELECT customer_merge('card:7'::identifier, 'card:8', 'one of them was a mistake') AS survivor \gset
SELECT customer_lookup('card:7'::identifier) = :survivor AS merged, customer_lookup('card:8'::identifier) = :survivor AS merged_too;
\set VERBOSITY terse
SELECT customer_keep_apart('card:7'::identifier, 'card:8', 'too late');
\set VERBOSITY default
SELECT customer_keep_apart(NULL, 1, 'nobody');
SELECT * FROM identity_verify();

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_identity_review;
DROP ROLE o2o_review_owner;
