-- identify() of known customers by card and a new e-mail address, 8 clients
-- count: 8000 calls
-- repeats: 3
-- clients: 8
-- options: -c synchronous_commit=off
\set n random(1, 50000)
\set e random(1, 999999999)
SELECT * FROM o2o.identify(jsonb_build_object('card', 'c' || :n::bigint, 'email', 'e' || :e::bigint || '@shop.cn'), 'crm');
