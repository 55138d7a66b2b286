-- Pairs of identifiers of people with up to six each, five pairs to two people, one pair in fifty of two different
-- people; 50,000 customers with phone, card and unionid.
CREATE EXTENSION pgrouting;
SELECT setseed(0.42);
CREATE FUNCTION pairs(people integer, pairs integer) RETURNS TABLE (id bigint, a bigint, b bigint) LANGUAGE sql
BEGIN ATOMIC
	SELECT p.n, p.person * 8 + floor(random() * 6)::bigint,
		CASE WHEN random() < 0.02 THEN floor(random() * people)::bigint ELSE p.person END * 8 + floor(random() * 6)::bigint
	FROM (SELECT n, floor(random() * people)::bigint AS person FROM generate_series(1, pairs::bigint) AS n) p;
END;
CREATE TABLE pair_million AS SELECT * FROM pairs(400000, 1000000);
CREATE TABLE pair_ten_million AS SELECT a, b FROM pairs(4000000, 10000000);
CREATE TABLE pair_scattered AS SELECT hashint8extended(a, 1) AS a, hashint8extended(b, 1) AS b FROM pair_million;
CREATE TABLE pair_identifier AS SELECT o2o.identifier('card:' || a) AS a, o2o.identifier('card:' || b) AS b FROM pair_million;

SELECT o2o.source_register('crm', 'CRM');
-- Event n of a batch: twice as many events as people, what they show differs from event to event.
CREATE FUNCTION event_identifiers(run bigint, n bigint) RETURNS jsonb LANGUAGE sql IMMUTABLE
RETURN CASE n % 3
	WHEN 0 THEN jsonb_build_object('card', 'r' || run || 'x' || n / 2, 'phone', '+86' || 13000000000 + run * 100000 + n / 2)
	WHEN 1 THEN jsonb_build_object('card', 'r' || run || 'x' || n / 2, 'unionid', 'r' || run || 'x' || n / 2)
	ELSE jsonb_build_object('phone', '+86' || 13000000000 + run * 100000 + n / 2) END;
INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers)
SELECT 1, 'crm', n, now() - interval '1 day', jsonb_build_object('card', 'c' || n, 'phone', '+86' || 15000000000 + n, 'unionid', 'u' || n)
FROM generate_series(1, 50000) AS n;
SELECT o2o.identity_import(1);
CREATE SEQUENCE run MINVALUE 2;

\i bench/identity/resolve_plpgsql.sql
UPDATE o2o.identifier_kind SET max_per_customer = NULL WHERE kind = 'email';

-- Written once already, for the sake of statistics: a plan made over an empty table stays in the session.
\i bench/identity/import.peer.sql
