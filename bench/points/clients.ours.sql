-- points_earn one by one from 16 clients
-- count: 16000 calls
-- clients: 16
-- repeats: 3
\set n random(1, 20000)
SELECT o2o.points_earn((SELECT m.profile_id FROM public.member m WHERE m.n = :n), 25, 'club', 'pos/1');
