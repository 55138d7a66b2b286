-- Consent per profile, purpose and channel: the latest decision holds, the
-- refusal wins a tie, and after an unmerge each side has its own.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_identity_consent;
CREATE DATABASE o2o_identity_consent;
\c o2o_identity_consent
SET client_min_messages = warning;
CREATE ROLE o2o_consent_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_consent_owner;
CALL o2o.setup(owner => 'o2o_consent_owner');
RESET client_min_messages;
SET ROLE o2o_consent_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
\set VERBOSITY sqlstate
SELECT outcome FROM identify('{"card": "1"}', 'crm');
SELECT outcome FROM identify('{"card": "2"}', 'crm');

-- Nothing said is no consent.
SELECT consent_given('card:1', 'marketing', 'sms');
SELECT consent_record('card:1', 'marketing', 'sms', true, 'web', 'v1', '2026-01-01 10:00+00') > 0 AS recorded;
SELECT consent_given('card:1', 'marketing', 'sms') AS sms, consent_given('card:1', 'marketing', 'email') AS email,
	consent_given('card:1', 'profiling', 'sms') AS profiling, consent_given('card:1', 'marketing', 'sms', '2025-12-31 10:00+00') AS earlier;
-- All channels at once, and one of them given again later.
SELECT consent_record('card:1', 'marketing', '*', false, 'pos', 'v2', '2026-02-01 10:00+00') > 0 AS recorded;
SELECT consent_record('card:1', 'marketing', 'email', true, 'pos', 'v2', '2026-03-01 10:00+00') > 0 AS recorded;
SELECT c.channel, consent_given('card:1', 'marketing', c.channel) FROM unnest('{sms,email,phone}'::text[]) c (channel);
SELECT purpose, channel, is_granted, source, text_version FROM o2o.customer_consent WHERE customer_id = customer_lookup('card:1') ORDER BY channel COLLATE "C";

-- One customer of two profiles: the latest of either; at the same moment the refusal.
SELECT consent_record('card:2', 'marketing', 'sms', true, 'app', 'v3', '2026-04-01 10:00+00') > 0 AS recorded;
SELECT consent_record('card:2', 'marketing', 'email', false, 'app', 'v3', '2026-03-01 10:00+00') > 0 AS recorded;
SELECT customer_merge('card:1', 'card:2', 'test') = customer_lookup('card:1') AS merged;
SELECT c.channel, consent_given('card:1', 'marketing', c.channel), consent_given('card:2', 'marketing', c.channel) FROM unnest('{sms,email,phone}'::text[]) c (channel);
SELECT count(*) FROM customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'test');
SELECT c.channel, consent_given('card:1', 'marketing', c.channel), consent_given('card:2', 'marketing', c.channel) FROM unnest('{sms,email,phone}'::text[]) c (channel);
-- The view says what the function says.
SELECT * FROM o2o.customer_consent c WHERE c.channel <> '*' AND c.is_granted <> consent_given(c.customer_id, c.purpose, c.channel);

SELECT consent_record('card:9', 'marketing', 'sms', true, 'web');
SELECT consent_record('card:1', 'marketing', 'sms', true, 'nowhere');
SELECT consent_record('card:1', 'Marketing!', 'sms', true, 'web');
SELECT consent_record('card:1', 'marketing', 'sms', NULL, 'web');
SELECT consent_record('card:1', 'marketing', 'sms', true, 'web', 'v1', 'infinity');
SELECT consent_given('card:9', 'marketing', 'sms');
\c postgres
SET client_min_messages = warning;
DROP DATABASE o2o_identity_consent;
DROP ROLE o2o_consent_owner;
