-- the same protocol in PL/pgSQL
-- count: 8000 calls
\set n random(1, 999999999)
SELECT * FROM plpgsql_resolver.identify(jsonb_build_object('card', 'n' || :n::bigint, 'phone', '+86' || 13000000000 + :n::bigint), 'crm');
