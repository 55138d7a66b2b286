-- the same protocol in PL/pgSQL
-- count: 8000 calls
\set n random(1, 50000)
\set e random(1, 999999999)
SELECT * FROM plpgsql_resolver.identify(jsonb_build_object('card', 'c' || :n::bigint, 'email', 'e' || :e::bigint || '@shop.cn'), 'crm');
