-- the same protocol in PL/pgSQL
-- count: 32000 calls
\set n random(1, 50000)
SELECT * FROM plpgsql_resolver.identify(jsonb_build_object('card', 'c' || :n::bigint, 'phone', '+86' || 15000000000 + :n::bigint), 'crm');
