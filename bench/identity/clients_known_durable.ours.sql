-- identify() of known customers by card and phone, 8 clients, synchronous_commit on
-- count: 32000 calls
-- repeats: 3
-- clients: 8
-- options: -c synchronous_commit=on
\set n random(1, 50000)
SELECT * FROM o2o.identify(jsonb_build_object('card', 'c' || :n::bigint, 'phone', '+86' || 15000000000 + :n::bigint), 'crm');
