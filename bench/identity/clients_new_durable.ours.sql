-- identify() of new customers by card and phone, 8 clients, each commit waiting for the disk
-- count: 8000 calls
-- repeats: 3
-- clients: 8
-- options: -c synchronous_commit=on
\set n random(1, 999999999)
SELECT * FROM o2o.identify(jsonb_build_object('card', 'n' || :n::bigint, 'phone', '+86' || 13000000000 + :n::bigint), 'crm');
